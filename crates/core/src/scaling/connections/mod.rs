//! Scaling by connections: how many tasks a service should have, from readings taken every few seconds.
//!
//! [`decide`] is pure and rests on one quantity, the total of open connections. Adding a task lowers the mean per
//! task and not the total, so the total is what can be compared before and after a change:
//!
//! - It *needs* the fewest tasks over which its total asks for no more ([`Mode::needed`]). Fewer than that is a
//!   scale-out at the very next reading; more is a scale-in once the whole [`STABLE_WINDOW`] needed fewer, and only
//!   to as many as its busiest reading needed. So neither change makes the other due while the load stays.
//! - The mean is taken over the tasks that are *desired*, so tasks on their way are counted from the moment that they
//!   are asked for, and the same spike is answered once. That is the scale-out cooldown of AWS ("capacity added by the
//!   initiating scale-out activity is calculated as part of the desired capacity for the next scale-out activity":
//!   Application Auto Scaling API reference, "StepScalingPolicyConfiguration", `Cooldown`) with no timer, which would
//!   delay the answer to a higher spike. Only while one decision stops short of a leap is it the count that the leap
//!   met ([`Window`]).
//!
//! What is unknown removes nothing, and does not keep anything from being added either. The words stable window and
//! panic are Knative's (Knative Serving, "Additional autoscaling configuration for Knative Pod Autoscaler").
//!
//! It is for services that are awake: the caller begins with an empty [`Window`] after each wake.

pub mod mode;
pub mod reading;
pub mod sample;
pub mod steps;
pub mod target;
pub mod window;

mod scale_in;
mod scale_out;
mod stored;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

use std::time::Duration;

use jiff::Timestamp;

use super::STABLE_WINDOW;
use super::load::History;
use super::reason::Reason;
use crate::settings::ServiceSettings;
use mode::Mode;
use window::Window;

/// Panic ends when for so long no reading was above the threshold: Knative's default `stable-window`. A scale-in waits
/// for [`STABLE_WINDOW`], which is longer.
pub const PANIC_STABLE_WINDOW: Duration = Duration::from_secs(60);
/// An older reading adds no tasks: Knative's default panic window, `panic-window-percentage` 10 of the stable window.
/// Knative averages over it; here one reading is enough, because the mark to beat is 6 s from load to more tasks.
pub const PANIC_WINDOW: Duration = Duration::from_secs(6);
/// A reading that asks for this many times the desired count means panic: Knative's default
/// `panic-threshold-percentage` 200.
pub const PANIC_THRESHOLD: u32 = 2;
/// One decision at most multiplies the count by this (Knative's `max-scale-up-rate`, whose default of 1000 bounds
/// nothing), or adds [`MAX_SCALE_UP_TASKS`] if that is more: the default `scaleUp` of Kubernetes (API reference,
/// "HorizontalPodAutoscalerBehavior"). One wrong reading must not start a crowd. A spike loses nothing by it: the
/// next reading, 3 s later, takes the next step, and tasks take longer than that to start.
pub const MAX_SCALE_UP_RATE: u32 = 2;
/// See [`MAX_SCALE_UP_RATE`].
pub const MAX_SCALE_UP_TASKS: u32 = 4;
/// Readings that are further apart say nothing of the time between them. Five passes of 3 s, so that neither one lost
/// pass nor the change of invocations each minute begins the stable window anew; our choice.
pub const LONGEST_GAP: Duration = Duration::from_secs(15);
/// How many tasks a pass asks; of more tasks it asks a random sample ([`sample::sample_size`]). Our choice: the
/// error of the mean is then a tenth of the tasks' own spread at most, however many there are.
pub const SAMPLE_BOUND: u32 = 100;

/// What the owner wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Fewest tasks while awake; at least 1.
    pub min: u32,
    /// Most tasks.
    pub max: u32,
    /// Whether tasks may be removed while awake.
    pub scale_in: bool,
    /// What connections ask for.
    pub mode: Mode,
}

/// The tasks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that should run, with those that the last decision asked for.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Whether a rollout is under way; where that is not known, true.
    pub rollout: bool,
}

/// What connections ask for. A service with other settings too scales out if any of them asks for it, to the highest
/// count, and in only if all of them do, again to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Raise the desired count.
    ScaleOut {
        /// The count to set; more than desired, at most the maximum.
        to: u32,
    },
    /// Begin a scale-in. Which tasks may go is for its protocol.
    ScaleIn {
        /// The count to reach if enough tasks are free; fewer than desired, at least the minimum.
        to: u32,
    },
    /// Change nothing.
    Hold,
}

/// What connections ask for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub wish: Wish,
    /// Why.
    pub reason: Reason,
}

/// Decides about the count of one service that is awake. The window has had this pass recorded, known or not.
#[must_use]
pub fn decide(
    policy: &Policy,
    counts: Counts,
    window: &Window,
    history: &History,
    now: Timestamp,
) -> Decision {
    let decision = |wish, reason| Decision { wish, reason };
    if counts.desired == 0 {
        return decision(Wish::Hold, Reason::Asleep);
    }
    match scale_out::target(policy, counts, window, now) {
        Some(Ok((to, reason))) => decision(Wish::ScaleOut { to }, reason),
        Some(Err(obstacle)) => decision(Wish::Hold, obstacle),
        None => match scale_in::target(policy, counts, window, history, now) {
            Ok((to, reason)) => decision(Wish::ScaleIn { to }, reason),
            Err(obstacle) => decision(Wish::Hold, obstacle),
        },
    }
}

impl Policy {
    /// The policy of a service whose owner wants its connections to decide, which may have more than one count, and
    /// whose tasks say how many they have; none for others.
    #[must_use]
    pub fn of(settings: &ServiceSettings) -> Option<Self> {
        let scaling = &settings.scaling;
        settings.connections.as_ref()?;
        Some(Self {
            min: scaling.min,
            max: scaling.max?,
            scale_in: scaling.scale_in,
            mode: scaling.connections.clone()?,
        })
    }

    /// To have no task is sleep, which is not decided here.
    fn bounds(&self) -> (u32, u32) {
        let max = self.max.max(1);
        (self.min.clamp(1, max), max)
    }
}
