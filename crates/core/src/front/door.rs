//! A door as it is now, and what somebody else did to it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::forward::Forward;
use super::place::Place;
use crate::error::Error;

/// The ARN of a rule, or of the listener whose default action is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DoorId(pub String);

impl fmt::Display for DoorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A door as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Where it leads.
    pub forward: Forward,
    /// Where it is.
    pub place: Place,
    /// The target group of the wake function that it can lead to, or why it cannot be led there.
    pub wake: Result<String, Error>,
}

/// What somebody else did to a door that was led away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoorChange {
    /// Which.
    pub door: DoorId,
    /// What.
    pub what: What,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It led to the app again, as its owner had made it: it was led away anew.
    PutBack,
    /// It was changed, and still leads to the app or to the wake function: what was changed is kept.
    Changed,
    /// It was changed and leads elsewhere: it is its owner's.
    LedElsewhere,
    /// It was removed.
    Removed,
}

impl fmt::Display for DoorChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::PutBack => "somebody put it back as it was; it leads to the wake function again",
            What::Changed => "somebody changed it; what was changed is kept",
            What::LedElsewhere => "somebody led it elsewhere; it is left alone",
            What::Removed => "somebody removed it",
        };
        write!(f, "{}: {what}", self.door)
    }
}
