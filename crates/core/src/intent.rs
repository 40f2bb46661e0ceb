//! What an event asks for.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Generation, ServiceId};

/// Through which door an intent came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A request to the wake address.
    Http,
    /// A direct call: console, CLI, another function or state machine.
    Direct,
    /// A job of a CodePipeline stage.
    Pipeline,
    /// A CloudWatch alarm.
    Alarm,
    /// Lines of a log group.
    Logs,
    /// An event of an EventBridge bus.
    Eventbridge,
    /// A task of the group changed its state.
    TaskState,
    /// The one-minute schedule.
    Tick,
    /// The sleep timer of a generation.
    SleepTimer,
    /// A group that wakes needs a service of it.
    Needed,
    /// A decision about scaling.
    Scaling,
    /// Somebody else changed the service: console, CloudFormation, Terraform.
    Outside,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Direct => "direct",
            Self::Pipeline => "pipeline",
            Self::Alarm => "alarm",
            Self::Logs => "logs",
            Self::Eventbridge => "eventbridge",
            Self::TaskState => "task-state",
            Self::Tick => "tick",
            Self::SleepTimer => "sleep-timer",
            Self::Needed => "needed",
            Self::Scaling => "scaling",
            Self::Outside => "outside",
        })
    }
}

/// What is asked of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wake, or count as use if it is awake.
    Wake(Wake),
    /// Each of these services was last used at this moment: count it, and wake if that was after it fell asleep.
    Activity(BTreeMap<ServiceId, Timestamp>),
    /// Sleep now, whatever the signals say.
    Sleep,
    /// Wake, and do not sleep before this moment.
    KeepAwake {
        /// End of the override.
        until: Timestamp,
    },
    /// Sleep now, and refuse wakes before this moment.
    KeepAsleep {
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

/// How a group is to wake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// Tasks wanted of each service of the group, this once; none: as tagged, else as before sleep, else 1.
    pub desired_count: Option<u32>,
    /// Whether services that run more tasks are lowered to `desired_count`.
    pub exact: bool,
    /// Idle time of this generation, in place of the one that the group is tagged with.
    pub idle_after: Option<Duration>,
}

impl Action {
    /// A wake as its owner set it up.
    #[must_use]
    pub fn wake() -> Self {
        Self::Wake(Wake::default())
    }
}

/// An action, the door through which it came, and who stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What is asked.
    pub action: Action,
    /// Through which door.
    pub cause: Cause,
    /// Who asks, as far as the door tells: a source address, a principal, the name of an alarm, pipeline or log group.
    pub by: Option<String>,
    /// How long whoever asks can wait for calls that others make too; none: as long as functions usually do.
    pub patience: Option<Duration>,
}

impl Intent {
    /// An intent of nobody in particular.
    #[must_use]
    pub fn of(action: Action, cause: Cause) -> Self {
        Self {
            action,
            cause,
            by: None,
            patience: None,
        }
    }

    /// The same of somebody who can wait for so long.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self {
            patience: Some(patience),
            ..self
        }
    }

    /// The same of somebody.
    #[must_use]
    pub fn by(self, who: Option<String>) -> Self {
        Self { by: who, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_says_who_waits_and_through_which_door_it_came() {
        let patience = Duration::from_secs(3);
        let intent = Intent::of(Action::Look, Cause::SleepTimer).patient_for(patience);
        assert_eq!(intent.patience, Some(patience));
        assert_eq!(intent.cause.to_string(), "sleep-timer");
    }
}
