//! What need not be looked at.

use jiff::Timestamp;

use crate::intent::{Action, Cause, Intent};
use crate::observation::Observation;
use crate::record::{Phase, Record, ServiceRecord};
use crate::settings::{GroupSettings, ServiceSettings, Signals};

use super::Draft;

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
    let led = !record.front.doors.is_empty();
    let open =
        record.phase == Phase::Awake && (led || record.services.values().any(|service| unfinished(service)));
    let known = record.version > 0 && !open && record.would.is_none();
    let follows = group.services.iter().any(reads_moments) || !group.needed_groups().is_empty();
    known
        && match record.phase {
            Phase::Asleep => draft.woken_by_hours().is_none(),
            Phase::Awake => draft.kept_awake().is_some() && !follows && !draft.may_still_fall(),
            Phase::Waking | Phase::FallingAsleep => false,
        }
}

/// Whether a tick asks where its doors lead, though it sleeps and is not looked at otherwise.
#[must_use]
pub fn watches_front(group: &GroupSettings, record: &Record) -> bool {
    let fronted = group.services.iter().any(|service| service.front);
    record.phase == Phase::Asleep && (fronted || !record.front.doors.is_empty())
}

/// Whether a service has a signal that tells only of the moment, so that each tick must read it.
fn reads_moments(settings: &ServiceSettings) -> bool {
    match &settings.signals {
        Signals::FixedTimer => false,
        Signals::Listed(signals) => signals.iter().any(|signal| signal.is_momentary()),
        Signals::Configured => settings.connections.is_some(),
    }
}
