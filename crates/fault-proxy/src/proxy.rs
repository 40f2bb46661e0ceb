//! One connection of a client: each call is handed on, or meets its fate.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::counts::Counts;
use crate::dice::{Dice, Fate};
use crate::fault::Fault;
use crate::protocol::{self, Asked};
use crate::shape;

/// How long the first half of an answer is on its way before the connection breaks.
const HALF_WAY: Duration = Duration::from_millis(20);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    dice: Mutex<Dice>,
    counts: Mutex<Counts>,
}

impl Shared {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice: Mutex::new(dice),
            counts: Mutex::default(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    fn decide(&self, operation: &str) -> Option<Fate> {
        let fate = lock(&self.dice).throw(operation);
        lock(&self.counts).count(fate.map(|fate| fate.fault));
        fate
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves a connection until one of both ends it. `upstream` is `host:port`.
pub(crate) async fn serve(stream: TcpStream, upstream: Arc<str>, shared: Arc<Shared>) {
    let service = service_fn(move |request| Box::pin(answer(request, upstream.clone(), shared.clone())));
    let mut connection = hyper::server::conn::http1::Builder::new()
        // The upstream's answer as it is.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    if poll_fn(|context| connection.poll_without_shutdown(context))
        .await
        .is_err()
    {
        // A reset instead of an orderly end.
        let stream = connection.into_parts().io.into_inner();
        drop(stream.set_zero_linger());
    }
}

/// The answer to a call; an error resets the connection.
async fn answer(
    request: Request<Incoming>,
    upstream: Arc<str>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let Asked { protocol, operation } =
        protocol::read(parts.method.as_str(), parts.uri.path(), &parts.headers, &body);
    let fate = shared.decide(&operation);
    let fault = fate.map(|fate| fate.fault);
    if let Some(response) = fault.and_then(|fault| shape::answer(fault, &protocol)) {
        return Ok(response.map(whole));
    }
    if fault == Some(Fault::ResetBefore) {
        return Err(reset());
    }
    let response = match hand_on(&upstream, Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(error) => {
            eprintln!("fault-proxy: {operation}: {upstream} does not answer: {error}");
            return Err(error);
        }
    };
    match fate {
        Some(Fate {
            fault: Fault::Slow,
            late,
        }) => {
            tokio::time::sleep(late).await;
            Ok(response.map(whole))
        }
        Some(Fate {
            fault: Fault::CutOff, ..
        }) if response.body().len() > 1 => Ok(cut_off(response)),
        None => Ok(response.map(whole)),
        // Of what is shorter there is nothing to cut.
        Some(_) => Err(reset()),
    }
}

/// Hands a call on as it came, to `host:port`.
///
/// # Errors
/// Nobody answers there.
pub async fn hand_on(upstream: &str, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let response = sender
        .send_request(request.map(Full::new))
        .await
        .map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// The first half of an answer that promises the whole.
fn cut_off(response: Response<Bytes>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts
        .headers
        .entry(CONTENT_LENGTH)
        .or_insert_with(|| HeaderValue::from(body.len()));
    parts.headers.remove(TRANSFER_ENCODING);
    let half = body.slice(..body.len() / 2);
    let first = stream::once(async move { Ok(Frame::data(half)) });
    let end = stream::once(async {
        tokio::time::sleep(HALF_WAY).await;
        Err(reset())
    });
    let body = BodyExt::boxed_unsync(StreamBody::new(first.chain(end)));
    Response::from_parts(parts, body)
}

fn whole(body: Bytes) -> Body {
    let body = Full::new(body).map_err(|never: Infallible| match never {});
    body.boxed_unsync()
}

fn reset() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

/// Answers on the control port: `GET /_faults/counts`.
pub(crate) async fn control(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = match request.uri().path() {
            "/_faults/counts" => {
                let counts = shared.counts().json().to_string();
                shape::plain(StatusCode::OK, "application/json", counts.into_bytes())
            }
            _ => shape::plain(
                StatusCode::NOT_FOUND,
                "text/plain",
                b"there is /_faults/counts\n".to_vec(),
            ),
        };
        async move { Ok::<_, Infallible>(response.map(Full::new)) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Who asks may go.
    drop(connection.await);
}
