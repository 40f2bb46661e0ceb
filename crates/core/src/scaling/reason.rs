//! Why a service scales or does not: the typed reasons that decisions, logs, the status and tests share.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::STABLE_WINDOW;
use crate::duration;

/// A utilization of a service, averaged over its tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Utilization {
    /// Of CPU.
    Cpu,
    /// Of memory.
    Memory,
}

impl Utilization {
    /// The name of its metric in CloudWatch (Amazon ECS Developer Guide, "Amazon ECS CloudWatch metrics").
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::Cpu => "CPUUtilization",
            Self::Memory => "MemoryUtilization",
        }
    }
}

impl fmt::Display for Utilization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
        })
    }
}

/// Why a scaling decision is what it is. Percents are rounded up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    /// More tasks: the CPU utilization is above its range.
    CpuAbove {
        /// The newest minute's percent.
        percent: u32,
        /// The high bound.
        limit: u32,
    },
    /// More tasks: the memory utilization is above its range.
    MemoryAbove {
        /// The newest minute's percent.
        percent: u32,
        /// The high bound.
        limit: u32,
    },
    /// More tasks: there are fewer than the owner's minimum.
    BelowMinimum {
        /// The minimum.
        min: u32,
    },
    /// Fewer tasks: every utilization was below its range for the whole stable window.
    BelowForStableWindow {
        /// Since when, at least.
        since: Timestamp,
    },
    /// Nothing to do: no utilization is above its range, and not all are below.
    WithinRange,
    /// No fewer tasks: every utilization is below its range, but not yet for the whole stable window.
    NotStableYet {
        /// Since when all are known to be.
        since: Timestamp,
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
    /// No fewer tasks: with one fewer, the others would leave the range at its upper end.
    TooBusyForFewer {
        /// Of what.
        utilization: Utilization,
        /// What the others would have to bear, in percent.
        percent: u32,
        /// The high bound.
        limit: u32,
    },
    /// No fewer tasks: none is known to be free.
    NoFreeTask {
        /// Tasks with live sessions.
        in_use: u32,
        /// Tasks without, that the app protects itself.
        protected: u32,
        /// Tasks whose sessions are unknown.
        unknown: u32,
    },
    /// No fewer tasks: a utilization is unknown, which is never taken for low.
    MetricsUnknown {
        /// Which.
        utilization: Utilization,
        /// Why.
        why: String,
    },
    /// No fewer tasks: it is not known which tasks there are.
    TasksUnknown {
        /// Why.
        why: String,
    },
    /// Not yet: a scale-in is under way.
    ScaleInUnderWay {
        /// Since when.
        since: Timestamp,
    },
    /// Not yet: an UpdateService may still be on its way, and nobody could tell which of two lands last.
    OnItsWay {
        /// The count that it sets.
        count: u32,
    },
    /// Fewer tasks: somebody started a scale-in by hand.
    Asked,
    /// Never scaled: the owner gave no maximum.
    NotAutoscaled,
    /// Kept between minimum and maximum only: the owner gave no range.
    NoMetric,
    /// Nothing to scale: no task is wanted.
    Asleep,
}

