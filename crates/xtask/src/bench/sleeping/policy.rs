//! The sleeping policies, and when each would have been awake.

use std::time::Duration;

use super::ours;
use super::visits::{DAY, is_weekday};

/// Seconds from a wake until visitors are served; the same for every policy. fargate-sim's estimate for small images
/// is 30 to 45 s from the call until the container runs, and a health check follows.
pub(super) const WAKE: u32 = 45;

const MINUTE: u32 = 60;
const HOUR: u32 = 3600;

/// A time in which a task was paid for, in seconds from the beginning of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    /// The call that wakes it.
    pub(super) from: u32,
    /// Since when it serves.
    pub(super) ready: u32,
    /// The call that puts it to sleep; the end of the trace, if there was none.
    pub(super) until: u32,
}

/// A way to decide when an environment sleeps. All but the first two wake when somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Never asleep.
    AlwaysOn,
    /// Awake from Monday to Friday, 08:00 to 18:00 local time, by a schedule; a visit at another time wakes nothing.
    OfficeHours,
    /// Sleeps so many minutes after each wake; visits do not prolong it.
    FixedTimer(u32),
    /// Sleeps so many hours after its start, whatever happens.
    Uptime(u32),
    /// Looks at each full hour, and sleeps if the log shows no request in the last one. The log is taken to be complete
    /// at once, in its favour.
    HourlyLog,
    /// Sleeps so many minutes after the last request, as scale to zero does (the default `cooldownPeriod` of KEDA,
    /// "ScaledObject specification", is 300 s). Each request is taken to be known at once, in its favour.
    Cooldown(u32),
    /// `dormouse_core::decide` with this `dormouse:idle-after`, in minutes.
    Ours(u32),
}

impl Policy {
    /// All, in the order of the tables.
    pub(super) const ALL: [Self; 9] = [
        Self::AlwaysOn,
        Self::OfficeHours,
        Self::FixedTimer(60),
        Self::Uptime(4),
        Self::HourlyLog,
        Self::Cooldown(5),
        Self::Ours(10),
        Self::OURS,
        Self::Ours(60),
    ];
    /// The one that the others are compared with: Dormouse with its default idle time.
    pub(super) const OURS: Self = Self::Ours(30);

    pub(super) fn name(self) -> String {
        match self {
            Self::AlwaysOn => "always on".to_owned(),
            Self::OfficeHours => "office hours".to_owned(),
            Self::FixedTimer(minutes) => format!("timer {minutes} min"),
            Self::Uptime(hours) => format!("uptime {hours} h"),
            Self::HourlyLog => "hourly log".to_owned(),
            Self::Cooldown(minutes) => format!("cooldown {minutes} min"),
            Self::Ours(minutes) => format!("Dormouse {minutes} min"),
        }
    }

    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Ours(_))
    }

    /// When it would have been awake, given the moments of visits, in order, until the end of the trace.
    pub(super) fn intervals(self, visits: &[u32], end: u32) -> Vec<Interval> {
        match self {
            Self::AlwaysOn => vec![Interval {
                from: 0,
                ready: 0,
                until: end,
            }],
            Self::OfficeHours => office_hours(end),
            Self::FixedTimer(minutes) => on_demand(visits, end, |from, _| from + minutes * MINUTE),
            Self::Uptime(hours) => on_demand(visits, end, |from, _| from + hours * HOUR),
            Self::HourlyLog => on_demand(visits, end, hourly),
            Self::Cooldown(minutes) => {
                on_demand(visits, end, |_, requests| quiet(requests, minutes * MINUTE))
            }
            Self::Ours(minutes) => {
                ours::intervals(Duration::from_secs(u64::from(minutes * MINUTE)), visits, end)
            }
        }
    }
}

fn office_hours(end: u32) -> Vec<Interval> {
    let days = (0..end.div_ceil(DAY)).filter(|day| is_weekday(*day));
    let hours = days.map(|day| Interval {
        from: day * DAY + 8 * HOUR,
        ready: day * DAY + 8 * HOUR + WAKE,
        until: (day * DAY + 18 * HOUR).min(end),
    });
    hours.filter(|hours| hours.ready < end).collect()
}

