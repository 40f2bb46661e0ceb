//! The one decision: what to do about a group now, and why.
//!
//! [`decide`] is pure: same inputs, same decision. It is level-triggered: it compares what is with what
//! should be, so a lost event, a crash between two steps, a duplicate or a reordered message is healed by
//! the next look.

mod activity;
mod answers;
mod bounds;
mod budget;
mod decision;
mod drift;
mod evidence;
mod front;
mod hours;
mod learn;
mod needs;
mod observe;
mod overrides;
mod rest;
mod sleep;
mod wake;

#[cfg(test)]
mod front_interleavings;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

pub use decision::{Decision, Drift, Effect, Lead, Subject, Wants};
pub(crate) use evidence::signals_of;
pub use front::{LEADS_WITHIN, SETTLES_IN};
pub(crate) use hours::was_put_to_sleep_in_hours;
pub use rest::{is_at_rest, needs_look, watches_front};

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::error::Error;
use crate::front::DoorChange;
use crate::ids::ServiceId;
use crate::intent::{Action, Intent};
use crate::observation::{Observation, Seen, ServiceState};
use crate::reading::Signal;
use crate::reason::Reason;
use crate::record::{Command, Phase, Record, ServiceRecord};
use crate::settings::{GroupSettings, Mode, ServiceSettings};

/// An UpdateService that shows no effect is repeated after this long, well below the one-minute tick. Our choice.
pub const REISSUE_AFTER: Duration = Command::LANDS_WITHIN;
/// An UpdateService that failed is tried again after this long. Our choice: five tries a minute at most.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);
/// A repeated wake of an awake group is written down at most this often, whoever reloads the page.
pub const RENEW_EVERY: Duration = Duration::from_secs(15);
/// For this long after a wake, a count of 0 is taken for a late sleep of ours and raised again; later for the
/// wish of somebody else. Far longer than a call with all its attempts lasts, which follows its record at once.
pub const LATE_SLEEP: Duration = Duration::from_secs(120);

/// From one tick to the next.
pub(crate) const NEXT_TICK: Duration = Duration::from_secs(60);

/// A decision in the making: the inputs that stay, and the parts that grow.
struct Draft<'a> {
    group: &'a GroupSettings,
    seen: &'a Observation,
    intent: &'a Intent,
    now: Timestamp,
    record: Record,
    effects: Vec<Effect>,
    drift: Vec<Drift>,
    door_changes: Vec<DoorChange>,
    front_error: Option<Error>,
    wants: Wants,
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
        _ if group.services.is_empty() => {
            draft.release_front();
            Reason::NoServices
        }
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
        door_changes: draft.door_changes,
        front_error: draft.front_error,
        wants: draft.wants,
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
            door_changes: Vec::new(),
            front_error: None,
            wants: Wants::default(),
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
            Phase::Asleep => {
                self.watch_front();
                Reason::AlreadyAsleep
            }
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

    /// The first service whose count was changed a moment ago, which ECS does not show yet: nobody knows what a sleep
    /// would take.
    fn unsettled(&self) -> Option<Reason> {
        self.known().find_map(|(settings, state)| {
            let record = self.record.services.get(&settings.id)?;
            let commanded = record
                .command
                .filter(|command| command.is_on_its_way(state.desired, self.now));
            let claim = record.scaling.claim.as_ref();
            let lowered = claim.and_then(|claim| claim.lowering_on_its_way(state.desired, self.now));
            let to = lowered
                .map(|lowering| lowering.to)
                .or(commanded.map(|command| command.count))?;
            Some(Reason::Unobserved {
                service: settings.id.clone(),
                why: format!("its count goes from {} to {to}", state.desired),
            })
        })
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
