//! Falling asleep: only from evidence, and always able to give back what it takes away.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::ids::ServiceId;
use crate::intent::Action;
use crate::needs::ready;
use crate::observation::Seen;
use crate::reason::Reason;
use crate::record::{Phase, ServiceRecord};
use crate::scaling::record::Revoker;

use super::{Draft, Drift};

/// A rollout that is not over after this long no longer keeps a group awake: it will not end by itself.
/// Our choice; the deployment circuit breaker gives up long before.
const ROLLOUT_PATIENCE: Duration = Duration::from_secs(3600);

/// Whether a count is one that a decision of ours has set, or a scale-in of ours is about to.
fn is_ours(record: &ServiceRecord, desired: u32) -> bool {
    let commanded = record.command.is_some_and(|command| command.count == desired);
    commanded || record.scaling.claim.is_some()
}

impl Draft<'_> {
    /// Watches over an awake group: remembers counts, and lets it sleep if it is idle.
    pub(super) fn watch(&mut self) -> Reason {
        self.remember_counts();
        self.note_answers();
        self.lead_back();
        // A look begins no wake.
        if self.intent.action != Action::Look {
            self.wake_needed_that_sleep();
        }
        if self.may_consider_sleep() {
            self.consider_sleep()
        } else {
            Reason::AlreadyAwake
        }
    }

    /// Remembers the counts above 0, for the next wake. While waking, a count that has not yet reached what the
    /// wake gives back is not worth remembering.
    pub(super) fn remember_counts(&mut self) {
        let group = self.group;
        for settings in &group.services {
            if let Some(Seen::Known(state)) = self.seen.services.get(&settings.id) {
                let waking = self.record.phase == Phase::Waking;
                let record = self.record.service(&settings.id);
                let reached = state.desired >= record.wanted.unwrap_or(0);
                if state.desired > 0 && (reached || !waking) {
                    let before = record.saved.replace(state.desired);
                    let known = before.filter(|_| !waking && !is_ours(record, state.desired));
                    let from = known.filter(|from| *from != state.desired);
                    self.drift.extend(from.map(|from| Drift {
                        service: settings.id.clone(),
                        from,
                        to: state.desired,
                    }));
                }
                if reached {
                    record.failure = None;
                }
            }
        }
    }

    /// Whether sleep is a question: a tick or timer asks, and the group is awake, or its wake does not get on.
    pub(super) fn may_consider_sleep(&self) -> bool {
        let asked = matches!(self.intent.action, Action::Tick | Action::Timer { .. });
        let late = self.now >= self.patience_ends() || self.has_trouble();
        match self.record.phase {
            Phase::Awake => asked,
            Phase::Waking => asked && late,
            Phase::Asleep | Phase::FallingAsleep => false,
        }
    }

    /// Puts the group to sleep if it is idle, else says why not.
    pub(super) fn consider_sleep(&mut self) -> Reason {
        let reason = self.gate().unwrap_or_else(|| self.judge_signals());
        if matches!(
            reason,
            Reason::Idle { .. } | Reason::FixedTimeOver { .. } | Reason::NothingAnswers { .. }
        ) {
            self.begin_sleep(reason)
        } else {
            reason
        }
    }

    /// What keeps an awake group so and can be told from the record alone.
    pub(super) fn kept_awake(&self) -> Option<Reason> {
        let record = &self.record;
        if let Some(until) = record.override_until.filter(|until| *until > self.now) {
            return Some(Reason::KeptAwake { until });
        }
        if let Some(in_hours) = self.in_hours() {
            return Some(in_hours);
        }
        if let Some(stuck) = self.front_stuck() {
            return Some(stuck);
        }
        let awake_since = if record.phase == Phase::Awake {
            record.since
        } else {
            record.woken_at.unwrap_or(record.since)
        };
        let until = duration::after(awake_since, self.group.grace());
        (until > self.now).then_some(Reason::Grace { until })
    }

    /// What decides before any signal is read.
    pub(super) fn gate(&self) -> Option<Reason> {
        if let Some(kept) = self.kept_awake() {
            return Some(kept);
        }
        if let Some(needed) = self.needed() {
            return Some(needed);
        }
        if let Some(unobserved) = self.unobserved().or_else(|| self.unsettled()) {
            return Some(unobserved);
        }
        if let Some(nothing) = self.nothing_answers() {
            return Some(nothing);
        }
        let until = self.first_sleep_moment();
        if until > self.now {
            return Some(Reason::AskedRecently { until });
        }
        self.known().find_map(|(settings, state)| {
            let since = state.rollout_since?;
            let fresh = duration::between(since, self.now) < ROLLOUT_PATIENCE;
            fresh.then(|| Reason::RolloutUnderWay {
                service: settings.id.clone(),
            })
        })
    }

    /// The idle time counts from the last wake at the earliest.
    pub(super) fn first_sleep_moment(&self) -> Timestamp {
        duration::after(
            self.record.last_wake_at.unwrap_or(self.record.since),
            self.idle_after(),
        )
    }

    /// Somebody asks for sleep: no signal, grace or override is asked, a wake is still stronger, and so is a group that
    /// needs this one. Overrides end.
    pub(super) fn ask_for_sleep(&mut self) -> Reason {
        let objection = match self.record.phase {
            Phase::Asleep | Phase::FallingAsleep => None,
            Phase::Waking | Phase::Awake => self.needed().or_else(|| self.unobserved()),
        };
        if let Some(objection) = objection {
            return objection;
        }
        self.record.override_until = None;
        self.record.asleep_until = None;
        self.record.front.stuck = None;
        match self.record.phase {
            Phase::Asleep => Reason::AlreadyAsleep,
            Phase::FallingAsleep => Reason::StillFallingAsleep,
            Phase::Waking | Phase::Awake => self.begin_sleep(Reason::SleepAsked),
        }
    }

    /// Remembers the counts and begins to take them away.
    fn begin_sleep(&mut self, reason: Reason) -> Reason {
        self.remember_counts();
        self.remember_lowerings();
        // What the same decision was about to wake is not woken: effects are carried out all at once.
        self.effects.clear();
        for service in self.record.services.values_mut() {
            service.failure = None;
            service.command = None;
        }
        self.revoke_claims(Revoker::Sleep);
        self.record.fell_asleep_at = Some(self.now);
        self.record
            .enter(Phase::FallingAsleep, reason.clone(), self.intent.cause, self.now);
        match self.drive_sleep() {
            refusal @ Reason::FrontStuck { .. } => refusal,
            _ => reason,
        }
    }

    /// Whoever asks for sleep does not wait for the call of a scale-in: what it leaves is what this sleep takes.
    fn remember_lowerings(&mut self) {
        let now = self.now;
        for (settings, state) in self.known() {
            let record = self.record.service(&settings.id);
            let claim = record.scaling.claim.as_ref();
            let on_its_way = claim.and_then(|claim| claim.lowering_on_its_way(state.desired, now));
            record.saved = on_its_way.map(|lowering| lowering.to).or(record.saved);
        }
    }

    /// Between the decision and the moment at which a count goes, a scale-in that was on its way or somebody else may have
    /// set another one. What is seen once 0 was decided is nobody's wish.
    fn remember_what_goes(&mut self, service: &ServiceId, desired: u32) {
        let is_later = self.record.since < self.now;
        let record = self.record.service(service);
        if is_later && record.command.is_none() {
            record.saved = Some(desired);
        }
    }

    /// Leads the doors away, then sets counts to 0, each once all that needs the service is gone; once all tasks are gone,
    /// the group is asleep.
    pub(super) fn drive_sleep(&mut self) -> Reason {
        let group = self.group;
        if let Some(waits) = self.lead_away() {
            return waits;
        }
        let mut all_gone = true;
        for settings in &group.services {
            match self.seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => {
                    if state.desired > 0 {
                        if !ready::is_still_needed(&settings.id, group, self.seen) {
                            self.remember_what_goes(&settings.id, state.desired);
                            self.take_count(&settings.id);
                        }
                    } else {
                        self.record.service(&settings.id).failure = None;
                    }
                    all_gone &= state.desired == 0 && state.running == 0 && state.pending == 0;
                }
                Some(Seen::Unknown(error)) if error.code.is_gone() => {}
                Some(Seen::Unknown(_)) | None => all_gone = false,
            }
        }
        if all_gone {
            // The reason stays: it says why the group sleeps.
            self.record.phase = Phase::Asleep;
            self.record.since = self.now;
        }
        Reason::StillFallingAsleep
    }
}
