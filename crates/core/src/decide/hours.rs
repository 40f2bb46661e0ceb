//! Hours: the group is awake while they say so, and woken ahead of them by the time that its wakes usually take.

use jiff::Timestamp;

use crate::hours::Outlook;
use crate::reason::Reason;
use crate::record::Record;
use crate::settings::GroupSettings;

use super::Draft;
use super::wake::usual_count;

impl Draft<'_> {
    /// That its hours keep the group awake now, if they do.
    pub(super) fn in_hours(&self) -> Option<Reason> {
        let outlook = self.outlook(self.now).filter(|outlook| outlook.awake)?;
        Some(Reason::InHours {
            until: outlook.change.map(|change| change.at),
        })
    }

    fn outlook(&self, at: Timestamp) -> Option<Outlook> {
        self.group.outlook(at, self.record.usual_wake())
    }

    /// Wakes the group if its hours say so.
    pub(super) fn keep_hours(&mut self) -> Option<Reason> {
        let reason = self.woken_by_hours()?;
        self.begin_wake(reason.clone(), self.intent.cause, |settings, saved| {
            usual_count(settings, None, saved)
        });
        self.start_timer();
        Some(reason)
    }

    /// That its hours wake the group now, if they do.
    pub(super) fn woken_by_hours(&self) -> Option<Reason> {
        if !self.sleeps() || self.kept_asleep().is_some() {
            return None;
        }
        self.in_hours()
            .filter(|_| !was_put_to_sleep_in_hours(self.group, &self.record, self.now))
    }
}

/// Whether somebody put the group to sleep in the window of its hours that lasts now: who does so at noon does not want it
/// back a minute later, but the next morning. Who says until when gets it back then.
pub(crate) fn was_put_to_sleep_in_hours(group: &GroupSettings, record: &Record, now: Timestamp) -> bool {
    let by_somebody = record.reason.is_of_somebody() && record.asleep_until.is_none();
    let then = record.fell_asleep_at.filter(|_| by_somebody);
    then.and_then(|then| group.outlook(then, record.usual_wake()))
        .is_some_and(|outlook| outlook.awake && outlook.change.is_none_or(|change| change.at > now))
}
