//! Scalable targets: what Application Auto Scaling may do to the count of a service, and what sleep takes of that.
//!
//! A service that its owner lets Application Auto Scaling scale is a scalable target. Sleep only suspends it: its bounds
//! stay as they are, and nothing scales the service up while it sleeps (Application Auto Scaling User Guide, "Suspend and
//! resume scaling": scaling policies and scheduled actions are kept, and do nothing). It never scales a count of 0 up by
//! the minimum alone: only policies, scheduled actions and RegisterScalableTarget itself do ("Application Auto Scaling
//! retrieves the current capacity of the resource. If it's below the minimum capacity or above the maximum capacity,
//! Application Auto Scaling adjusts the capacity of the scalable target to place it within these bounds, even if you
//! don't include the MinCapacity or MaxCapacity request parameters", API reference). So a target is suspended before the
//! count goes and resumed once the count is back, and never touched in between.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;
use crate::record::Command;

/// What a service's scalable target says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Fewest tasks that a policy scales in to.
    pub min: u32,
    /// Most tasks that a policy scales out to.
    pub max: u32,
    /// What is suspended.
    pub suspended: Suspended,
}

/// Which scaling activities are suspended (Application Auto Scaling API reference, SuspendedState).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// Policies take no tasks away.
    pub dynamic_in: bool,
    /// Policies add no tasks.
    pub dynamic_out: bool,
    /// Scheduled actions do nothing.
    pub scheduled: bool,
}

impl Suspended {
    /// Everything: what sleep asks for.
    pub const ALL: Self = Self {
        dynamic_in: true,
        dynamic_out: true,
        scheduled: true,
    };
}

impl Bounds {
    /// Whether nothing scales the service.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.suspended == Suspended::ALL
    }

    /// Whether minimum and maximum are the same.
    #[must_use]
    pub fn has_limits_of(&self, other: &Self) -> bool {
        (self.min, self.max) == (other.min, other.max)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "min {}, max {}", self.min, self.max)
    }
}

/// What sleep found before it suspended a target, until that is seen to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBounds {
    /// What to give back. Minimum and maximum are saved to tell whether somebody changed them; they are never set.
    pub bounds: Bounds,
    /// When the target was last told to be suspended, or found so, and the count told to go.
    pub suspended_at: Timestamp,
    /// When its state was last told to be given back.
    pub restored_at: Option<Timestamp>,
}

impl SavedBounds {
    /// As found, right before the target is suspended.
    #[must_use]
    pub fn of(bounds: Bounds, now: Timestamp) -> Self {
        Self {
            bounds,
            suspended_at: now,
            restored_at: None,
        }
    }

    /// Whether the call that gives it back may still be on its way. It has as much time as an UpdateService.
    #[must_use]
    pub fn is_being_restored(&self, now: Timestamp) -> bool {
        self.restored_at
            .is_some_and(|at| duration::between(at, now) < Command::LANDS_WITHIN)
    }

    /// Whether the calls of the sleep have landed or failed, if they may be this late.
    #[must_use]
    pub fn has_landed(&self, lateness: Duration, now: Timestamp) -> bool {
        duration::between(self.suspended_at, now) >= lateness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_and_compared_without_what_is_suspended() {
        let bounds = Bounds {
            min: 1,
            max: 4,
            suspended: Suspended::default(),
        };
        assert_eq!(bounds.to_string(), "min 1, max 4");
        let held = Bounds {
            suspended: Suspended::ALL,
            ..bounds
        };
        assert!(held.is_held() && !bounds.is_held());
        assert!(held.has_limits_of(&bounds));
        assert!(!Bounds { max: 5, ..bounds }.has_limits_of(&bounds));
    }

    #[test]
    fn a_call_that_gives_back_is_on_its_way_for_as_long_as_it_may_take() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |seconds: f64| duration::after(now, Duration::from_secs_f64(seconds));
        let bounds = Bounds {
            min: 1,
            max: 4,
            suspended: Suspended::default(),
        };
        let mut saved = SavedBounds::of(bounds, now);
        assert!(!saved.is_being_restored(now));
        saved.restored_at = Some(now);
        let lands = Command::LANDS_WITHIN.as_secs_f64();
        assert!(saved.is_being_restored(after(lands - 0.001)));
        assert!(!saved.is_being_restored(after(lands)));
        let lateness = Duration::from_secs(7);
        assert!(!saved.has_landed(lateness, after(6.999)) && saved.has_landed(lateness, after(7.0)));
    }
}
