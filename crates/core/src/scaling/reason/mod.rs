//! Why a service scales or does not: the typed reasons that decisions, logs, the status and tests share.

mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// Why a scaling decision is what it is. Percents and means are rounded up.
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
    /// Fewer tasks: every utilization was below its range for the whole stable window.
    BelowForStableWindow {
        /// Since when, at least.
        since: Timestamp,
    },
    /// Fewer tasks: for the whole stable window fewer would have done.
    LowForStableWindow {
        /// Most connections within it.
        total: u64,
        /// Tasks that are enough for them.
        needed: u32,
    },
    /// Nothing to do: no utilization is above its range, and not all are below.
    WithinRange,
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
    /// No fewer tasks: its connections are unknown, or those of some task, which is never taken for few.
    ConnectionsUnknown {
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
            Self::StepAbove { .. } => "step-above",
            Self::TargetAbove { .. } => "target-above",
            Self::BelowMinimum { .. } => "below-minimum",
            Self::BelowForStableWindow { .. } => "below-for-stable-window",
            Self::LowForStableWindow { .. } => "low-for-stable-window",
            Self::WithinRange => "within-range",
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
            Self::TooBusyForFewer { .. } => "too-busy-for-fewer",
            Self::NoFreeTask { .. } => "no-free-task",
            Self::MetricsUnknown { .. } => "metrics-unknown",
            Self::ConnectionsUnknown { .. } => "connections-unknown",
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
