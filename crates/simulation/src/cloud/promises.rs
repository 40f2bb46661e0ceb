//! Wakes that were answered: whoever was told that a group wakes must find that it does.

use std::time::Duration;

use dormouse_core::ids::GroupName;
use dormouse_core::record::Phase;
use fargate_sim::model::Millis;

use super::{Cloud, millis};

/// Less than any idle time: until then nobody may have put it to sleep again.
const LASTS: Duration = Duration::from_secs(170);
/// A call that was decided may be on its way for 15 s, and is repeated only then; clocks differ.
const ON_ITS_WAY: Duration = Duration::from_secs(20);
/// A call for sleep may be repeated for so long, and work later.
const CALLS_LAST: Duration = Duration::from_secs(180);

impl Cloud {
    /// Somebody was told that a group wakes.
    pub(crate) fn wakes_are_promised(&self, group: &GroupName) {
        let now = self.now();
        self.truth.borrow_mut().promised.insert(group.clone(), now);
    }

    /// Somebody asks that a group sleeps.
    pub(crate) fn sleep_is_called(&self, group: &GroupName) {
        let now = self.now();
        self.truth.borrow_mut().sleep_called.insert(group.clone(), now);
    }

    /// A tick has looked at all groups, and nothing went wrong with it.
    pub(crate) fn tick_went_well(&self, begun: Millis) {
        self.truth.borrow_mut().good_ticks.push(begun);
        let (table, truth) = (self.table.borrow(), self.truth.borrow());
        for (group, promised) in &truth.promised {
            let good_since = |decided: Millis| {
                let late = decided + ON_ITS_WAY;
                truth.good_ticks.iter().any(|tick| *tick > late)
            };
            let refused = truth
                .sleep_called
                .get(group)
                .is_some_and(|at| *at + CALLS_LAST > *promised);
            if !good_since(*promised) || self.age(*promised) > LASTS || refused {
                continue;
            }
            let record = table.record(group);
            let is_up = record.is_some_and(|record| matches!(record.phase, Phase::Waking | Phase::Awake));
            for service in self.services_of(group) {
                let needs = self
                    .scene_of(&service)
                    .is_some_and(|scene| scene.tag("needs").is_some());
                let meddled = truth
                    .meddled
                    .get(&service)
                    .is_some_and(|at| self.age(*at) < Duration::from_secs(600));
                // Of one whose tags were never good nothing is known that could be woken.
                let unknown = self.settings_of(&service).is_none();
                // Somebody else who waits may have decided it again just before the tick, and died.
                let command = record.and_then(|record| record.services.get(&service)?.command);
                let again = command.is_some_and(|command| !good_since(millis(command.at)));
                if needs || meddled || unknown || again {
                    continue;
                }
                let desired = self.desired(&service).unwrap_or_default();
                self.check(2, is_up && desired > 0, || {
                    format!(
                        "{group} was promised to wake {:?} ago, and {service} has {desired} tasks",
                        self.age(*promised)
                    )
                });
            }
        }
    }
}
