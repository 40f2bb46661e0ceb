//! Waking: begin it, move it on until all services are ready, and never lower a count.

use std::collections::BTreeSet;

use crate::duration;
use crate::ids::ServiceId;
use crate::intent::{Cause, Wake};
use crate::observation::Seen;
use crate::readiness::{self, Readiness};
use crate::reason::Reason;
use crate::record::{Command, Phase};
use crate::scaling::record::Revoker;
use crate::settings::ServiceSettings;

use super::{Draft, Effect, RENEW_EVERY};

impl Draft<'_> {
    /// Somebody asks for the group.
    pub(super) fn ask_for_wake(&mut self, wake: &Wake) -> Reason {
        if let Some(refusal) = self.kept_asleep() {
            return refusal;
        }
        if let Some(refusal) = self.budget_spent() {
            return refusal;
        }
        self.revoke_claims(Revoker::Wake);
        match self.record.phase {
            Phase::Asleep | Phase::FallingAsleep => {
                self.count_against_budget();
                self.begin_wake(Reason::WakeAsked, self.intent.cause, |settings, saved| {
                    usual_count(settings, wake.desired_count, saved)
                });
                self.record.idle_after = wake.idle_after;
                self.start_timer();
                Reason::WakeAsked
            }
            Phase::Waking => {
                self.renew(wake);
                self.adjust(wake);
                Reason::StillWaking
            }
            Phase::Awake => {
                self.renew(wake);
                let stragglers = self.known().any(|(_, state)| state.desired == 0);
                if stragglers {
                    self.remember_counts();
                    self.want_what_was_seen();
                }
                self.adjust(wake);
                if stragglers {
                    // It also wakes those of its services that somebody else put to sleep.
                    self.record
                        .enter(Phase::Waking, Reason::WakeAsked, self.intent.cause, self.now);
                    Reason::WakeAsked
                } else {
                    Reason::AlreadyAwake
                }
            }
        }
    }

    /// Takes away the claims of scale-ins: they undo themselves.
    pub(super) fn revoke_claims(&mut self, by: Revoker) {
        for service in self.record.services.values_mut() {
            service.scaling.revoke(by, self.now);
        }
    }

    /// Begins a generation, without its timer. `count` gives the tasks wanted of a service from its settings and the
    /// last count above 0.
    pub(super) fn begin_wake(
        &mut self,
        reason: Reason,
        cause: Cause,
        count: impl Fn(&ServiceSettings, Option<u32>) -> u32,
    ) {
        self.note_late_sleep();
        let record = &mut self.record;
        let slept = record.saved_by_this_sleep(self.group.services.iter().map(|s| &s.id), self.now);
        record.slept_task_seconds = record.slept_task_seconds.saturating_add(slept);
        record.generation = record.generation.next();
        record.woken_at = Some(self.now);
        record.woken_by = self.intent.by.clone();
        record.last_wake_at = Some(self.now);
        record.unanswered_since = Some(self.now);
        // Somebody else may have woken it while it is kept asleep: what was wished for holds on.
        record.asleep_until = record.asleep_until.filter(|until| *until > self.now);
        record.idle_after = None;
        for settings in &self.group.services {
            let service = record.service(&settings.id);
            service.wanted = Some(count(settings, service.saved));
            // What went a moment ago may still be seen; what went before that is no news.
            let went = |command: &mut Command| command.count == 0 && command.is_over(self.now);
            service.command.take_if(went);
            service.failure = None;
            service.quiet.clear();
            service.first_ready = None;
        }
        record.enter(Phase::Waking, reason, cause, self.now);
        self.wake_all_needed();
    }

    /// Starts the sleep timer of the generation that has just begun.
    pub(super) fn start_timer(&mut self) {
        self.effects.push(Effect::StartTimer {
            generation: self.record.generation,
            woken_at: self.now,
            at: self.first_look(),
        });
    }

    /// Starts what is not started yet and waits for nothing; once all services are ready, the group is awake.
    pub(super) fn drive_wake(&mut self) -> Reason {
        let group = self.group;
        self.wake_needed_that_sleep();
        let waiting: BTreeSet<&ServiceId> = group
            .services
            .iter()
            .filter(|settings| self.must_wait(settings))
            .map(|settings| &settings.id)
            .collect();
        let mut all_ready = true;
        for settings in &group.services {
            match self.seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => {
                    let record = self.record.service(&settings.id);
                    let wanted = record.wanted.unwrap_or(1);
                    // A command to 0 that was decided may land any moment, whatever the count says now.
                    let falling = record.command.is_some_and(|command| command.count == 0);
                    let arrived = state.desired >= wanted && !falling;
                    if !arrived && !waiting.contains(&settings.id) {
                        let count = wanted.max(state.desired);
                        self.command(&settings.id, count);
                    }
                    let ready = arrived && readiness::of_service(state) == Readiness::Ready;
                    if ready {
                        self.note_ready(&settings.id);
                    }
                    all_ready &= ready;
                }
                Some(Seen::Unknown(_)) | None => all_ready = false,
            }
        }
        self.remember_counts();
        self.note_answers();
        let all_back = self.lead_back();
        if all_ready && all_back {
            self.learn_from_wake();
            let record = &mut self.record;
            record.note_wake(duration::between(record.since, self.now));
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
                matches!(self.seen.services.get(&settings.id), Some(Seen::Unknown(e)) if e.code.is_gone())
            })
    }

    /// Writes down that somebody asked again.
    fn renew(&mut self, wake: &Wake) {
        // A group that needs this one counts on the write: a sleep that does not know of it yet then loses the race.
        let needed = self.intent.cause == Cause::Needed;
        let stale = self
            .record
            .last_wake_at
            .is_none_or(|at| needed || duration::between(at, self.now) >= RENEW_EVERY);
        if stale || wake.idle_after.is_some() {
            self.record.last_wake_at = Some(self.now);
        }
        self.record.idle_after = wake.idle_after.or(self.record.idle_after);
    }

    /// Asks for more tasks than this generation wanted, and for fewer only if exactly this count is asked for.
    fn adjust(&mut self, wake: &Wake) {
        let Some(count) = wake.desired_count else { return };
        let seen = self.seen;
        for settings in &self.group.services {
            let service = self.record.service(&settings.id);
            let wanted = service.wanted.unwrap_or(0);
            service.wanted = Some(if wake.exact { count } else { wanted.max(count) });
            let Some(Seen::Known(state)) = seen.services.get(&settings.id) else {
                continue;
            };
            // More tasks may be on their way already; asking for fewer than those would take them away.
            let on_its_way = service
                .command
                .filter(|c| c.is_on_its_way(state.desired, self.now));
            let coming = on_its_way.map_or(state.desired, |command| command.count.max(state.desired));
            // One without any task is woken like the rest of the group, in its order.
            let raise = coming < count && self.record.phase == Phase::Awake && state.desired > 0;
            let lower = state.desired > count && wake.exact;
            if raise || lower {
                self.command(&settings.id, count);
            }
        }
    }
}

/// The tasks that a wake wants of a service: as asked, else as tagged, else as before sleep, else 1.
pub(super) fn usual_count(settings: &ServiceSettings, asked: Option<u32>, saved: Option<u32>) -> u32 {
    asked.or(settings.wake_count).or(saved).unwrap_or(1).max(1)
}
