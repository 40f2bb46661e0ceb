//! Waking: begin it, move it on until all services are ready, and never lower a count.

use crate::duration;
use crate::intent::Cause;
use crate::observation::Seen;
use crate::readiness::{self, Readiness};
use crate::reason::Reason;
use crate::record::Phase;
use crate::settings::ServiceSettings;

use super::{Draft, Effect, RENEW_EVERY, is_gone};

impl Draft<'_> {
    /// Somebody asks for the group.
    pub(super) fn ask_for_wake(&mut self, desired_count: Option<u32>) -> Reason {
        match self.record.phase {
            Phase::Asleep | Phase::FallingAsleep => {
                self.begin_wake(Reason::WakeAsked, self.intent.cause, |settings, saved| {
                    desired_count
                        .or(settings.wake_count)
                        .or(saved)
                        .unwrap_or(1)
                        .max(1)
                });
                Reason::WakeAsked
            }
            Phase::Waking => {
                self.renew();
                self.raise(desired_count);
                Reason::StillWaking
            }
            Phase::Awake => {
                self.renew();
                self.raise(desired_count);
                if self.wake_stragglers() {
                    Reason::WakeAsked
                } else {
                    Reason::AlreadyAwake
                }
            }
        }
    }

    /// Begins a generation. `count` gives the tasks wanted of a service from its settings and the last count
    /// above 0.
    pub(super) fn begin_wake(
        &mut self,
        reason: Reason,
        cause: Cause,
        count: impl Fn(&ServiceSettings, Option<u32>) -> u32,
    ) {
        let record = &mut self.record;
        record.generation = record.generation.next();
        record.woken_at = Some(self.now);
        record.last_wake_at = Some(self.now);
        record.unanswered_since = Some(self.now);
        record.override_until = None;
        for settings in &self.group.services {
            let service = record.service(&settings.id);
            service.wanted = Some(count(settings, service.saved));
            service.failure = None;
        }
        record.enter(Phase::Waking, reason, cause, self.now);
        let generation = record.generation;
        let at = duration::after(self.now, self.group.idle_after().max(self.group.grace()));
        self.effects.push(Effect::StartTimer {
            generation,
            woken_at: self.now,
            at,
        });
    }

    /// Starts what is not started yet; once all services are ready, the group is awake.
    pub(super) fn drive_wake(&mut self) -> Reason {
        let group = self.group;
        let mut all_ready = true;
        for settings in &group.services {
            match self.seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => {
                    let record = self.record.service(&settings.id);
                    let wanted = record.wanted.unwrap_or(1);
                    // A command to 0 that was decided may land any moment, whatever the count says now.
                    let falling = record.command.is_some_and(|command| command.count == 0);
                    let arrived = state.desired >= wanted && !falling;
                    if !arrived {
                        let count = wanted.max(state.desired);
                        self.command(&settings.id, count);
                    }
                    all_ready &= arrived && readiness::of_service(state) == Readiness::Ready;
                }
                Some(Seen::Unknown(_)) | None => all_ready = false,
            }
        }
        self.remember_counts();
        self.note_answers();
        if all_ready {
            let record = &mut self.record;
            record.phase = Phase::Awake;
            record.since = self.now;
            return Reason::BecameReady;
        }
        if self.may_consider_sleep() {
            self.consider_sleep()
        } else {
            Reason::StillWaking
        }
    }

    /// The moment at which a wake that is not ready is called slow.
    pub(super) fn patience_ends(&self) -> jiff::Timestamp {
        duration::after(
            self.record.woken_at.unwrap_or(self.record.since),
            self.group.wake_timeout,
        )
    }

    /// Whether ECS itself says why tasks of this generation do not run.
    pub(super) fn has_trouble(&self) -> bool {
        let woken_at = self.record.woken_at.unwrap_or(self.record.since);
        self.known().any(|(_, state)| state.troubles.iter().any(|trouble| trouble.at >= woken_at))
            || self.record.services.values().any(|service| service.failure.is_some())
            || self.group.services.iter().any(|settings| {
                matches!(self.seen.services.get(&settings.id), Some(Seen::Unknown(e)) if is_gone(e.code))
            })
    }

    /// Writes down that somebody asked again.
    fn renew(&mut self) {
        let stale = self
            .record
            .last_wake_at
            .is_none_or(|at| duration::between(at, self.now) >= RENEW_EVERY);
        if stale {
            self.record.last_wake_at = Some(self.now);
        }
    }

    /// Asks for more tasks than this generation wanted; never for fewer.
    fn raise(&mut self, desired_count: Option<u32>) {
        let Some(count) = desired_count else { return };
        let group = self.group;
        for settings in &group.services {
            let service = self.record.service(&settings.id);
            service.wanted = Some(service.wanted.unwrap_or(0).max(count));
            let below =
                matches!(self.seen.services.get(&settings.id), Some(Seen::Known(s)) if s.desired < count);
            if below && self.record.phase == Phase::Awake {
                self.command(&settings.id, count);
            }
        }
    }

    /// A wake of an awake group also wakes those of its services that somebody else put to sleep.
    fn wake_stragglers(&mut self) -> bool {
        let stragglers = self.known().any(|(_, state)| state.desired == 0);
        if stragglers {
            self.record
                .enter(Phase::Waking, Reason::WakeAsked, self.intent.cause, self.now);
        }
        stragglers
    }
}
