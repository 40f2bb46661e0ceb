//! The scaling decision: more tasks, fewer, or as many as now, and why.
//!
//! [`decide`] is pure, like the decision about sleep. It asks for more at the first minute above a range, or when
//! [connections](mod@connections) do, and for fewer only if all of them agree after a stable window, and then only
//! through tasks that nobody uses. What is unknown removes nothing; it does not keep anything from being added either.
//!
//! It is for awake groups. The caller does not ask it while a group wakes or falls asleep, and a decision to
//! scale in is the beginning of the scale-in protocol, which checks every candidate again.

pub mod bounds;
pub mod connections;
pub mod load;
pub mod notice;
pub mod reason;
pub mod record;
pub mod tasks;
pub mod turn;
pub mod watch;

pub(crate) mod changes;

mod level;
mod scale_in;
mod scale_out;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

use std::time::Duration;

use jiff::Timestamp;

use crate::settings::ServiceSettings;
use load::{History, Load};
use reason::Reason;

/// A utilization whose newest minute ended longer ago is unknown. CloudWatch usually shows a minute within 2
/// minutes of its end; our choice.
pub const FRESH: Duration = Duration::from_secs(3 * 60);
/// A utilization asks for more tasks again at the earliest this long after the last scale-out. Our choice: the
/// metrics have one minute each, so each minute is decided on once. They lag, so the next may still tell of the
/// time before the scale-out; that a decision at most doubles, and the maximum, bound what that costs.
pub const SCALE_OUT_COOLDOWN: Duration = Duration::from_secs(60);
/// Every utilization must be known and low for this long before a scale-in: the default of Kubernetes'
/// `--horizontal-pod-autoscaler-downscale-stabilization` (Kubernetes, "Horizontal Pod Autoscaling").
pub const STABLE_WINDOW: Duration = Duration::from_secs(5 * 60);
/// A scale-in is at the earliest this long after the last scale-out or scale-in, one that changed nothing included: the default `ScaleInCooldown` of
/// ECS services (Application Auto Scaling API reference, "TargetTrackingScalingPolicyConfiguration").
pub const SCALE_IN_COOLDOWN: Duration = Duration::from_secs(5 * 60);

/// What to do about the count of a service, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

/// What to do about the count of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Raise the desired count.
    ScaleOut {
        /// The desired count that was seen.
        from: u32,
        /// The one to set; more than `from`, at most the maximum.
        to: u32,
    },
    /// Begin a scale-in.
    ScaleIn {
        /// The desired count that was seen.
        from: u32,
        /// The one to reach if every candidate goes; less than `from`, at least the minimum.
        to: u32,
        /// The ids of the tasks that may go, in the order in which they were seen; at least one.
        candidates: Vec<String>,
    },
    /// Change nothing.
    Hold,
}

/// Decides about the count of one service that is awake, given its settings, what is seen of it and when it was
/// scaled last.
#[must_use]
pub fn decide(settings: &ServiceSettings, seen: &Load, memory: &History, now: Timestamp) -> Decision {
    let scaling = &settings.scaling;
    let from = seen.desired;
    let hold = |reason| Decision {
        action: Action::Hold,
        reason,
    };
    let Some(max) = scaling.max else {
        return hold(Reason::NotAutoscaled);
    };
    if from == 0 {
        return hold(Reason::Asleep);
    }
    let levels = level::of(scaling, seen, now);
    match scale_out::target(scaling.min, max, seen, &levels, memory, now) {
        Some(Ok((to, reason))) => Decision {
            action: Action::ScaleOut { from, to },
            reason,
        },
        Some(Err(obstacle)) => hold(obstacle),
        None => match scale_in::candidates(scaling, seen, &levels, memory, now) {
            Ok((candidates, reason)) => Decision {
                action: Action::ScaleIn {
                    from,
                    to: from - candidates.len() as u32,
                    candidates,
                },
                reason,
            },
            Err(obstacle) => hold(obstacle),
        },
    }
}
