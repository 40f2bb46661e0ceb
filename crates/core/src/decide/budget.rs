//! The wake budget: how often strangers at the HTTP door may wake a group in a day. All other doors have a key already, and
//! are neither limited nor counted; nor are admins who keep a group awake.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::intent::{Action, Cause};
use crate::reason::Reason;
use crate::record::WakesOfDay;

use super::Draft;

impl Draft<'_> {
    /// That the day's wakes are spent, which refuses a wake that would begin a generation.
    pub(super) fn budget_spent(&self) -> Option<Reason> {
        let limit = self.group.wakes_per_day().filter(|_| self.is_limited())?;
        let today = self.wakes_of_today();
        (self.sleeps() && today.count >= limit).then(|| Reason::WakeBudgetSpent {
            limit,
            until: end_of(today.day).unwrap_or(self.now),
        })
    }

    /// Counts a wake that begins a generation.
    pub(super) fn count_against_budget(&mut self) {
        if self.is_limited() && self.group.wakes_per_day().is_some() {
            let today = self.wakes_of_today();
            let count = today.count.saturating_add(1);
            self.record.http_wakes = Some(WakesOfDay { count, ..today });
        }
    }

    fn is_limited(&self) -> bool {
        self.intent.cause == Cause::Http && matches!(self.intent.action, Action::Wake(_))
    }

    /// The wakes of the day so far. Around midnight another function's clock may be ahead: its day counts on.
    fn wakes_of_today(&self) -> WakesOfDay {
        let day = TimeZone::UTC.to_datetime(self.now).date();
        let known = self.record.http_wakes.filter(|known| known.day >= day);
        known.unwrap_or(WakesOfDay { day, count: 0 })
    }
}

/// The first moment of the next day.
fn end_of(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    let midnight = next.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp())
}
