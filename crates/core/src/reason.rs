//! Why: the typed reasons that decisions, logs, the status and tests share.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;
use crate::ids::{Generation, GroupName, ServiceId};
use crate::reading::Signal;

/// Why a decision is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    /// The group was never looked at before.
    NeverSeen,
    /// Somebody asked for the group.
    WakeAsked,
    /// It was asleep, but tasks were found wanted: somebody else woke it.
    WokenOutside,
    /// Not woken: the activity was before it fell asleep.
    ActivityBeforeSleep {
        /// When.
        at: Timestamp,
    },
    /// A wake is under way and not all services are ready.
    StillWaking,
    /// All services are ready.
    BecameReady,
    /// It is awake already.
    AlreadyAwake,
    /// Somebody asked for sleep.
    SleepAsked,
    /// It was awake, but no task was wanted any more: somebody else put it to sleep.
    PutToSleepOutside,
    /// Every signal was quiet for the whole idle time.
    Idle {
        /// The idle time, in seconds.
        idle_after_seconds: u64,
    },
    /// The fixed time since the last wake is over.
    FixedTimeOver {
        /// The idle time, in seconds.
        idle_after_seconds: u64,
    },
    /// No service answered for the whole idle time, so nobody can be using it.
    NothingAnswers {
        /// How long nothing answered, in seconds.
        seconds: u64,
    },
    /// Somebody else changed counts of the group while it was awake.
    CountsChangedOutside,
    /// Counts are being set to 0.
    StillFallingAsleep,
    /// It is asleep already.
    AlreadyAsleep,
    /// The timer was made for an older generation.
    Superseded {
        /// The generation that is current.
        current: Generation,
    },
    /// Not asleep: somebody asked to keep it awake.
    KeptAwake {
        /// Until when.
        until: Timestamp,
    },
    /// Not woken: somebody asked to keep it asleep.
    KeptAsleep {
        /// Until when.
        until: Timestamp,
    },
    /// Not woken: its wakes over HTTP of this day are spent.
    WakeBudgetSpent {
        /// How many a day may have.
        limit: u32,
        /// The end of the day.
        until: Timestamp,
    },
    /// Awake: its hours say so.
    InHours {
        /// Until when; none: for ever.
        until: Option<Timestamp>,
    },
    /// Not asleep: a group that needs it is up.
    NeededBy {
        /// That group.
        group: GroupName,
    },
    /// Not asleep: a group that needed it fell asleep less than the idle time ago, and nothing else tells of its use.
    NeededRecently {
        /// That group.
        group: GroupName,
        /// Until when.
        until: Timestamp,
    },
    /// Not asleep: whether a group that needs it is up cannot be told.
    DependentUnknown {
        /// That group.
        group: GroupName,
        /// Why.
        why: String,
    },
    /// Not asleep: the minimum time awake is not over.
    Grace {
        /// Until when.
        until: Timestamp,
    },
    /// Not asleep: somebody asked for it less than the idle time ago.
    AskedRecently {
        /// Until when.
        until: Timestamp,
    },
    /// Not asleep: a rollout is under way.
    RolloutUnderWay {
        /// Of this service.
        service: ServiceId,
    },
    /// Not asleep: a signal shows use.
    InUse {
        /// The signal.
        signal: Signal,
        /// The service.
        service: ServiceId,
        /// Last use that is known of.
        at: Timestamp,
    },
    /// Not asleep: a signal is quiet, but not yet for the whole idle time.
    QuietTooShort {
        /// The signal.
        signal: Signal,
        /// The service.
        service: ServiceId,
        /// Since when it is quiet.
        since: Timestamp,
        /// Until when that is known.
        until: Timestamp,
    },
    /// Not asleep: a signal cannot be read, which is never taken for quiet.
    SignalUnknown {
        /// The signal.
        signal: Signal,
        /// The service.
        service: ServiceId,
        /// Why.
        why: String,
    },
    /// Not asleep: no signal is configured, and nobody chose the fixed timer.
    NoSignal,
    /// Nothing done: a service could not be looked at.
    Unobserved {
        /// The service.
        service: ServiceId,
        /// Why.
        why: String,
    },
    /// Falling asleep: its listener rules are being led to the wake function.
    LeadingAway,
    /// Not asleep: its listener rules could not be led to the wake function.
    FrontStuck {
        /// It is not tried again before.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// The group has no service left.
    NoServices,
}

