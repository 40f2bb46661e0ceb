//! What a policy costs: hours, visitors who waited, and users who were cut off.

use super::policy::{Interval, Policy};
use super::visits::{DAYS, DRAWS, RATES, Source};
use crate::bench::trace::DAY;

/// Two requests that are at most this far apart, in seconds, belong to one user who is still there.
pub(super) const BURST: u32 = 600;

/// How long an environment is watched, in seconds.
const END: u32 = DAYS * DAY;

/// What a policy cost, per week.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    /// Hours in which a task was paid for, from the call that wakes it to the call that puts it to sleep.
    pub(super) hours: f64,
    /// Visits that found it asleep or waking.
    pub(super) waited: f64,
    /// Hours that all of those waited together, until it served them or, if it never did, until the end.
    pub(super) waited_hours: f64,
    /// Times that it was put to sleep although the user of its last request was still there: at most [`BURST`] after
    /// that request was served, another one came, and found it asleep.
    pub(super) cut_off: f64,
    /// All visits.
    pub(super) visits: f64,
}

/// What these intervals cost in the whole time until the end, in which these visits came.
fn total(intervals: &[Interval], visits: &[u32], end: u32) -> Cost {
    let mut cost = Cost {
        visits: visits.len() as f64,
        waited: visits.len() as f64,
        ..Cost::default()
    };
    let mut served_until = 0;
    for interval in intervals {
        let Interval { from, ready, until } = *interval;
        let at = |second: u32| visits.partition_point(|visit| *visit < second);
        let (unserved, first, served, after) = (at(served_until), at(from), at(ready), at(until));
        cost.hours += f64::from(until - from) / 3600.0;
        cost.waited -= (after - served) as f64;
        cost.waited_hours += hours_until(ready.min(end), &visits[unserved..served]);
        let last = visits[first..after].last().map(|visit| (*visit).max(ready));
        if let (Some(last), Some(next)) = (last, visits.get(after)) {
            cost.cut_off += f64::from(u8::from(next.saturating_sub(last) <= BURST));
        }
        served_until = until;
    }
    let unserved = visits.partition_point(|visit| *visit < served_until);
    cost.waited_hours += hours_until(end, &visits[unserved..]);
    cost
}

fn hours_until(moment: u32, visits: &[u32]) -> f64 {
    visits
        .iter()
        .map(|visit| f64::from(moment - visit) / 3600.0)
        .sum()
}

/// What each policy costs at each rate, per week, averaged over draws: one row for each of [`RATES`], with one value for
/// each of [`Policy::ALL`].
pub(super) fn all(source: &Source<'_>) -> Vec<Vec<Cost>> {
    let rates = RATES.iter().zip(DRAWS);
    rates
        .map(|(rate, draws)| {
            let draws: Vec<Vec<u32>> = (0..draws).map(|number| source.draw(*rate, number)).collect();
            Policy::ALL.iter().map(|policy| of(*policy, &draws)).collect()
        })
        .collect()
}

fn of(policy: Policy, draws: &[Vec<u32>]) -> Cost {
    let costs = draws
        .iter()
        .map(|visits| total(&policy.intervals(visits, END), visits, END));
    let sum = costs.fold(Cost::default(), |a, b| Cost {
        hours: a.hours + b.hours,
        waited: a.waited + b.waited,
        waited_hours: a.waited_hours + b.waited_hours,
        cut_off: a.cut_off + b.cut_off,
        visits: a.visits + b.visits,
    });
    let weeks = f64::from(DAYS) / 7.0 * draws.len() as f64;
    Cost {
        hours: sum.hours / weeks,
        waited: sum.waited / weeks,
        waited_hours: sum.waited_hours / weeks,
        cut_off: sum.cut_off / weeks,
        visits: sum.visits / weeks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: u32, until: u32) -> Interval {
        Interval {
            from,
            ready: from + 45,
            until,
        }
    }

    #[test]
    fn hours_waits_and_visits_add_up() {
        // 1000 wakes and waits 45 s, 1044 waits 1 s, 1045 is served, 4600 finds it asleep and waits 45 s, 8000 is served,
        // and 8300 waits until the end.
        let intervals = [interval(1000, 4600), interval(4600, 8200)];
        let cost = total(&intervals, &[1000, 1044, 1045, 4600, 8000, 8300], 9000);
        assert_eq!((cost.hours, cost.waited, cost.visits), (2.0, 4.0, 6.0));
        assert!((cost.waited_hours * 3600.0 - (45.0 + 1.0 + 45.0 + 700.0)).abs() < 1e-9);
    }

    #[test]
    fn who_comes_after_closing_time_waits_until_it_opens() {
        let hours = Policy::OfficeHours.intervals(&[], END);
        // Friday at 19:00; it opens on Monday at 08:00, and serves 45 s later.
        let cost = total(&hours, &[6 * DAY + 19 * 3600], END);
        assert_eq!(cost.waited, 1.0);
        assert!(
            (cost.waited_hours - (5.0 + 48.0 + 8.0 + 45.0 / 3600.0)).abs() < 1e-9,
            "{cost:?}"
        );
    }

    #[test]
    fn who_is_still_there_is_cut_off_and_who_comes_later_is_not() {
        let cut = |visits: &[u32]| total(&[interval(1000, 4600)], visits, END).cut_off;
        assert_eq!(cut(&[1000, 4500, 5100]), 1.0, "600 s later");
        assert_eq!(cut(&[1000, 4500, 5101]), 0.0, "601 s later");
        assert_eq!(cut(&[1000, 4500]), 0.0, "never again");
        // Who waits is served at 1045, not at 1000.
        let cut = |visits: &[u32]| total(&[interval(1000, 1345)], visits, END).cut_off;
        assert_eq!((cut(&[1000, 1645]), cut(&[1000, 1646])), (1.0, 0.0));
    }

    #[test]
    fn nobody_waits_for_what_is_always_on() {
        let visits = Source::Office.draw(20, 0);
        let cost = of(Policy::AlwaysOn, &[visits]);
        assert_eq!(
            (cost.hours, cost.waited, cost.waited_hours, cost.cut_off),
            (168.0, 0.0, 0.0, 0.0)
        );
    }
}
