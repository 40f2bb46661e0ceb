//! What end-to-end tests share: the local stack that `cargo xtask test` starts, and the ways into it.

mod api;
mod autoscaling;
mod balancer;
mod browser;
mod cli;
mod cloudwatch;
mod codepipeline;
mod eventbridge;
mod http;
mod lambda;
mod logs;
mod notices;
mod privileges;
mod programs;
mod service;
mod sessions;
mod sns;
mod sqs;
mod stack;
mod step_functions;
mod tags;
mod tasks;
mod updates;

pub use balancer::Balancer;
pub use browser::{Browser, Screen, Settings};
pub use cli::Run;
pub use cloudwatch::Metric;
pub use http::{Answer, Request};
pub use notices::Notices;
pub use service::Service;
pub use sqs::Message;
pub use stack::Stack;
pub use tasks::Task;
pub use updates::{Update, Updates};

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The stack's clock is this machine's.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests speak of the stack's real time")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Whether the stack's functions meet faults of AWS (`cargo xtask test --faults`). Then all takes longer, and a call whose
/// answer was lost is made again.
#[must_use]
pub fn faulty() -> bool {
    std::env::var_os("DORMOUSE_FAULTS").is_some()
}

/// How long to wait for what takes this long when nothing goes wrong.
fn patience(limit: Duration) -> Duration {
    if faulty() { 3 * limit } else { limit }
}

/// Waits until `look` gives something, and fails with `what` if it takes longer than `limit`.
///
/// # Panics
/// When the time is over: that is the test's failure.
pub async fn eventually<T, F, Fut>(what: &str, limit: Duration, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let (begun, limit) = (Instant::now(), patience(limit));
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            begun.elapsed() < limit,
            "not within {} s: {what}",
            limit.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until the status of `group` is as asked, and fails with what it is if that takes longer than `limit`.
///
/// # Panics
/// When the time is over: that is the test's failure.
pub async fn status_when<F>(stack: &Stack, group: &str, what: &str, limit: Duration, is: F) -> Value
where
    F: Fn(&Value) -> bool,
{
    let (begun, limit) = (Instant::now(), patience(limit));
    loop {
        let status = stack.status(group).await;
        if is(&status) {
            return status;
        }
        assert!(
            begun.elapsed() < limit,
            "not within {} s: {group} is {what}: {status}",
            limit.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
