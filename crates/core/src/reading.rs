//! Signals and what they say.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A source of evidence of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Requests that the load balancer passed to the service's target groups.
    Requests,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
        })
    }
}

/// What a signal says now. `Unknown` is never zero: it puts nothing to sleep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// In use, last at this moment.
    Active(Timestamp),
    /// Unused from `since` to `until`. What happened after `until` is not known yet (metric lag), so
    /// only the time between the two counts as quiet.
    Quiet {
        /// Beginning of the quiet that is known of.
        since: Timestamp,
        /// End of what is known.
        until: Timestamp,
    },
    /// Nothing can be said, and why.
    Unknown(String),
}
