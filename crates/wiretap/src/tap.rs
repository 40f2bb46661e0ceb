//! Where a function finds AWS: recorded, or played back.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fault_proxy::{hand_on, operation};
use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};

use crate::listen::{Listener, plain};
use crate::tape::{Call, Tape};

/// Stands between a function and its endpoints. Dropping it ends it.
#[derive(Debug)]
pub struct Tap {
    listeners: Vec<Listener>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    Recording {
        since: Instant,
        delay: Duration,
        calls: Vec<Call>,
    },
    Playing {
        tape: Tape,
        left: Tape,
        unknown: Vec<String>,
    },
}

impl Tap {
    /// Listens for each of these endpoints (`host:port`) on a port of its own, and records. Each call takes `delay` longer,
    /// so that it can be seen which ones wait for each other.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn record(upstreams: &[String], delay: Duration) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::Recording {
            since: Instant::now(),
            delay,
            calls: Vec::new(),
        }));
        let mut listeners = Vec::new();
        for upstream in upstreams {
            let (upstream, state): (Arc<str>, _) = (upstream.as_str().into(), state.clone());
            let answer = move |request| {
                let (upstream, state) = (upstream.clone(), state.clone());
                async move { answer(&state, &upstream, request).await }
            };
            listeners.push(Listener::start(answer).await?);
        }
        Ok(Self { listeners, state })
    }

    /// Where each endpoint is now, in the order in which they were given.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
    }

    /// What was recorded so far; nothing while a record is played back.
    #[must_use]
    pub fn tape(&self) -> Tape {
        match &*lock(&self.state) {
            State::Recording { calls, .. } => Tape(calls.clone()),
            State::Playing { .. } => Tape::default(),
        }
    }

    /// Answers from now on as on this tape, from its beginning.
    pub fn play(&self, tape: &Tape) {
        *lock(&self.state) = State::Playing {
            tape: tape.clone(),
            left: tape.clone(),
            unknown: Vec::new(),
        };
    }

    /// Begins the tape anew; gives the calls that were not on it, which were answered with 500.
    pub fn rewind(&self) -> Vec<String> {
        match &mut *lock(&self.state) {
            State::Recording { since, calls, .. } => {
                *since = Instant::now();
                calls.clear();
                Vec::new()
            }
            State::Playing { tape, left, unknown } => {
                left.clone_from(tape);
                std::mem::take(unknown)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(state: &Mutex<State>, upstream: &str, request: Request<Bytes>) -> Response<Bytes> {
    let asked = operation(&request);
    let (began, delay) = match &mut *lock(state) {
        State::Recording { since, delay, .. } => (since.elapsed(), *delay),
        State::Playing { left, unknown, .. } => {
            return match left.take(&asked, request.body()) {
                Some(response) => response,
                None => {
                    let text = format!("{asked} is not on the tape");
                    unknown.push(asked);
                    plain(StatusCode::INTERNAL_SERVER_ERROR, text)
                }
            };
        }
    };
    let sent = request.body().clone();
    tokio::time::sleep(delay).await;
    let response = match hand_on(upstream, request).await {
        Ok(response) => response,
        Err(error) => plain(StatusCode::BAD_GATEWAY, format!("{upstream}: {error}")),
    };
    if let State::Recording { since, calls, .. } = &mut *lock(state) {
        calls.push(Call {
            operation: asked,
            began,
            ended: since.elapsed(),
            request: sent,
            response: response.clone(),
        });
    }
    response
}
