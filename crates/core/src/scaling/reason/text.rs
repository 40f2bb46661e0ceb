//! The reasons as sentences.

use std::fmt;

use super::Reason;
use crate::duration;
use crate::scaling::STABLE_WINDOW;

/// A sentence for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = duration::format(STABLE_WINDOW);
        match self {
            Self::CpuAbove { percent, limit } => write!(f, "CPU at {percent} %, above {limit} %"),
            Self::MemoryAbove { percent, limit } => write!(f, "memory at {percent} %, above {limit} %"),
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
            Self::BelowForStableWindow { since } => {
                write!(f, "below its range since {since:.0}, for {window} at least")
            }
            Self::LowForStableWindow { total, needed } => {
                write!(
                    f,
                    "at most {total} connections in {window}: {needed} tasks are enough for them"
                )
            }
            Self::WithinRange => f.write_str("within its range"),
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
            Self::ConnectionsUnknown { why } => write!(f, "its connections are unknown: {why}"),
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