impl Reason {
    /// Whether somebody put a group to sleep for it, by hand or behind our back.
    #[must_use]
    pub fn is_of_somebody(&self) -> bool {
        matches!(self, Self::SleepAsked | Self::PutToSleepOutside)
    }

    /// The stable code, as in JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeverSeen => "never-seen",
            Self::WakeAsked => "wake-asked",
            Self::WokenOutside => "woken-outside",
            Self::ActivityBeforeSleep { .. } => "activity-before-sleep",
            Self::StillWaking => "still-waking",
            Self::BecameReady => "became-ready",
            Self::AlreadyAwake => "already-awake",
            Self::SleepAsked => "sleep-asked",
            Self::PutToSleepOutside => "put-to-sleep-outside",
            Self::Idle { .. } => "idle",
            Self::FixedTimeOver { .. } => "fixed-time-over",
            Self::NothingAnswers { .. } => "nothing-answers",
            Self::CountsChangedOutside => "counts-changed-outside",
            Self::StillFallingAsleep => "still-falling-asleep",
            Self::AlreadyAsleep => "already-asleep",
            Self::Superseded { .. } => "superseded",
            Self::KeptAwake { .. } => "kept-awake",
            Self::KeptAsleep { .. } => "kept-asleep",
            Self::WakeBudgetSpent { .. } => "wake-budget-spent",
            Self::InHours { .. } => "in-hours",
            Self::NeededBy { .. } => "needed-by",
            Self::NeededRecently { .. } => "needed-recently",
            Self::DependentUnknown { .. } => "dependent-unknown",
            Self::Grace { .. } => "grace",
            Self::AskedRecently { .. } => "asked-recently",
            Self::RolloutUnderWay { .. } => "rollout-under-way",
            Self::InUse { .. } => "in-use",
            Self::QuietTooShort { .. } => "quiet-too-short",
            Self::SignalUnknown { .. } => "signal-unknown",
            Self::NoSignal => "no-signal",
            Self::Unobserved { .. } => "unobserved",
            Self::LeadingAway => "leading-away",
            Self::FrontStuck { .. } => "front-stuck",
            Self::NoServices => "no-services",
        }
    }

    /// Whether a wake or a sleep that was asked for, or due, did not come of it. Finding the group where it was to be, or
    /// on its way there, is no refusal.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::NeverSeen
                | Self::WakeAsked
                | Self::WokenOutside
                | Self::StillWaking
                | Self::BecameReady
                | Self::AlreadyAwake
                | Self::SleepAsked
                | Self::PutToSleepOutside
                | Self::Idle { .. }
                | Self::FixedTimeOver { .. }
                | Self::NothingAnswers { .. }
                | Self::CountsChangedOutside
                | Self::StillFallingAsleep
                | Self::LeadingAway
                | Self::AlreadyAsleep
                | Self::Superseded { .. }
                | Self::NoServices
        )
    }

    /// The code, with the signal that it is about, if it is about one: what a refusal is told by, once.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::InUse { signal, .. }
            | Self::QuietTooShort { signal, .. }
            | Self::SignalUnknown { signal, .. } => format!("{}:{signal}", self.code()),
            other => other.code().to_owned(),
        }
    }
}

