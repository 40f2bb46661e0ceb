//! One HTTP request over one connection.

use std::net::SocketAddrV4;

use axum::body::Body;
use axum::http::{Request, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Why a request had no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no HTTP response: {0}")]
    Http(#[from] hyper::Error),
    #[error("no valid request: {0}")]
    Request(#[from] axum::http::Error),
}

/// Sends a request whose URI is a path, and gives back the response as it begins to come in.
pub(super) async fn send(address: &str, request: Request<Body>) -> Result<Response<Incoming>, ClientError> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// The status of a GET.
pub(super) async fn get(address: SocketAddrV4, path: &str) -> Result<u16, ClientError> {
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .header(header::USER_AGENT, "ELB-HealthChecker/2.0")
        .header(header::CONNECTION, "close")
        .body(Body::empty())?;
    Ok(send(&address.to_string(), request).await?.status().as_u16())
}
