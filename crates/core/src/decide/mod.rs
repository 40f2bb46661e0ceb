//! The one decision: what to do about a group now, and why.
//!
//! [`decide`] is pure: same inputs, same decision. It is level-triggered: it compares what is with what
//! should be, so a lost event, a crash between two steps, a duplicate or a reordered message is healed by
//! the next look.

mod activity;
mod bounds;
mod drift;
mod evidence;
mod hours;
mod needs;
mod observe;
mod overrides;
mod sleep;
mod wake;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

pub(crate) use evidence::signals_of;
pub(crate) use hours::was_put_to_sleep_in_hours;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::duration;
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::{Action, Cause, Intent};
use crate::observation::{Observation, Seen, ServiceState};
use crate::readiness::{self, Readiness};
use crate::reading::Signal;
use crate::reason::Reason;
use crate::record::{Command, Phase, Record, ServiceRecord, Would};
use crate::scalable::Suspended;
use crate::settings::{GroupSettings, Mode, ServiceSettings, Signals};

/// An UpdateService that shows no effect is repeated after this long, well below the one-minute tick. Our choice.
pub const REISSUE_AFTER: Duration = Command::LANDS_WITHIN;
/// An UpdateService that failed is tried again after this long. Our choice: five tries a minute at most.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);
/// A repeated wake of an awake group is written down at most this often, whoever reloads the page.
pub const RENEW_EVERY: Duration = Duration::from_secs(15);
/// For this long after a wake, a count of 0 is taken for a late sleep of ours and raised again; later for the
/// wish of somebody else. Twice the longest run of a function.
pub const LATE_SLEEP: Duration = Duration::from_secs(120);

/// From one tick to the next.
pub(crate) const NEXT_TICK: Duration = Duration::from_secs(60);

/// What to do now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The next record, not saved yet; its version is still that of the record it was made from.
    pub record: Record,
    /// What to do once it is saved.
    pub effects: Vec<Effect>,
    /// Why.
    pub reason: Reason,
    /// Counts of an awake group that somebody else has changed since the last look. They are respected.
    pub drift: Vec<Drift>,
    /// What would be done if the group were not in observe mode, since when it would be.
    pub would: Option<Would>,
    /// Whether the intent came from a timer of an older generation.
    pub superseded: bool,
    /// Whether to ask for [`Observation::bounds`] and to decide again with them, instead of carrying this out.
    pub wants_bounds: bool,
    /// When the next look is due, if any is.
    pub look_again: Option<Timestamp>,
}

impl Decision {
    /// Whether anything is done to services or other groups.
    #[must_use]
    pub fn acts(&self) -> bool {
        let timer = |effect: &Effect| effect.subject() == Subject::Timer;
        !self.effects.iter().all(timer)
    }

    /// How many counts are set to something, and how many to 0.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        let (mut raised, mut lowered) = (0, 0);
        for effect in &self.effects {
            match effect {
                Effect::SetDesired { count: 0, .. } => lowered += 1,
                Effect::SetDesired { .. } => raised += 1,
                Effect::Suspend { .. } | Effect::StartTimer { .. } | Effect::WakeGroup { .. } => {}
            }
        }
        (raised, lowered)
    }

    /// The same without what changes services, which is left to a look at this moment.
    #[must_use]
    pub fn deferred(mut self, before: &Record, look_again: Timestamp) -> Self {
        for effect in &self.effects {
            if let Subject::Service(service) = effect.subject() {
                let before = before.services.get(service);
                let record = self.record.service(service);
                record.command = before.and_then(|service| service.command);
                record.bounds = before.and_then(|service| service.bounds);
            }
        }
        self.effects
            .retain(|effect| !matches!(effect.subject(), Subject::Service(_)));
        self.look_again = Some(look_again);
        self
    }
}

