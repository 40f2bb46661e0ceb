//! The AWS API over HTTP.

use std::net::{SocketAddrV4, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Shared, balancer, control, lock, now};
use crate::protocol::{Call, Sockets};

/// More than any request that the API takes.
const MAX_BODY: usize = 2 << 20;

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .nest("/_sim", control::routes())
        .fallback(api)
        .with_state(shared)
}

/// Sockets of load balancers: opened here, served once the listener exists.
#[derive(Default)]
struct Opened(Vec<(SocketAddrV4, TcpListener)>);

impl Sockets for Opened {
    fn open(&mut self, address: SocketAddrV4) -> Result<(), String> {
        let listener = TcpListener::bind(address).map_err(|e| e.to_string())?;
        listener.set_nonblocking(true).map_err(|e| e.to_string())?;
        self.0.push((address, listener));
        Ok(())
    }
}

async fn api(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |headers: &HeaderMap, name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_string)
    };
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return plain(413, "the request is longer than 2 MiB\n");
    };
    let mut call = Call {
        path: parts.uri.path().to_string(),
        target: text(&parts.headers, "x-amz-target"),
        content_type: text(&parts.headers, "content-type"),
        authorization: text(&parts.headers, "authorization"),
        user_agent: text(&parts.headers, "user-agent"),
        caller: None,
        body: body.to_vec(),
    };
    let refusal = match &shared.guard {
        Some(guard) => {
            let demands = shared.endpoint().demands(&call);
            let judged = guard.judge(call.access_key_id(), demands).await;
            call.caller = judged.caller;
            judged.refusal
        }
        None => None,
    };
    let mut opened = Opened::default();
    let answer = {
        let mut endpoint = shared.endpoint();
        let answer = match refusal {
            Some(refusal) => endpoint.refuse(now(), &call, &refusal),
            None => endpoint.handle(now(), &call, &mut opened),
        };
        // A listener that is gone gives its socket back.
        lock(&shared.balancers).retain(|address, balancer| {
            let there = endpoint.world.listener_at(*address).is_some();
            if !there {
                balancer.abort();
            }
            there
        });
        answer
    };
    for (address, listener) in opened.0 {
        balancer::serve(&shared, address, listener);
    }
    shared.wake.notify_one();
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body))
        .unwrap_or_else(|_| plain(500, "a header is not valid\n"))
}

pub(super) fn plain(status: u16, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response
}
