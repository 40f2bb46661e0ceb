//! A stack that only listens: it keeps what it hears and answers what a test wants.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

use super::sim::pause;

/// A request that the stack heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) path: String,
    /// Header `X-Amz-Target`.
    pub(crate) target: String,
    pub(crate) invocation_type: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

type Answers = dyn Fn(&Heard) -> (u16, Value) + Send + Sync;

pub(crate) struct Stack {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Answers>,
}

impl Stack {
    pub(crate) async fn start(answers: impl Fn(&Heard) -> (u16, Value) + Send + Sync + 'static) -> Stack {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            heard: heard.clone(),
            answers: Arc::new(answers),
        };
        let routes = Router::new().fallback(listen).with_state(shared);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Stack { url, heard, server }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Requests so far with this in their path, target or body.
    pub(crate) fn calls(&self, part: &str) -> Vec<Heard> {
        let named = |h: &&Heard| h.path.contains(part) || h.target.contains(part) || h.body.contains(part);
        self.heard.lock().unwrap().iter().filter(named).cloned().collect()
    }

    /// Waits until there are as many such requests.
    pub(crate) async fn await_calls(&self, part: &str, count: usize) -> Vec<Heard> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let calls = self.calls(part);
            if calls.len() >= count {
                return calls;
            }
            assert!(Instant::now() < end, "{count} calls with {part}: {calls:?}");
            pause().await;
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn listen(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_string()
    };
    let body = to_bytes(body, 4 << 20).await.unwrap();
    let heard = Heard {
        at: Instant::now(),
        path: parts.uri.to_string(),
        target: header("x-amz-target"),
        invocation_type: header("x-amz-invocation-type"),
        authorization: header("authorization"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let (status, answer) = (shared.answers)(&heard);
    shared.heard.lock().unwrap().push(heard);
    let mut response = (StatusCode::from_u16(status).unwrap(), answer.to_string()).into_response();
    // Lambda says so of a function that failed.
    if answer.get("errorMessage").is_some() {
        let unhandled = "Unhandled".parse().unwrap();
        response.headers_mut().insert("x-amz-function-error", unhandled);
    }
    response
}