/// A change to the outside. Every one is idempotent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Set the desired count of a service.
    SetDesired {
        /// Which service.
        service: ServiceId,
        /// The count.
        count: u32,
    },
    /// Set what is suspended of a service's scalable target.
    Suspend {
        /// Which service.
        service: ServiceId,
        /// What is to be suspended; all else is resumed.
        suspended: Suspended,
    },
    /// Start the sleep timer of a generation.
    StartTimer {
        /// The generation that has just begun.
        generation: Generation,
        /// When the generation began.
        woken_at: Timestamp,
        /// When it should look first.
        at: Timestamp,
    },
    /// Wake a group that this one needs, or count this as use if it is awake.
    WakeGroup {
        /// Which group.
        group: GroupName,
    },
}

/// What an effect changes. Effects on the same thing follow each other, all others are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject<'a> {
    /// The group's own sleep timer.
    Timer,
    /// Another group.
    Group(&'a GroupName),
    /// A service of the group.
    Service(&'a ServiceId),
}

impl Effect {
    /// What it changes.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::SetDesired { service, .. } | Self::Suspend { service, .. } => Subject::Service(service),
            Self::StartTimer { .. } => Subject::Timer,
            Self::WakeGroup { group } => Subject::Group(group),
        }
    }
}

/// A count that somebody else changed: console, CloudFormation, Terraform, or the service's own Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The service.
    pub service: ServiceId,
    /// The desired count before.
    pub from: u32,
    /// The desired count now.
    pub to: u32,
}

/// A decision in the making: the inputs that stay, and the parts that grow.
struct Draft<'a> {
    group: &'a GroupSettings,
    seen: &'a Observation,
    intent: &'a Intent,
    now: Timestamp,
    record: Record,
    effects: Vec<Effect>,
    drift: Vec<Drift>,
    wants_bounds: bool,
}

/// Decides what to do about a group, given what is remembered, seen and asked.
#[must_use]
pub fn decide(
    group: &GroupSettings,
    record: &Record,
    seen: &Observation,
    intent: &Intent,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(group, record, seen, intent, now);
    let superseded = draft.is_superseded();
    let reason = match record.generation {
        current if superseded => Reason::Superseded { current },
        _ if group.services.is_empty() => Reason::NoServices,
        _ => draft.run(),
    };
    let look_again = if superseded {
        None
    } else {
        draft.look_again(&reason)
    };
    let mut decision = Decision {
        record: draft.record,
        effects: draft.effects,
        reason,
        drift: draft.drift,
        would: None,
        superseded,
        wants_bounds: draft.wants_bounds,
        look_again,
    };
    match group.mode() {
        Mode::Act => {
            decision.record.would = None;
            decision
        }
        Mode::Observe => decision.observed(record, now),
    }
}

/// Whether the group must be looked at before [`decide`]. Use that a log shows is only written down while nothing
/// sleeps, so that a busy log costs no look; nor does a scheduled tick look at what is [at rest](is_at_rest).
#[must_use]
pub fn needs_look(group: &GroupSettings, record: &Record, intent: &Intent, now: Timestamp) -> bool {
    match intent.action {
        Action::Activity(_) => !matches!(record.phase, Phase::Awake | Phase::Waking),
        Action::Tick if intent.cause == Cause::Tick => !is_at_rest(group, record, now),
        _ => true,
    }
}

/// Whether the record and the clock alone say that a tick changes nothing: a group that sleeps outside of its hours, or
/// that something keeps awake which needs no look.
#[must_use]
pub fn is_at_rest(group: &GroupSettings, record: &Record, now: Timestamp) -> bool {
    let (seen, intent) = (Observation::default(), Intent::of(Action::Tick, Cause::Tick));
    let draft = Draft::new(group, record, &seen, &intent, now);
    let unfinished = |service: &ServiceRecord| service.failure.is_some() || service.bounds.is_some();
    let open = record.phase == Phase::Awake && record.services.values().any(unfinished);
    let known = record.version > 0 && !open && record.would.is_none();
    let follows = group.services.iter().any(reads_moments) || !group.needed_groups().is_empty();
    known
        && match record.phase {
            Phase::Asleep => draft.woken_by_hours().is_none(),
            Phase::Awake => draft.kept_awake().is_some() && !follows && !draft.may_still_fall(),
            Phase::Waking | Phase::FallingAsleep => false,
        }
}