/// A sentence for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = |seconds: &u64| duration::format(std::time::Duration::from_secs(*seconds));
        match self {
            Self::NeverSeen => f.write_str("never looked at before"),
            Self::WakeAsked => f.write_str("somebody asked for it"),
            Self::WokenOutside => f.write_str("somebody else asked ECS for tasks"),
            Self::ActivityBeforeSleep { at } => {
                write!(f, "its last activity, at {at:.0}, was before it fell asleep")
            }
            Self::StillWaking => f.write_str("not all services are ready yet"),
            Self::BecameReady => f.write_str("all services are ready"),
            Self::AlreadyAwake => f.write_str("awake already"),
            Self::SleepAsked => f.write_str("somebody asked for sleep"),
            Self::PutToSleepOutside => f.write_str("somebody else set all desired counts to 0"),
            Self::Idle { idle_after_seconds } => {
                write!(f, "every signal was quiet for {}", period(idle_after_seconds))
            }
            Self::FixedTimeOver { idle_after_seconds } => {
                write!(
                    f,
                    "{} have passed since the last wake",
                    period(idle_after_seconds)
                )
            }
            Self::NothingAnswers { seconds } => write!(f, "no service answered for {}", period(seconds)),
            Self::CountsChangedOutside => f.write_str("somebody else changed its desired counts"),
            Self::StillFallingAsleep => f.write_str("tasks are stopping"),
            Self::AlreadyAsleep => f.write_str("asleep already"),
            Self::Superseded { current } => write!(f, "the current generation is {current}"),
            Self::KeptAwake { until } => write!(f, "kept awake until {until:.0}"),
            Self::KeptAsleep { until } => write!(f, "kept asleep until {until:.0}"),
            Self::WakeBudgetSpent { limit, until } => write!(
                f,
                "it was woken over HTTP as often as it may be in a day ({limit}): not again before {until:.0}"
            ),
            Self::InHours { until: Some(until) } => write!(f, "its hours keep it awake until {until:.0}"),
            Self::InHours { until: None } => f.write_str("its hours keep it awake for ever"),
            Self::NeededBy { group } => write!(f, "group {group} needs it and is not asleep"),
            Self::NeededRecently { group, until } => {
                write!(
                    f,
                    "group {group} needed it; its idle time is not over before {until:.0}"
                )
            }
            Self::DependentUnknown { group, why } => {
                write!(
                    f,
                    "group {group} needs it, and whether that is asleep is unknown: {why}"
                )
            }
            Self::Grace { until } => write!(f, "minimum time awake until {until:.0}"),
            Self::AskedRecently { until } => write!(
                f,
                "somebody asked for it; its idle time is not over before {until:.0}"
            ),
            Self::RolloutUnderWay { service } => write!(f, "a rollout of {service} is under way"),
            Self::InUse { signal, service, at } => write!(f, "{signal} of {service}: use at {at:.0}"),
            Self::QuietTooShort {
                signal,
                service,
                since,
                ..
            } => {
                write!(f, "{signal} of {service}: quiet only since {since:.0}")
            }
            Self::SignalUnknown { signal, service, why } => {
                write!(f, "{signal} of {service}: unknown: {why}")
            }
            Self::NoSignal => f.write_str(
                "no signal tells whether it is used: add a load balancer, the tag dormouse:log-group or \
                 dormouse:connections, or dormouse:signals=none to sleep a fixed time after the last wake",
            ),
            Self::Unobserved { service, why } => write!(f, "{service} cannot be looked at: {why}"),
            Self::LeadingAway => f.write_str("its listener rules are being led to the wake function"),
            Self::FrontStuck { until, why } => write!(
                f,
                "its listener rules could not be led to the wake function, which is not tried again before {until:.0}: \
                 {why}"
            ),
            Self::NoServices => f.write_str("no service of the group can be managed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_in_json() {
        for reason in [
            Reason::WakeAsked,
            Reason::Idle {
                idle_after_seconds: 60,
            },
            Reason::Superseded {
                current: Generation(2),
            },
            Reason::PutToSleepOutside,
            Reason::NoSignal,
        ] {
            let json = serde_json::to_value(&reason).expect("JSON");
            assert_eq!(json["code"], reason.code());
        }
    }
}
