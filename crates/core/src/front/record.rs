//! What is remembered of doors that are led away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::door::{DoorId, What};
use super::forward::Forward;
use super::place::Place;
use crate::record::Failure;

/// What is remembered of a group's doors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontRecord {
    /// Those that are led away, or are on their way back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doors: BTreeMap<DoorId, Led>,
    /// A count that is on its way to 0 has landed by then: until then no door leads back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed_by: Option<Timestamp>,
    /// Why the last sleep came to nothing, until a sleep is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Stuck>,
}

impl FrontRecord {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.doors.is_empty() && self.stuck.is_none() && self.landed_by.is_none()
    }
}

/// A door that was led away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Led {
    /// Where it leads by its owner's wish.
    pub original: Forward,
    /// Where it was led last.
    pub set: Forward,
    /// The target group of the wake function.
    pub wake: String,
    /// The target groups of this group that it forwards to.
    #[serde(default)]
    pub ours: BTreeSet<String>,
    /// Where it is.
    pub place: Place,
    /// Where it led when it was led there.
    pub from: Forward,
    /// When it was led there; none: it was found so.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Since when it is known to lead there.
    #[serde(default)]
    pub arrived_at: Option<Timestamp>,
    /// When the wake function was last found to answer there, since it was led.
    #[serde(default)]
    pub proven_at: Option<Timestamp>,
    /// The place that the wake function knows it by, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted: Option<Place>,
    /// Why it could not be led, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Led {
    /// Brings what is remembered in line with where the door leads now. Tells what somebody else did, if anything.
    pub(crate) fn reconcile(&mut self, forward: &Forward, place: &Place, now: Timestamp) -> Option<What> {
        if self.place != *place {
            self.place = place.clone();
            self.proven_at = None;
        }
        if forward.is_as(&self.set) {
            self.arrived_at.get_or_insert(now);
            return None;
        }
        if self.arrived_at.is_none() && (forward.is_as(&self.from) || forward.is_as(&self.original)) {
            // What was decided is not done yet, or was never done.
            return None;
        }
        if forward.is_as(&self.original) {
            return Some(What::PutBack);
        }
        if !forward.leads_to_any(&self.ours) && !forward.leads_to(&self.wake) {
            return Some(What::LedElsewhere);
        }
        // What its owner would have now, had it not been led away.
        self.original = forward.back(&self.original, &self.ours, &self.wake);
        self.set = forward.clone();
        self.from = forward.clone();
        self.arrived_at = Some(now);
        Some(What::Changed)
    }
}

/// A sleep that came to nothing because the doors could not be led away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// It is not tried again before.
    pub until: Timestamp,
    /// Why, in a sentence.
    pub why: String,
}
