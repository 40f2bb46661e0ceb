//! Whether a group is to be awake, and when that changes.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::{Span as Days, Timestamp, ToSpan as _};

use super::Hours;
use crate::duration;

/// A wake that takes longer counts as this long. Wakes take minutes; our choice, so that a wrong measurement cannot
/// keep a group awake for days.
pub const LONGEST_LEAD: Duration = Duration::from_secs(24 * 3600);

/// Changes are looked for on this many days from today on, and from each date on that the hours name: a year and some.
/// Between those, each year is like the one before, so that what has not changed then does not change at all. Weeks
/// would not do: with a lead, a pause may be long enough to be one on the day alone on which clocks are put back.
const LOOK: i32 = 380;

/// The beginning of a window, or the end of one that no other goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Whether the group is to be awake from then on.
    pub awake: bool,
}

/// What hours say at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Whether the group is to be awake. If not, it need not sleep either: then its signals decide.
    pub awake: bool,
    /// When that changes; later than the moment. None: never.
    pub change: Option<Change>,
}

/// From a moment to another, which is no longer in it.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Hours {
    /// Whether a moment lies in a window.
    #[must_use]
    pub fn is_awake(&self, now: Timestamp) -> bool {
        self.covers(now, Duration::ZERO)
    }

    /// When that changes; later than `now`. None: never.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Change> {
        self.outlook(now, Duration::ZERO).change
    }

    /// What the hours say if waking takes `lead`: windows begin that much earlier, so that the group is ready when
    /// they do. Of two windows with less than `lead` between them, the group stays awake from one to the other.
    ///
    /// A `lead` over [`LONGEST_LEAD`] counts as that.
    #[must_use]
    pub fn outlook(&self, now: Timestamp, lead: Duration) -> Outlook {
        let lead = lead.min(LONGEST_LEAD);
        let awake = self.covers(now, lead);
        let mut weeks = self.weeks_to_look_at(self.zone.date(now));
        let at = weeks.find_map(|week| self.change_in(week, awake, now, lead));
        let change = at.map(|at| Change { at, awake: !awake });
        Outlook { awake, change }
    }

    fn covers(&self, now: Timestamp, lead: Duration) -> bool {
        let today = self.zone.date(now);
        let spans = self.spans_of((today, today), lead);
        spans.iter().any(|span| span.from <= now && now < span.to)
    }

    /// The first moment of some days, later than `now`, at which the group is no longer as it was (`awake`).
    fn change_in(
        &self,
        days: (Date, Date),
        awake: bool,
        now: Timestamp,
        lead: Duration,
    ) -> Option<Timestamp> {
        let midnight = |day: Date| self.zone.first(day.to_datetime(Time::midnight()));
        let begin = midnight(days.0)?;
        // At the end of time there is no next day.
        let end = later(days.1, 1).and_then(midnight).unwrap_or(Timestamp::MAX);
        let spans = merge(self.spans_of(days, lead));
        spans
            .into_iter()
            .map(|span| if awake { span.to } else { span.from })
            // A change right now would show in `awake` already.
            .find(|at| (begin.max(now)..end).contains(at))
    }

    /// All spans that have a moment of the days from the first to the last in them or at an end of them. Windows end on
    /// the day after they start at the latest, but that may be a day later by the calendar where a whole day was
    /// skipped (Apia, 2011), hence two days before. With [`LONGEST_LEAD`] those of two days after are among them too,
    /// as a day may have 23 hours.
    fn spans_of(&self, (first, last): (Date, Date), lead: Duration) -> Vec<Span> {
        let first = later(first, -2).unwrap_or(Date::MIN);
        let last = later(last, 2).unwrap_or(Date::MAX);
        let mut spans = Vec::new();
        for date in first.series(1.day()).take_while(|date| *date <= last) {
            for times in self.starting_on(date) {
                if let Some((from, to)) = times.on(date, &self.zone) {
                    let from = duration::before(from, lead);
                    spans.push(Span { from, to });
                }
            }
        }
        spans
    }

    /// Weeks, by their first and last days, in order and each once.
    fn weeks_to_look_at(&self, today: Date) -> impl Iterator<Item = (Date, Date)> {
        // What a date changes may show two days earlier, if it takes away the time before a window.
        let named = self.named().flat_map(|dates| [dates.first, dates.last]);
        let mut begins: Vec<Date> = named.filter_map(|date| later(date, -2)).collect();
        begins.push(today);
        begins.sort_unstable();
        let mut next = today;
        begins.into_iter().flat_map(move |begin| {
            let from = begin.max(next);
            let end = later(begin, LOOK).unwrap_or(Date::MAX);
            let weeks = from
                .series(7.days())
                .take_while(move |first| (begin..end).contains(first));
            let weeks: Vec<_> = weeks
                .map(|first| (first, later(first, 6).unwrap_or(Date::MAX)))
                .collect();
            next = weeks
                .last()
                .map_or(next, |(_, last)| later(*last, 1).unwrap_or(Date::MAX));
            weeks
        })
    }
}

fn later(date: Date, days: i32) -> Option<Date> {
    let days: Days = days.days();
    date.checked_add(days).ok()
}

/// The same moments in as few spans as there can be, in order.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| span.from);
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => merged.push(span),
        }
    }
    merged
}
