//! The plan of a scale-in: which tasks are to go, and what was done to which, so that all of it can be undone from any
//! point. It is saved before each thing is done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;
use crate::ports::TargetName;

/// ECS's clock and ours, and the time between a call and its effect, differ by less than this. Our choice.
const CLOCKS: Duration = Duration::from_secs(60);

/// What a scale-in is about to do, and has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Counts writes; 0 was never saved.
    pub version: u64,
    /// Name of the execution whose plan it is.
    pub execution: String,
    /// The tasks that are to go, by id.
    pub victims: BTreeMap<String, Vec<PlannedTarget>>,
    /// Tasks that were to go, but were found in use.
    pub spared: BTreeMap<String, Vec<PlannedTarget>>,
    /// Tasks that were protected by this scale-in.
    pub protected: BTreeSet<String>,
    /// Until when the app itself protected some of these; that was too short for us.
    #[serde(default)]
    pub app_until: BTreeMap<String, Timestamp>,
    /// When these protections expire, one moment for each time that some were set.
    pub expiries: BTreeSet<Timestamp>,
    /// When the victims were first taken out of their target groups, if they have any.
    pub deregistered_at: Option<Timestamp>,
    /// How long to wait after that: their targets drain.
    #[serde(with = "duration::text")]
    pub delay: Duration,
}

/// A target of a task, and its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTarget {
    /// ARN of the target group.
    pub group: String,
    /// The target.
    pub name: TargetName,
}

impl Plan {
    /// A plan by which nothing was done yet.
    #[must_use]
    pub fn new(execution: &str, victims: BTreeMap<String, Vec<PlannedTarget>>, delay: Duration) -> Self {
        Self {
            version: 0,
            execution: execution.to_owned(),
            victims,
            spared: BTreeMap::new(),
            protected: BTreeSet::new(),
            app_until: BTreeMap::new(),
            expiries: BTreeSet::new(),
            deregistered_at: None,
            delay,
        }
    }

    /// Whether a protection that expires at this moment was set by this scale-in, and not by the app.
    #[must_use]
    pub fn is_ours(&self, task: &str, until: Timestamp) -> bool {
        let near = |expiry: &Timestamp| {
            duration::between(*expiry, until) <= CLOCKS && duration::between(until, *expiry) <= CLOCKS
        };
        self.protected.contains(task) && self.expiries.iter().any(near)
    }

    /// Writes down that these tasks are about to be protected for whole minutes.
    pub fn will_protect(&mut self, tasks: &[String], minutes: u32, now: Timestamp) {
        self.protected.extend(tasks.iter().cloned());
        self.expiries
            .insert(duration::after(now, Duration::from_secs(u64::from(minutes) * 60)));
    }

    /// Lets these tasks stay.
    pub fn spare(&mut self, tasks: &[String]) {
        for task in tasks {
            if let Some(targets) = self.victims.remove(task) {
                self.spared.insert(task.clone(), targets);
            }
        }
    }

    /// When the victims have drained, counted from when they were first taken out.
    #[must_use]
    pub fn drained_at(&self, now: Timestamp) -> Timestamp {
        duration::after(self.deregistered_at.unwrap_or(now), self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn a_protection_is_ours_only_if_we_set_it_and_nobody_else_since() {
        let mut plan = Plan::new("e", BTreeMap::new(), Duration::from_secs(300));
        plan.will_protect(&["a".into()], 15, at(0));
        plan.will_protect(&["b".into()], 15, at(600));
        assert!(plan.is_ours("a", at(901)) && plan.is_ours("a", at(1500)));
        assert!(!plan.is_ours("a", at(7200)), "the app has protected it since");
        assert!(!plan.is_ours("c", at(900)), "it was the app alone");
    }
}
