//! An endpoint that keeps what it hears, and a proxy before it.

use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use fault_proxy::{Config, Dice, Fault, Server, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Requests that an endpoint has heard, byte by byte.
pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

/// An endpoint that answers every request with these bytes; gives its address.
pub(crate) async fn endpoint(answer: &'static str) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heard = Heard::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(converse(stream, answer, kept.clone()));
        }
    });
    (address, heard)
}

async fn converse(mut stream: TcpStream, answer: &str, heard: Heard) {
    while let Some(request) = request(&mut stream).await {
        heard.lock().expect("a lock").push(request);
        stream.write_all(answer.as_bytes()).await.expect("it is sent");
    }
}

/// One request with a Content-Length, or without a body.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim())
            });
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return Some(text);
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(count @ 1..) => bytes.extend(&part[..count]),
            _ => return None,
        }
    }
}

/// A proxy before an endpoint.
pub(crate) async fn proxy(upstream: &str, dice: Dice) -> Server {
    let upstream = Upstream {
        port: 0,
        address: upstream.to_owned(),
    };
    let config = Config {
        upstreams: vec![upstream],
        control: 0,
        dice,
    };
    Server::start(config).await.expect("it starts")
}

/// A proxy all of whose calls meet this fate, before an endpoint that answers `{}`.
pub(crate) async fn failing(fault: Fault) -> (Server, Heard) {
    let (address, heard) = endpoint(EMPTY).await;
    (proxy(&address, Dice::of(1.0, 1, &[fault])).await, heard)
}

/// An answer in JSON that most operations take.
pub(crate) const EMPTY: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";

/// The SDK before a proxy, which tries this often.
pub(crate) fn sdk(server: &Server, attempts: u32) -> SdkConfig {
    let retry = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(std::time::Duration::from_millis(1));
    let timeout = TimeoutConfig::builder().operation_attempt_timeout(std::time::Duration::from_secs(8));
    let client = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            Credentials::new("test", "test", None, None, "the test"),
        ))
        .endpoint_url(format!("http://{}", server.addresses[0]))
        .retry_config(retry)
        .timeout_config(timeout.build());
    client.build()
}
