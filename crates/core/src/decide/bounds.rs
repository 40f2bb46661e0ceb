//! Application Auto Scaling: suspended before a count goes to 0, given back once the count is back.
//!
//! A target that its owner suspended wholly is nobody's to give back: nothing is saved of it. So a target that is wholly
//! suspended while something is saved was suspended by us, and one that is not is as its owner wants it.

use crate::error::{Code, Error};
use crate::ids::ServiceId;
use crate::observation::ServiceState;
use crate::record::{Failure, Phase, ServiceRecord};
use crate::scalable::{Bounds, SavedBounds, Suspended};

use super::{Draft, Effect, LATE_SLEEP, may_command};

impl Draft<'_> {
    /// Takes the count of a service away, after all that could scale it up again is suspended. If that is not known, the
    /// count stays.
    pub(super) fn take_count(&mut self, service: &ServiceId) {
        let now = self.now;
        if !may_command(self.record.service(service), 0, now) {
            return;
        }
        let found = match self.bounds_of(service) {
            None => {
                self.wants.bounds = true;
                return;
            }
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                self.record.service(service).failure = Some(Failure { error, at: now });
                return;
            }
        };
        let record = self.record.service(service);
        match found {
            None => record.bounds = None,
            Some(found) if found.is_held() => {
                // A call that resumes it, landing after the count has gone, would bring the count back.
                if record.bounds.is_some_and(|saved| saved.is_being_restored(now)) {
                    return;
                }
                record.bounds = record.bounds.map(|saved| SavedBounds::of(saved.bounds, now));
            }
            Some(found) => {
                record.bounds = Some(SavedBounds::of(found, now));
                self.suspend(service, Suspended::ALL);
            }
        }
        self.command(service, 0);
    }

    /// Gives back what sleep suspended, of services whose count is back and stays: while a late sleep may still land, a
    /// policy would make of its 0 the minimum, which nobody could tell from somebody's wish. The look that begins a wake
    /// does not wait for the question; a later one asks.
    pub(super) fn give_back_bounds(&mut self) {
        let now = self.now;
        if !matches!(self.record.phase, Phase::Waking | Phase::Awake) || self.record.since == now {
            return;
        }
        for (settings, state) in self.known() {
            let service = &settings.id;
            let record = self.record.service(service);
            let is_back = is_back(record, state, now);
            let due = |saved: &SavedBounds| is_back && saved.has_landed(LATE_SLEEP, now);
            let Some(saved) = record.bounds.filter(due) else {
                continue;
            };
            match self.bounds_of(service) {
                None => self.wants.bounds = true,
                // The engine tells of it, and the next look asks again.
                Some(Err(_)) => {}
                Some(Ok(Some(found))) if found.is_held() => {
                    if !saved.is_being_restored(now) {
                        let restored_at = Some(now);
                        self.record.service(service).bounds = Some(SavedBounds { restored_at, ..saved });
                        self.suspend(service, saved.bounds.suspended);
                    }
                }
                // Given back, by us or by somebody else, or gone.
                Some(Ok(_)) => self.record.service(service).bounds = None,
            }
        }
    }

    fn suspend(&mut self, service: &ServiceId, suspended: Suspended) {
        self.effects.push(Effect::Suspend {
            service: service.clone(),
            suspended,
        });
    }

    /// What is known of a service's scalable target; none if nobody was asked yet.
    fn bounds_of(&self, service: &ServiceId) -> Option<Result<Option<Bounds>, Error>> {
        let answers = self.seen.bounds.as_ref()?;
        let missing = || {
            let message = format!("scalable target of service `{service}`: no answer");
            Err(Error::new(Code::Unavailable, message))
        };
        Some(answers.get(service).cloned().unwrap_or_else(missing))
    }
}

/// Whether a service has the count with which it is to be scaled again.
fn is_back(record: &ServiceRecord, state: &ServiceState, now: jiff::Timestamp) -> bool {
    let unsettled = record
        .command
        .is_some_and(|command| command.count == 0 || command.is_on_its_way(state.desired, now));
    state.desired > 0 && !unsettled
}
