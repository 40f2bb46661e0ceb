//! Whose door a request came through: what the wake function is told says only which target group.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::door::DoorId;
use super::place::{Asked, Place};
use crate::ids::GroupName;

/// A door that leads to the wake function, or did until a moment ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Which.
    pub door: DoorId,
    /// The group that sleeps behind it.
    pub group: GroupName,
    /// The target group of the wake function.
    pub wake: String,
    /// Where it is.
    pub place: Place,
    /// When that was decided.
    #[serde(default)]
    pub at: Timestamp,
    /// When it was led back to the app, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}

/// The door that a request came through which reached the wake function by this target group: of those that take it the
/// first in the order of rules. A target group belongs to one load balancer, and a port to one of its listeners, so there
/// is no other. A rule that was led back may have been used until a moment ago; of several words on one place the last one
/// that was not taken back counts.
#[must_use]
pub fn find<'a>(doors: &'a [Posted], wake: &str, asked: &Asked<'_>) -> Option<&'a Posted> {
    let here = doors
        .iter()
        .filter(|door| door.wake == wake && door.place.takes(asked));
    here.min_by_key(|door| {
        let priority = door.place.priority.unwrap_or(u32::MAX);
        (priority, door.left_at.is_some(), Reverse(door.at), &door.door)
    })
}
