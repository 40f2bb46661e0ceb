//! Writing a wake down while ECS is looked at, so that whoever waits for it does not wait for one after the other.
//!
//! What a group that sleeps looks like is known well enough to decide with. If the look agrees, all is written and only
//! the calls are left to make; else what it showed is written over it before anything is done.

use jiff::Timestamp;

use crate::decide::{Decision, decide};
use crate::intent::{Action, Intent};
use crate::observation::{Observation, Seen, ServiceState};
use crate::record::{Phase, Record};
use crate::settings::GroupSettings;
use crate::why::{self, Entry};

/// A wake as it is if all services are as they were left.
pub(super) struct Ahead {
    /// The next record, still with the version of the one that it was made from.
    pub(super) record: Record,
    /// What is told of it.
    pub(super) why: Option<Entry>,
    /// How many counts it raises.
    pub(super) raised: u32,
}

impl Ahead {
    /// If the intent wakes a group that sleeps by its record, has to do with no other group, and hangs on nothing but its
    /// services.
    pub(super) fn of(
        settings: &GroupSettings,
        before: &Record,
        intent: &Intent,
        now: Timestamp,
    ) -> Option<Self> {
        let sleeps = before.phase == Phase::Asleep && before.version > 0;
        let is_alone = settings.needed_groups().is_empty() && settings.needed_by.is_empty();
        if !sleeps || !is_alone || !matches!(intent.action, Action::Wake(_)) {
            return None;
        }
        let seen = asleep(settings, before);
        let mut decision = decide(settings, before, &seen, intent, now);
        if decision.record.phase != Phase::Waking || !decision.wants.is_nothing() {
            return None;
        }
        let (raised, _) = decision.counts();
        let why = why::note(&settings.name, before, &mut decision, &seen, intent, now);
        let Decision { record, .. } = decision;
        Some(Self { record, why, raised })
    }

    /// Whether all of this was written, as it came before the look.
    pub(super) fn is(&self, record: &Record, why: Option<&Entry>) -> bool {
        self.record == *record && self.why.as_ref() == why
    }
}

/// The services of a group that sleeps.
fn asleep(settings: &GroupSettings, record: &Record) -> Observation {
    let services = settings.services.iter().map(|service| {
        let known = record.services.get(&service.id);
        let state = ServiceState {
            target_groups: known.map_or_else(Vec::new, |known| known.target_groups.clone()),
            ..ServiceState::default()
        };
        (service.id.clone(), Seen::Known(state))
    });
    Observation {
        services: services.collect(),
        ..Observation::default()
    }
}
