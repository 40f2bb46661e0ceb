//! Order, within the group and between groups: what is needed is up first and down last.

use jiff::Timestamp;

use crate::duration;
use crate::ids::GroupName;
use crate::needs::ready;
use crate::observation::{GroupState, Neighbour};
use crate::reason::Reason;
use crate::record::Phase;
use crate::settings::ServiceSettings;

use super::{Draft, Effect};

impl Draft<'_> {
    /// Whether something that this service needs is not ready, so that it must not be started yet.
    pub(super) fn must_wait(&self, service: &ServiceSettings) -> bool {
        ready::waits_for(service, self.group, &self.record, self.seen).is_some()
    }

    /// Whether a service of the group waits for another one, so that somebody must look again soon.
    pub(super) fn waits_in_order(&self) -> bool {
        self.known().any(|(settings, _)| self.must_wait(settings))
    }

    /// Wakes all groups that this one needs, as it leaves sleep: also those that are up already, so that a sleep of theirs
    /// that was decided without knowing of it loses the race for their record, or is undone.
    pub(super) fn wake_all_needed(&mut self) {
        self.wake_needed(|_| true);
    }

    /// Wakes the groups that this one needs and that are not up. One that somebody put to sleep while this one was awake
    /// stays so.
    pub(super) fn wake_needed_that_sleep(&mut self) {
        let awake = self.record.phase == Phase::Awake;
        self.wake_needed(|needed| match needed {
            Neighbour::Known(state) => {
                let stays_asleep = awake && state.put_to_sleep;
                !state.is_up() && !stays_asleep
            }
            Neighbour::Unknown(_) => false,
        });
    }

    fn wake_needed(&mut self, which: impl Fn(&Neighbour) -> bool) {
        for group in self.group.needed_groups() {
            let effect = Effect::WakeGroup { group: group.clone() };
            let seen = self.seen.groups.get(group);
            if seen.is_some_and(|seen| exists(seen) && which(seen)) && !self.effects.contains(&effect) {
                self.effects.push(effect);
            }
        }
    }

    /// That a group which needs this one is up, or may be.
    pub(super) fn needed(&self) -> Option<Reason> {
        self.group.needed_by.iter().find_map(|name| {
            let group = name.clone();
            match self.seen.groups.get(name) {
                Some(Neighbour::Known(state)) if state.phase == Phase::Asleep => None,
                Some(Neighbour::Known(_)) => Some(Reason::NeededBy { group }),
                Some(Neighbour::Unknown(error)) => {
                    let why = error.to_string();
                    Some(Reason::DependentUnknown { group, why })
                }
                None => {
                    let why = "it was not looked at".to_owned();
                    Some(Reason::DependentUnknown { group, why })
                }
            }
        })
    }

    /// That a group which needed this one fell asleep less than the idle time ago.
    pub(super) fn needed_recently(&self) -> Option<Reason> {
        let (since, group) = self
            .dependents()
            .filter_map(|(name, state)| Some((state.since?, name)))
            .max()?;
        let until = duration::after(since, self.idle_after());
        (until > self.now).then(|| Reason::NeededRecently {
            group: group.clone(),
            until,
        })
    }

    fn dependents(&self) -> impl Iterator<Item = (&GroupName, &GroupState)> {
        let dependents = self.group.needed_by.iter();
        dependents.filter_map(|name| match self.seen.groups.get(name) {
            Some(Neighbour::Known(state)) => Some((name, state)),
            Some(Neighbour::Unknown(_)) | None => None,
        })
    }

    /// When the sleep timer of the generation that has just begun looks first: soon if services wait for each other, as
    /// nobody else may be there to move the wake on; else when sleep becomes a question.
    pub(super) fn first_look(&self) -> Timestamp {
        if self.waits_in_order() {
            return self.soon();
        }
        duration::after(self.now, self.idle_after().max(self.group.grace()))
    }
}

/// A group without services is gone: it cannot be woken.
fn exists(group: &Neighbour) -> bool {
    match group {
        Neighbour::Known(state) => !state.services.is_empty(),
        Neighbour::Unknown(_) => true,
    }
}
