//! What others did meanwhile: an outside wake counts as a wake, an outside sleep as a sleep.

use crate::duration;
use crate::intent::Cause;
use crate::observation::Seen;
use crate::reason::Reason;
use crate::record::Phase;
use crate::scaling::record::Revoker;

use super::wake::usual_count;
use super::{Draft, LATE_SLEEP, NEXT_TICK, REISSUE_AFTER};

impl Draft<'_> {
    /// Brings the record in line with counts that others changed.
    pub(super) fn adopt_drift(&mut self) {
        match self.record.phase {
            Phase::Asleep if self.woken_outside() => self.adopt_wake(),
            Phase::Awake if self.nothing_wanted() || self.has_lost_one() => self.adopt_sleep(),
            _ => {}
        }
    }

    /// ECS's reads lag behind its writes, so a count above 0 right after falling asleep says nothing yet.
    fn woken_outside(&self) -> bool {
        let settled =
            self.record.version == 0 || duration::between(self.record.since, self.now) >= REISSUE_AFTER;
        settled && self.known().any(|(_, state)| state.desired > 0)
    }

    fn nothing_wanted(&self) -> bool {
        self.unobserved().is_none()
            && self.known().next().is_some()
            && self.known().all(|(_, state)| state.desired == 0)
    }

    /// Whether a sleep that was under way when the wake came may still land, or have landed a moment ago.
    pub(super) fn may_still_fall(&self) -> bool {
        let woken_at = self.record.woken_at.unwrap_or(self.record.since);
        duration::between(woken_at, self.now) < LATE_SLEEP + NEXT_TICK
    }

    /// Whether such a sleep took the count of a service, though not of all.
    fn has_lost_one(&self) -> bool {
        let woken_at = self.record.woken_at.unwrap_or(self.record.since);
        let raced = |fell_asleep| duration::between(fell_asleep, woken_at) < LATE_SLEEP;
        duration::between(woken_at, self.now) < LATE_SLEEP
            && self.record.fell_asleep_at.is_some_and(raced)
            && self.known().any(|(_, state)| state.desired == 0)
    }

    fn adopt_wake(&mut self) {
        let seen = self.seen;
        self.begin_wake(Reason::WokenOutside, Cause::Outside, |settings, saved| {
            match seen.services.get(&settings.id) {
                // What somebody chose is respected.
                Some(Seen::Known(state)) if state.desired > 0 => state.desired,
                _ => usual_count(settings, None, saved),
            }
        });
        self.start_timer();
    }

    /// An awake group that has to wake services again gets the counts that were last seen, not those with which its wake
    /// began: it may have been scaled since.
    pub(super) fn want_what_was_seen(&mut self) {
        for service in self.record.services.values_mut() {
            service.wanted = service.wanted.and(service.saved).or(service.wanted);
        }
    }

    fn adopt_sleep(&mut self) {
        let woken_at = self.record.woken_at.unwrap_or(self.record.since);
        let (phase, reason) = if duration::between(woken_at, self.now) < LATE_SLEEP {
            // A sleep of ours that was under way when the wake came: the wake wins, with the counts that were last seen.
            self.want_what_was_seen();
            (Phase::Waking, Reason::WakeAsked)
        } else {
            (Phase::FallingAsleep, Reason::PutToSleepOutside)
        };
        if phase == Phase::FallingAsleep {
            self.revoke_claims(Revoker::Sleep);
            self.record.fell_asleep_at = Some(self.now);
        }
        self.record.enter(phase, reason, Cause::Outside, self.now);
    }
}
