//! Many groups: the tick of auto-sleep over a thousand of them and more, and what happens when all of them are woken at
//! once.

mod at_rest;
mod in_use;
mod mass_wake;
mod sharded;

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::ports::Stored;
use dormouse_testkit::event;
use futures_util::future::join_all;
use serde_json::json;

use crate::fleet::{Fleet, Invocation, MINUTE, Shape};
use crate::ports::Probes;

/// 1,000 groups of three services in one cluster, all asleep.
const THOUSAND: Shape = Shape {
    services: 3_000,
    together: 3,
    clusters: 1,
    tasks: 0,
    watched: false,
    probes: Probes::Adapter,
    tags: &[],
};

/// The function's timeout in `template.yaml`.
const TIMEOUT: Duration = Duration::from_secs(70);

impl Fleet {
    /// The schedule's event for auto-sleep.
    async fn tick(&self) -> Invocation {
        let event = event("eventbridge-scheduled.json");
        self.invocation(async |id| auto_sleep::handle(self, &self.config, event, id).await)
            .await
    }

    /// So many ticks, a minute apart, whether the one before has ended or not.
    async fn ticks(&self, minutes: u32) -> Vec<Invocation> {
        let begun = self.cloud.time.now();
        let tick = async |minute| {
            self.cloud.time.until(begun + minute * MINUTE).await;
            self.tick().await
        };
        let ticks = join_all((0..minutes).map(tick)).await;
        self.cloud.time.until(begun + minutes * MINUTE).await;
        ticks
    }

    /// A tick of a function that deals its groups to others, and the invocations that these are.
    async fn sharded_tick(&self, config: &Config) -> (Invocation, Vec<Invocation>) {
        let event = event("eventbridge-scheduled.json");
        let parent = self
            .invocation(async |id| auto_sleep::handle(self, config, event, id).await)
            .await;
        let parts = self.queue.take();
        let part = async |body: String| {
            let event = json!({"Records": [{"body": body}]});
            self.invocation(async |id| auto_sleep::handle(self, config, event, id).await)
                .await
        };
        (parent, join_all(parts.into_iter().map(part)).await)
    }

    /// What the table holds of a group.
    fn stored(&self, number: usize) -> Stored {
        let group = self.shape.group(number * self.shape.together);
        self.table.borrow().group(&group)
    }

    fn groups(&self) -> usize {
        self.shape.services.div_ceil(self.shape.together)
    }
}

/// Fails if a function took longer than it has, or has something to complain about.
fn assert_all_is_well(invocations: &[Invocation]) {
    for invocation in invocations {
        assert!(invocation.length() < TIMEOUT, "{:?}", invocation.length());
        for answer in invocation.answer["groups"].as_array().into_iter().flatten() {
            assert_eq!(answer["errors"], json!([]), "{answer}");
        }
    }
}

/// A line of figures.
fn lengths(invocations: &[Invocation]) -> Vec<f64> {
    let seconds = |invocation: &Invocation| (invocation.length().as_secs_f64() * 10.0).round() / 10.0;
    invocations.iter().map(seconds).collect()
}
