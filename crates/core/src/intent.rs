//! What an event asks for.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Generation;

/// Through which door an intent came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A request to the wake address.
    Http,
    /// A direct call: console, CLI, another function or state machine.
    Direct,
    /// The one-minute schedule.
    Tick,
    /// The sleep timer of a generation.
    SleepTimer,
    /// Somebody else changed the service: console, CloudFormation, Terraform.
    Outside,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Direct => "direct",
            Self::Tick => "tick",
            Self::SleepTimer => "sleep-timer",
            Self::Outside => "outside",
        })
    }
}

/// What is asked of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wake, or count as use if it is awake. `desired_count` replaces the wake count this once.
    Wake {
        /// Tasks wanted of each service of the group; none: as tagged, else as before sleep, else 1.
        desired_count: Option<u32>,
    },
    /// Sleep now, whatever the signals say.
    Sleep,
    /// Wake, and do not sleep before this moment.
    KeepAwake {
        /// End of the override.
        until: Timestamp,
    },
    /// Move a wake or a sleep under way on; never begin one.
    Look,
    /// Move on, and sleep if idle.
    Tick,
    /// As [`Action::Tick`], for one generation only.
    Timer {
        /// The generation that the timer was started for.
        generation: Generation,
    },
}

/// An action and the door through which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What is asked.
    pub action: Action,
    /// Who asks.
    pub cause: Cause,
}
