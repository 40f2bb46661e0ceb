//! What the scaling decision looks at: one look at a service under load, and what is remembered of its scaling.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connections;
use crate::minutes::Point;

/// One look at a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Tasks that should run.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Whether a rollout is under way; where that is not known, true.
    pub rollout: bool,
    /// The service's average CPU utilization; not looked at unless the owner gave it a range.
    pub cpu: Metric,
    /// The service's average memory utilization; as above.
    pub memory: Metric,
    /// What its connections ask for; none unless the owner said so.
    pub connections: Option<connections::Decision>,
    /// Its tasks.
    pub tasks: Tasks,
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Its minutes in percent, oldest to newest. A minute that is not among them is unknown.
    Known(Vec<Point>),
    /// Nothing, and why.
    Unknown(String),
}

/// What is known of a service's tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tasks {
    /// Those that are not stopped, each once.
    Known(Vec<Task>),
    /// Nothing, and why.
    Unknown(String),
}

/// One task, as far as removing it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The last part of its ARN.
    pub id: String,
    /// Whether it runs: neither on its way in nor out.
    pub running: bool,
    /// Whether the app protects it from scale-in itself; where that is not known, true.
    pub protected: bool,
    /// Its live sessions.
    pub sessions: Sessions,
}

impl Task {
    /// Whether it may go: it runs, nobody uses it, and that is known.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.running && !self.protected && self.sessions == Sessions::Free
    }
}

/// What is known of a task's live sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// There are some.
    InUse,
    /// There are none.
    Free,
    /// Nothing is known, and why. Never taken for none.
    Unknown(String),
}

/// What is remembered between decisions: when one last changed the count, or tried to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The last scale-out.
    pub scaled_out_at: Option<Timestamp>,
    /// The last scale-in: the moment that the count was lowered, not that it was decided.
    pub scaled_in_at: Option<Timestamp>,
    /// The last end of a scale-in that changed nothing.
    pub gave_up_at: Option<Timestamp>,
}
