//! What a wake teaches about the next ones.

use crate::eta::{FirstReady, Place};
use crate::ids::ServiceId;
use crate::intent::Cause;

use super::Draft;

impl Draft<'_> {
    /// Remembers when a service was first seen ready in this wake.
    pub(super) fn note_ready(&mut self, service: &ServiceId) {
        // A page and a program ask every few seconds, and ECS tells at once of a task whose health it checks.
        let watched = matches!(self.intent.cause, Cause::Http | Cause::Direct | Cause::TaskState);
        let at = self.now;
        let first = &mut self.record.service(service).first_ready;
        first.get_or_insert(FirstReady { at, watched });
    }

    /// Keeps what the wake that is over took of each service that it woke.
    pub(super) fn learn_from_wake(&mut self) {
        let (generation, since) = (self.record.generation, self.record.since);
        for (settings, state) in self.known() {
            let service = self.record.service(&settings.id);
            let first = service.first_ready.take();
            let place = Place::of(state, since, first);
            let watched = first.is_some_and(|first| first.watched);
            if let Some(past) = place.and_then(|place| place.past_wake(generation, watched)) {
                service.wakes.push(past);
            }
        }
    }
}