/// A signal that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The service.
    pub service: &'a ServiceSettings,
    /// Its state.
    pub state: &'a ServiceState,
    /// What is asked.
    pub signal: Signal,
}

/// The readings that [`decide`] still needs: none unless sleep is a question now, and those that cost money only once
/// all others are quiet. To be called again with the answers until it asks no more.
#[must_use]
pub fn wanted_readings<'a>(
    group: &'a GroupSettings,
    record: &Record,
    seen: &'a Observation,
    intent: &'a Intent,
    now: Timestamp,
) -> Vec<Question<'a>> {
    let mut draft = Draft::new(group, record, seen, intent, now);
    if draft.is_superseded() || group.services.is_empty() {
        return Vec::new();
    }
    draft.adopt_drift();
    draft.note_quiet();
    draft.questions()
}

/// The idle time that holds now: that of this generation's wake, else the group's.
#[must_use]
pub fn idle_after(group: &GroupSettings, record: &Record) -> Duration {
    record.idle_after.unwrap_or_else(|| group.idle_after())
}

impl<'a> Draft<'a> {
    fn new(
        group: &'a GroupSettings,
        record: &Record,
        seen: &'a Observation,
        intent: &'a Intent,
        now: Timestamp,
    ) -> Self {
        Self {
            group,
            seen,
            intent,
            now,
            record: record.clone(),
            effects: Vec::new(),
            drift: Vec::new(),
            wants_bounds: false,
        }
    }

    /// Whether the group is asleep or about to be.
    fn sleeps(&self) -> bool {
        matches!(self.record.phase, Phase::Asleep | Phase::FallingAsleep)
    }

    /// Whether the intent comes from the timer of another generation.
    fn is_superseded(&self) -> bool {
        matches!(self.intent.action, Action::Timer { generation } if generation != self.record.generation)
    }

    fn run(&mut self) -> Reason {
        let intent = self.intent;
        if intent.action != Action::Look {
            self.adopt_drift();
        }
        self.remember_target_groups();
        self.note_quiet();
        let asked = match &intent.action {
            Action::Wake(wake) => Some(self.ask_for_wake(wake)),
            Action::Activity(services) => Some(self.note_activity(services)),
            Action::KeepAwake { until } => Some(self.keep_awake(*until)),
            Action::Sleep => Some(self.ask_for_sleep()),
            Action::KeepAsleep { until } => Some(self.keep_asleep(*until)),
            Action::Tick => self.keep_hours(),
            Action::Look | Action::Timer { .. } => None,
        };
        let moved = match self.record.phase {
            Phase::Waking => self.drive_wake(),
            Phase::Awake => self.watch(),
            Phase::FallingAsleep => self.drive_sleep(),
            Phase::Asleep => Reason::AlreadyAsleep,
        };
        self.give_back_bounds();
        asked.unwrap_or(moved)
    }

