//! A function's process, and the Lambda runtime API that feeds it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::listen::{Listener, plain};

/// What a function's process may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that speaks the Lambda runtime API.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Its environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
}

/// What a function answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer, or the error report.
    pub answer: Result<Value, Value>,
    /// From when it could have had the event (for the first one: from before its process was started) until its answer.
    pub took: Duration,
    /// The time that it had on a processor for this; for the first one, from its start.
    pub worked: Duration,
    /// Bytes that it wrote to its log for this.
    pub logged: u64,
    /// The most memory that it had so far, in KiB.
    pub peak_kib: u64,
}

/// A running function. Dropping it ends its process.
#[derive(Debug)]
pub struct Function {
    child: Child,
    born: Option<Instant>,
    /// What it had of a processor until its last answer.
    worked: Duration,
    /// What it writes to its standard output, which Lambda keeps as its log.
    log: File,
    /// How much of it there was at its last answer.
    logged: u64,
    events: Sender<Bytes>,
    answers: Receiver<(Result<Bytes, Bytes>, Instant)>,
    _api: Listener,
}

impl Function {
    /// Starts the program. It waits for its first event then.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(program: &Program) -> io::Result<Self> {
        let (events, coming) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let coming = Arc::new(AsyncMutex::new(coming));
        let number = Arc::new(Mutex::new(0_u64));
        let api = Listener::start(move |request| {
            runtime_api(request, coming.clone(), answered.clone(), number.clone())
        })
        .await?;
        let log = tempfile::tempfile()?;
        let mut command = Command::new(&program.file);
        command
            .env_clear()
            .envs(&program.env)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &program.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env(
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", program.name),
            )
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let born = Instant::now();
        let child = command.spawn()?;
        Ok(Self {
            child,
            born: Some(born),
            worked: Duration::ZERO,
            log,
            logged: 0,
            events,
            answers,
            _api: api,
        })
    }

    /// Hands an event over, and waits for the answer.
    ///
    /// # Errors
    /// The process has ended, or does not answer.
    pub async fn invoke(&mut self, event: &Value) -> io::Result<Answer> {
        let began = self.born.take().unwrap_or_else(Instant::now);
        let gone = || io::Error::other("the function has ended");
        self.events
            .send(event.to_string().into())
            .await
            .map_err(|_| gone())?;
        let (answer, at) = tokio::select! {
            answer = self.answers.recv() => answer.ok_or_else(gone)?,
            status = self.child.wait() => {
                return Err(io::Error::other(format!("the function has ended: {}", status?)));
            }
            () = tokio::time::sleep(PATIENCE) => return Err(io::Error::other("the function does not answer")),
        };
        let json = |bytes: Bytes| serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let id = self.child.id().ok_or_else(gone)?;
        let (worked, logged) = (on_processor(id)?, self.log.metadata()?.len());
        Ok(Answer {
            answer: answer.map(json).map_err(json),
            took: at - began,
            worked: worked.saturating_sub(std::mem::replace(&mut self.worked, worked)),
            logged: logged - std::mem::replace(&mut self.logged, logged),
            peak_kib: peak_kib(id)?,
        })
    }
}

/// Answers what the runtime asks for.
async fn runtime_api(
    request: Request<Bytes>,
    coming: Arc<AsyncMutex<Receiver<Bytes>>>,
    answered: Sender<(Result<Bytes, Bytes>, Instant)>,
    number: Arc<Mutex<u64>>,
) -> Response<Bytes> {
    let at = Instant::now();
    let place = request.uri().path().to_owned();
    if place.ends_with("/invocation/next") {
        let Some(event) = coming.lock().await.recv().await else {
            return plain(StatusCode::GONE, "no more events");
        };
        let id = {
            let mut number = number.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            format!("00000000-0000-0000-0000-{:012}", *number)
        };
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", "4102444800000")
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:f",
            )
            .body(event);
        return response.unwrap_or_else(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()));
    }
    let body = request.into_body();
    let answer = if place.ends_with("/response") {
        Ok(body)
    } else {
        Err(body)
    };
    // Nobody waits any more.
    drop(answered.send((answer, at)).await);
    plain(StatusCode::ACCEPTED, "{}")
}

/// What the threads of a process had of processors (Linux's documentation, "Scheduler Statistics": the first number of
/// `schedstat` is nanoseconds).
fn on_processor(id: u32) -> io::Result<Duration> {
    let mut all = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanos = text
            .split_whitespace()
            .next()
            .and_then(|number| number.parse().ok());
        all += Duration::from_nanos(nanos.ok_or_else(|| io::Error::other("no time in schedstat"))?);
    }
    Ok(all)
}

/// The most memory that a process had (proc(5), `VmHWM`).
fn peak_kib(id: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("no VmHWM"))
}
