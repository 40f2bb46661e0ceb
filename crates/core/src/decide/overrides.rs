//! Overrides: somebody wants the group awake, or asleep, until a moment. The later wish replaces the earlier one, and each
//! ends by itself.

use jiff::Timestamp;

use crate::intent::Wake;
use crate::reason::Reason;

use super::Draft;

impl Draft<'_> {
    /// Wakes the group and keeps it awake.
    pub(super) fn keep_awake(&mut self, until: Timestamp) -> Reason {
        self.record.asleep_until = None;
        let reason = self.ask_for_wake(&Wake::default());
        self.record.override_until = Some(until);
        reason
    }

    /// Puts the group to sleep and keeps it asleep. If it cannot be put to sleep now, nothing is kept.
    pub(super) fn keep_asleep(&mut self, until: Timestamp) -> Reason {
        let reason = self.ask_for_sleep();
        if self.sleeps() {
            self.record.asleep_until = Some(until);
        }
        reason
    }

    /// That somebody keeps the group asleep, which refuses a wake.
    pub(super) fn kept_asleep(&self) -> Option<Reason> {
        let until = self.record.asleep_until.filter(|until| *until > self.now)?;
        self.sleeps().then_some(Reason::KeptAsleep { until })
    }
}
