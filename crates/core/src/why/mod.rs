//! The why-log: each decision that changed something, and each first refusal of a kind, with who asked and what was
//! known. It is what answers "why did it do that?" long after the functions' logs were searched for.

mod change;
mod page;
mod turn;

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::front::{self, DoorId};
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::Cause;
use crate::reading::Signal;
use crate::record::Phase;

pub use page::{Cursor, Page, Row};
pub use turn::note;

/// How long entries are kept. Our choice: a month looks back over the last end of a month.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A decision and why it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was made.
    pub at: Timestamp,
    /// The group.
    pub group: GroupName,
    /// Its generation once it was made.
    pub generation: Generation,
    /// Through which door it was asked for.
    pub cause: Cause,
    /// Who asked, as far as the door tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What it changed.
    #[serde(flatten)]
    pub what: What,
    /// Stable code of why.
    pub reason: String,
    /// The same in a sentence.
    pub detail: String,
    /// The end of the override that keeps the group awake, or asleep, if this decision set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_until: Option<Timestamp>,
    /// The desired counts that it set, or would have set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Count>,
    /// What the signals said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Said>,
}

/// What a decision changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum What {
    /// The group's phase; if it stayed, its counts or its override.
    Phase {
        /// The phase before.
        from: Phase,
        /// The phase after.
        to: Phase,
    },
    /// The desired count of a service that scales.
    Count {
        /// The service.
        service: ServiceId,
        /// The count before.
        from: u32,
        /// The count after.
        to: u32,
    },
    /// Nothing, because the group is in observe mode: what it would have changed.
    Would {
        /// The phase that it stayed in.
        from: Phase,
        /// The phase that it would have entered.
        to: Phase,
    },
    /// Nothing by itself: somebody else changed a listener rule that was led to the wake function, or its listener.
    Rule {
        /// Its ARN, or that of the listener whose default action it is.
        rule: DoorId,
        /// What was done to it.
        change: front::What,
    },
    /// Nothing: a wake or a sleep was asked for, or due, and refused.
    Refused {
        /// The phase that it stayed in.
        phase: Phase,
    },
}

/// A desired count that was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of this service.
    pub service: ServiceId,
    /// The count before, if it was seen.
    pub from: Option<u32>,
    /// The count after.
    pub to: u32,
}

/// What a signal said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The signal.
    pub signal: Signal,
    /// Of this service.
    pub service: ServiceId,
    /// Its reading in words, with the numbers and moments in it.
    pub reading: String,
}