impl Reason {
    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CpuAbove { .. } => "cpu-above",
            Self::MemoryAbove { .. } => "memory-above",
            Self::BelowMinimum { .. } => "below-minimum",
            Self::BelowForStableWindow { .. } => "below-for-stable-window",
            Self::WithinRange => "within-range",
            Self::NotStableYet { .. } => "not-stable-yet",
            Self::Cooldown { .. } => "cooldown",
            Self::AtMaximum { .. } => "at-maximum",
            Self::AtMinimum { .. } => "at-minimum",
            Self::RolloutUnderWay => "rollout-under-way",
            Self::TasksOnTheirWay { .. } => "tasks-on-their-way",
            Self::ScaleInOff => "scale-in-off",
            Self::TooBusyForFewer { .. } => "too-busy-for-fewer",
            Self::NoFreeTask { .. } => "no-free-task",
            Self::MetricsUnknown { .. } => "metrics-unknown",
            Self::TasksUnknown { .. } => "tasks-unknown",
            Self::ScaleInUnderWay { .. } => "scale-in-under-way",
            Self::OnItsWay { .. } => "on-its-way",
            Self::Asked => "asked",
            Self::NotAutoscaled => "not-autoscaled",
            Self::NoMetric => "no-metric",
            Self::Asleep => "asleep",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = duration::format(STABLE_WINDOW);
        match self {
            Self::CpuAbove { percent, limit } => write!(f, "CPU at {percent} %, above {limit} %"),
            Self::MemoryAbove { percent, limit } => write!(f, "memory at {percent} %, above {limit} %"),
            Self::BelowMinimum { min } => write!(f, "fewer tasks than dormouse:min, which is {min}"),
            Self::BelowForStableWindow { since } => {
                write!(f, "below its range since {since:.0}, for {window} at least")
            }
            Self::WithinRange => f.write_str("within its range"),
            Self::NotStableYet { since } => {
                write!(f, "below its range only since {since:.0}, not for {window} yet")
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
            Self::TooBusyForFewer {
                utilization,
                percent,
                limit,
            } => write!(
                f,
                "one task fewer would bring {utilization} to {percent} %, and its limit is {limit} %"
            ),
            Self::NoFreeTask {
                in_use,
                protected,
                unknown,
            } => write!(
                f,
                "fewer tasks would do, but none is free: {in_use} with sessions, {protected} protected by the \
                 app, {unknown} unknown"
            ),
            Self::MetricsUnknown { utilization, why } => write!(f, "{utilization} is unknown: {why}"),
            Self::TasksUnknown { why } => {
                write!(f, "fewer tasks would do, but the tasks are unknown: {why}")
            }
            Self::ScaleInUnderWay { since } => write!(f, "a scale-in is under way since {since:.0}"),
            Self::OnItsWay { count } => write!(f, "a change to {count} is still on its way"),
            Self::Asked => f.write_str("somebody asked for it"),
            Self::NotAutoscaled => f.write_str("not autoscaled: it has no tag dormouse:max"),
            Self::NoMetric => f.write_str(
                "nothing tells its load: add the tag dormouse:cpu or dormouse:memory, such as 30-70",
            ),
            Self::Asleep => f.write_str("no task is wanted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_in_json_and_the_sentence_says_the_numbers() {
        let at = Timestamp::UNIX_EPOCH;
        for (reason, said) in [
            (
                Reason::CpuAbove {
                    percent: 91,
                    limit: 70,
                },
                "91 %, above 70 %",
            ),
            (
                Reason::MemoryAbove {
                    percent: 91,
                    limit: 70,
                },
                "91 %, above 70 %",
            ),
            (Reason::BelowMinimum { min: 2 }, "which is 2"),
            (
                Reason::BelowForStableWindow { since: at },
                "since 1970-01-01T00:00:00Z, for 5m",
            ),
            (Reason::WithinRange, "within"),
            (
                Reason::NotStableYet { since: at },
                "only since 1970-01-01T00:00:00Z",
            ),
            (Reason::Cooldown { until: at }, "until 1970-01-01T00:00:00Z"),
            (Reason::AtMaximum { max: 4 }, "dormouse:max is 4"),
            (Reason::AtMinimum { min: 2 }, "dormouse:min is 2"),
            (Reason::RolloutUnderWay, "rollout"),
            (
                Reason::TasksOnTheirWay {
                    desired: 4,
                    running: 3,
                },
                "3 run and 4 should",
            ),
            (Reason::ScaleInOff, "dormouse:scale-in is off"),
            (
                Reason::TooBusyForFewer {
                    utilization: Utilization::Memory,
                    percent: 80,
                    limit: 70,
                },
                "bring memory to 80 %",
            ),
            (
                Reason::NoFreeTask {
                    in_use: 2,
                    protected: 1,
                    unknown: 3,
                },
                "2 with sessions",
            ),
            (
                Reason::MetricsUnknown {
                    utilization: Utilization::Cpu,
                    why: "throttled".into(),
                },
                "CPU is unknown: throttled",
            ),
            (
                Reason::TasksUnknown {
                    why: "throttled".into(),
                },
                "unknown: throttled",
            ),
            (
                Reason::ScaleInUnderWay { since: at },
                "since 1970-01-01T00:00:00Z",
            ),
            (Reason::OnItsWay { count: 4 }, "change to 4"),
            (Reason::Asked, "asked"),
            (Reason::NotAutoscaled, "dormouse:max"),
            (Reason::NoMetric, "dormouse:cpu"),
            (Reason::Asleep, "no task"),
        ] {
            let json = serde_json::to_value(&reason).expect("JSON");
            assert_eq!(json["code"], reason.code());
            assert!(reason.to_string().contains(said), "{reason}");
        }
    }
}