/// Wakes at each visit that finds it asleep. `sleeps` says when it sleeps again, from the moment of the wake and the
/// requests that it served or will serve: whoever comes while it wakes is served when it is ready.
fn on_demand(visits: &[u32], end: u32, sleeps: impl Fn(u32, &[u32]) -> u32) -> Vec<Interval> {
    let mut intervals = Vec::new();
    let mut left = visits;
    while let Some(from) = left.first().copied() {
        let ready = from + WAKE;
        let requests: Vec<u32> = left.iter().map(|visit| (*visit).max(ready)).collect();
        let until = sleeps(from, &requests).min(end);
        intervals.push(Interval { from, ready, until });
        left = &left[left.partition_point(|visit| *visit < until)..];
    }
    intervals
}

/// The first full hour before which no request came for an hour.
fn hourly(from: u32, requests: &[u32]) -> u32 {
    let mut hour = (from / HOUR + 1) * HOUR;
    while requests
        .iter()
        .any(|at| (hour.saturating_sub(HOUR)..hour).contains(at))
        || hour < from + WAKE
    {
        hour += HOUR;
    }
    hour
}

/// The first moment at which no request has come for so long.
fn quiet(requests: &[u32], seconds: u32) -> u32 {
    let gap = requests.windows(2).position(|pair| pair[1] - pair[0] >= seconds);
    let last = gap.map_or(requests.last(), |gap| requests.get(gap));
    last.map_or(0, |at| at + seconds)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// When each interval begins and ends. All serve once their wake is over.
    pub(in super::super) fn bounds(intervals: &[Interval]) -> Vec<(u32, u32)> {
        assert!(
            intervals
                .iter()
                .all(|interval| interval.ready == interval.from + WAKE)
        );
        intervals
            .iter()
            .map(|interval| (interval.from, interval.until))
            .collect()
    }

    fn spans(policy: Policy, visits: &[u32]) -> Vec<(u32, u32)> {
        bounds(&policy.intervals(visits, 14 * DAY))
    }

    #[test]
    fn office_hours_are_ten_on_each_of_ten_weekdays() {
        // The trace begins on a Saturday.
        let hours = spans(Policy::OfficeHours, &[5]);
        assert_eq!(hours.len(), 10);
        assert_eq!(hours[0], (2 * DAY + 8 * HOUR, 2 * DAY + 18 * HOUR));
        assert_eq!(hours[5].0, 9 * DAY + 8 * HOUR);
    }

    #[test]
    fn visits_do_not_prolong_a_fixed_timer_nor_uptime() {
        assert_eq!(
            spans(Policy::FixedTimer(60), &[100, 200, 3699, 3700, 9000]),
            [(100, 3700), (3700, 7300), (9000, 12_600)]
        );
        assert_eq!(
            spans(Policy::Uptime(4), &[100, 14_499, 14_500]),
            [(100, 14_500), (14_500, 28_900)]
        );
    }

    #[test]
    fn a_cooldown_begins_anew_with_each_request() {
        // Whoever wakes it is served 45 s later, and from then on it counts.
        assert_eq!(
            spans(Policy::Cooldown(5), &[100, 400, 699, 999, 2000]),
            [(100, 999), (999, 1344), (2000, 2345)]
        );
    }

    #[test]
    fn the_hourly_look_needs_a_whole_hour_of_silence() {
        // Served at 3645 s, in the second hour, which the look at 7200 s finds used; that at 10800 s finds nothing.
        assert_eq!(spans(Policy::HourlyLog, &[3600]), [(3600, 3 * HOUR)]);
        // Awake at 3599 s, ready at 3644 s: the look at 3600 s comes too early.
        assert_eq!(spans(Policy::HourlyLog, &[3599]), [(3599, 3 * HOUR)]);
        assert_eq!(
            spans(Policy::HourlyLog, &[100, 7199, 10_800]),
            [(100, 3 * HOUR), (3 * HOUR, 5 * HOUR)]
        );
    }
}
