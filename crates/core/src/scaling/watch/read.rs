//! Asking tasks for their connections.

use fastrand::Rng;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::service::Watched;
use super::tasks::Answers;
use crate::ports::ScalingWorld;

/// How many tasks are asked at once, of all services. A function may have 1,024 files open (AWS Lambda Developer Guide,
/// "Lambda quotas", "File descriptors"), and has other connections too.
const AT_ONCE: usize = 256;

/// Asks the tasks of all services: all of them, or a sample that is drawn anew. The answers are in the order of the
/// services.
pub(super) async fn ask<W: ScalingWorld>(world: &W, watched: &[Watched], now: Timestamp) -> Vec<Answers> {
    let mut random = Rng::with_seed(now.as_nanosecond() as u64);
    let mut asks = Vec::new();
    for (number, watched) in watched.iter().enumerate() {
        for task in watched.known.sample(&mut random) {
            asks.push(async move {
                let answer = world.connections(&watched.settings, &task).await;
                (number, (task.id, answer))
            });
        }
    }
    let none = |watched: &Watched| Answers {
        drawn_from: watched.known.count(),
        ..Answers::default()
    };
    let mut answers: Vec<Answers> = watched.iter().map(none).collect();
    let mut asked = stream::iter(asks).buffer_unordered(AT_ONCE);
    while let Some((number, answer)) = asked.next().await {
        answers[number].answers.push(answer);
    }
    answers
}