    /// The states that are known, with their settings.
    fn known(&self) -> impl Iterator<Item = (&'a ServiceSettings, &'a ServiceState)> + use<'a> {
        let seen = self.seen;
        self.group
            .services
            .iter()
            .filter_map(|settings| match seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => Some((settings, state)),
                Some(Seen::Unknown(_)) | None => None,
            })
    }

    /// The first service that could not be looked at, deleted ones aside.
    fn unobserved(&self) -> Option<Reason> {
        self.group.services.iter().find_map(|settings| {
            let why = match self.seen.services.get(&settings.id) {
                Some(Seen::Known(_)) => return None,
                Some(Seen::Unknown(error)) if error.code.is_gone() => return None,
                Some(Seen::Unknown(error)) => error.to_string(),
                None => "it was not looked at".to_owned(),
            };
            Some(Reason::Unobserved {
                service: settings.id.clone(),
                why,
            })
        })
    }

    /// Whether a service of the group answers; `None` if that cannot be told.
    fn answers(&self) -> Option<bool> {
        let mut all_known = true;
        for settings in &self.group.services {
            match self.seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => match readiness::of_service(state) {
                    Readiness::Ready => return Some(true),
                    Readiness::NotReady(_) => {}
                    Readiness::Unknown(_) => all_known = false,
                },
                Some(Seen::Unknown(error)) if error.code.is_gone() => {}
                Some(Seen::Unknown(_)) | None => all_known = false,
            }
        }
        all_known.then_some(false)
    }

    fn idle_after(&self) -> Duration {
        idle_after(self.group, &self.record)
    }

    /// Remembers through which target groups an alarm finds this group.
    fn remember_target_groups(&mut self) {
        let seen = self.seen;
        for settings in &self.group.services {
            if let Some(Seen::Known(state)) = seen.services.get(&settings.id)
                && self.target_groups_of(&settings.id) != state.target_groups
            {
                self.record.service(&settings.id).target_groups = state.target_groups.clone();
            }
        }
    }

    fn target_groups_of(&self, service: &ServiceId) -> &[String] {
        self.record
            .services
            .get(service)
            .map_or(&[], |record| &record.target_groups)
    }

    /// Commands a desired count, unless the same was commanded or failed a moment ago.
    fn command(&mut self, service: &ServiceId, count: u32) {
        let now = self.now;
        let record = self.record.service(service);
        if may_command(record, count, now) {
            record.command = Some(Command { count, at: now });
            self.effects.push(Effect::SetDesired {
                service: service.clone(),
                count,
            });
        }
    }

    /// When the next look is due.
    fn look_again(&self, reason: &Reason) -> Option<Timestamp> {
        let idle_after = self.idle_after();
        let soon = self.soon();
        let due = match self.record.phase {
            Phase::Asleep => return None,
            Phase::FallingAsleep => soon,
            Phase::Waking if self.commands_outstanding() => soon,
            Phase::Waking => self
                .first_sleep_moment()
                .max(duration::after(self.now, Duration::from_secs(30))),
            Phase::Awake => match reason {
                Reason::KeptAwake { until }
                | Reason::Grace { until }
                | Reason::AskedRecently { until }
                | Reason::NeededRecently { until, .. }
                | Reason::InHours { until: Some(until) } => *until,
                Reason::InUse { at, .. } => duration::after(*at, idle_after),
                Reason::QuietTooShort { since, until, .. } => {
                    let left = idle_after.saturating_sub(duration::between(*since, *until));
                    duration::after(self.now, left)
                }
                // Every tick finds out whether somebody still needs it.
                Reason::NoSignal | Reason::NeededBy { .. } => {
                    duration::after(self.now, Duration::from_secs(3600))
                }
                _ => self
                    .first_sleep_moment()
                    .max(duration::after(self.now, Duration::from_secs(60))),
            },
        };
        Some(due.max(soon))
    }

    fn soon(&self) -> Timestamp {
        duration::after(self.now, Duration::from_secs(5))
    }

    fn commands_outstanding(&self) -> bool {
        self.known().any(|(settings, state)| {
            let record = self.record.services.get(&settings.id);
            state.desired < record.and_then(|r| r.wanted).unwrap_or(1)
        })
    }
}

fn may_command(record: &ServiceRecord, count: u32, now: Timestamp) -> bool {
    let failed_just_now = record
        .failure
        .as_ref()
        .is_some_and(|failure| duration::between(failure.at, now) < RETRY_AFTER);
    let said_just_now = record.failure.is_none()
        && record
            .command
            .is_some_and(|last| last.count == count && duration::between(last.at, now) < REISSUE_AFTER);
    !failed_just_now && !said_just_now
}

/// Whether a service has a signal that tells only of the moment, so that each tick must read it.
fn reads_moments(settings: &ServiceSettings) -> bool {
    match &settings.signals {
        Signals::FixedTimer => false,
        Signals::Listed(signals) => signals.iter().any(|signal| signal.is_momentary()),
        Signals::Configured => settings.connections.is_some(),
    }
}
