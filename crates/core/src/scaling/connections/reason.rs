//! Why connections ask for more tasks, for fewer, or for neither.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::STABLE_WINDOW;
use crate::duration;

/// Why a decision by connections is what it is. Means are rounded up. A code that [`crate::scaling::reason::Reason`]
/// has too means the same there and carries the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    /// More tasks: the mean is above a step of `dormouse:steps`.
    StepAbove {
        /// Connections per task, at the count that the spike met.
        mean: u64,
        /// The step's mean.
        threshold: u32,
        /// The step's tasks. One decision may stop short of them.
        wanted: u32,
    },
    /// More tasks: the mean is above `dormouse:target`.
    TargetAbove {
        /// Connections of all tasks.
        total: u64,
        /// Connections that each should have at most.
        target: u32,
        /// Tasks that would have them. One decision may stop short of them.
        wanted: u32,
    },
    /// More tasks: there are fewer than the owner's minimum.
    BelowMinimum {
        /// The minimum.
        min: u32,
    },
    /// Fewer tasks: for the whole stable window fewer would have done.
    LowForStableWindow {
        /// Most connections within it.
        total: u64,
        /// Tasks that are enough for them.
        needed: u32,
    },
    /// Nothing to do: there are as many tasks as its connections need.
    Enough {
        /// Connections of all tasks.
        total: u64,
        /// Tasks that are enough for them.
        needed: u32,
    },
    /// Nothing to do: more tasks are needed than run, but they are on their way.
    EnoughOnTheirWay {
        /// Tasks that are needed.
        needed: u32,
        /// Tasks that should run.
        desired: u32,
        /// Tasks that run.
        running: u32,
    },
    /// No fewer tasks: fewer would do, but not yet for the whole stable window.
    NotStableYet {
        /// Since when they are known to do.
        since: Timestamp,
    },
    /// No fewer tasks: a reading of the last minute asked for a multiple of them.
    Panicking {
        /// Until when, if no other does.
        until: Timestamp,
    },
    /// Not yet: the last change of the count, or the last scale-in, is too recent.
    Cooldown {
        /// Until when.
        until: Timestamp,
    },
    /// No more tasks: it has its maximum.
    AtMaximum {
        /// The maximum.
        max: u32,
    },
    /// No fewer tasks: it has its minimum.
    AtMinimum {
        /// The minimum.
        min: u32,
    },
    /// No fewer tasks: a rollout is under way.
    RolloutUnderWay,
    /// No fewer tasks: some are on their way in or out.
    TasksOnTheirWay {
        /// Tasks that should run.
        desired: u32,
        /// Tasks that run.
        running: u32,
    },
    /// No fewer tasks: the owner does not want any removed while awake.
    ScaleInOff,
    /// No fewer tasks: its connections are unknown, or those of some task, which is never taken for few.
    ConnectionsUnknown {
        /// Why.
        why: String,
    },
    /// Nothing to scale: no task is wanted.
    Asleep,
}

impl Reason {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::StepAbove { .. } => "step-above",
            Self::TargetAbove { .. } => "target-above",
            Self::BelowMinimum { .. } => "below-minimum",
            Self::LowForStableWindow { .. } => "low-for-stable-window",
            Self::Enough { .. } => "enough",
            Self::EnoughOnTheirWay { .. } => "enough-on-their-way",
            Self::NotStableYet { .. } => "not-stable-yet",
            Self::Panicking { .. } => "panicking",
            Self::Cooldown { .. } => "cooldown",
            Self::AtMaximum { .. } => "at-maximum",
            Self::AtMinimum { .. } => "at-minimum",
            Self::RolloutUnderWay => "rollout-under-way",
            Self::TasksOnTheirWay { .. } => "tasks-on-their-way",
            Self::ScaleInOff => "scale-in-off",
            Self::ConnectionsUnknown { .. } => "connections-unknown",
            Self::Asleep => "asleep",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = duration::format(STABLE_WINDOW);
        match self {
            Self::StepAbove {
                mean,
                threshold,
                wanted,
            } => write!(
                f,
                "{mean} connections per task, above {threshold}: dormouse:steps wants {wanted} tasks"
            ),
            Self::TargetAbove {
                total,
                target,
                wanted,
            } => {
                write!(
                    f,
                    "{total} connections: with at most {target} per task they need {wanted} tasks"
                )
            }
            Self::BelowMinimum { min } => write!(f, "fewer tasks than dormouse:min, which is {min}"),
            Self::LowForStableWindow { total, needed } => {
                write!(
                    f,
                    "at most {total} connections in {window}: {needed} tasks are enough for them"
                )
            }
            Self::Enough { total, needed } => {
                write!(
                    f,
                    "as many tasks as its {total} connections need, which is {needed}"
                )
            }
            Self::EnoughOnTheirWay {
                needed,
                desired,
                running,
            } => write!(
                f,
                "its connections need {needed} tasks: {running} run, and {desired} will"
            ),
            Self::NotStableYet { since } => {
                write!(
                    f,
                    "fewer tasks would do only since {since:.0}, not for {window} yet"
                )
            }
            Self::Panicking { until } => {
                write!(
                    f,
                    "fewer tasks would do, but its load leapt: none is removed until {until:.0}"
                )
            }
            Self::Cooldown { until } => write!(
                f,
                "the last change of the count, or the last try, cools down until {until:.0}"
            ),
            Self::AtMaximum { max } => write!(f, "more tasks are needed, but dormouse:max is {max}"),
            Self::AtMinimum { min } => write!(f, "fewer tasks would do, but dormouse:min is {min}"),
            Self::RolloutUnderWay => f.write_str("fewer tasks would do, but a rollout is under way"),
            Self::TasksOnTheirWay { desired, running } => write!(
                f,
                "fewer tasks would do, but {running} run and {desired} should: some are on their way"
            ),
            Self::ScaleInOff => f.write_str("fewer tasks would do, but dormouse:scale-in is off"),
            Self::ConnectionsUnknown { why } => write!(f, "its connections are unknown: {why}"),
            Self::Asleep => f.write_str("no task is wanted"),
        }
    }
}

#[cfg(test)]
mod tests;
