//! Visits of a quiet environment: moments, in seconds from a Saturday's midnight on, in order.

use crate::bench::random::Random;
use crate::bench::trace::{self, Trace};

pub(super) use crate::bench::trace::DAY;

/// Requests a day of the environments that are tried.
pub(super) const RATES: [u32; 5] = [1, 5, 20, 50, 200];
/// How often each is drawn anew, and averaged: few visits say little.
pub(super) const DRAWS: [u32; 5] = [20, 10, 4, 2, 1];
/// How long each is watched, in days: two weeks.
pub(super) const DAYS: u32 = 14;

/// Requests that one person makes in a row in the made traces, on average; our choice.
const SESSION: f64 = 4.0;
/// Seconds between two of them, on average; our choice.
const PAUSE: f64 = 120.0;

/// Where visits come from.
pub(super) enum Source<'a> {
    /// Each request of the real trace is kept with the same probability. Its nights, weekends and launch day stay; that
    /// one person makes several requests in a row is lost, because most of those are not kept.
    Thinned(&'a Trace),
    /// Made by the project: people who come mostly in office hours and make several requests in a row.
    Office,
}

impl Source<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Thinned(_) => "real, thinned",
            Self::Office => "made, office",
        }
    }

    /// Two weeks with about so many requests a day.
    pub(super) fn draw(&self, rate: u32, number: u32) -> Vec<u32> {
        let mut random = Random::new((u64::from(rate) << 32) + u64::from(number));
        let mut visits = match self {
            Self::Thinned(trace) => thinned(trace, rate, &mut random),
            Self::Office => office(rate, &mut random),
        };
        visits.sort_unstable();
        visits
    }
}

/// The trace begins on a Saturday.
pub(super) fn is_weekday(day: u32) -> bool {
    day % 7 >= 2
}

fn thinned(trace: &Trace, rate: u32, random: &mut Random) -> Vec<u32> {
    let days = f64::from(trace.seconds()) / f64::from(DAY);
    let keep = f64::from(rate) * days / trace.total() as f64;
    let mut visits = Vec::new();
    for (bin, requests) in (0u32..)
        .zip(trace.bins())
        .take((DAYS * DAY / trace::BIN) as usize)
    {
        let kept = (0..*requests).filter(|_| random.happens(keep)).count();
        visits.extend((0..kept).map(|_| bin * trace::BIN + random.below(trace::BIN)));
    }
    visits
}

fn office(rate: u32, random: &mut Random) -> Vec<u32> {
    let people = (f64::from(rate * DAYS) / SESSION).round().max(1.0) as u32;
    let mut visits = Vec::new();
    for _ in 0..people {
        let mut at = f64::from(arrival(random));
        visits.push(at as u32);
        while !random.happens(1.0 / SESSION) {
            at += random.exponential(PAUSE);
            visits.push(at as u32);
        }
    }
    visits.retain(|at| *at < DAYS * DAY);
    visits
}

/// When a person comes: mostly in office hours.
fn arrival(random: &mut Random) -> u32 {
    loop {
        let second = random.below(DAYS * DAY);
        if random.happens(likelihood(second)) {
            return second;
        }
    }
}

/// How likely people are to come at this second, compared with a weekday's morning; our choice.
fn likelihood(second: u32) -> f64 {
    match (is_weekday(second / DAY), second % DAY / 3600) {
        (true, 9..12 | 13..17) => 1.0,
        (true, 8 | 12 | 17) => 0.5,
        (true, 18..22) => 0.12,
        (false, 9..22) => 0.06,
        _ => 0.01,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_visits_are_as_many_as_asked_and_mostly_in_office_hours() {
        let visits = Source::Office.draw(200, 0);
        assert!((2500..3100).contains(&visits.len()), "{}", visits.len());
        let is_office = |at: &&u32| is_weekday(**at / DAY) && (8..18).contains(&(**at % DAY / 3600));
        let share = visits.iter().filter(is_office).count() as f64 / visits.len() as f64;
        assert!((0.85..0.97).contains(&share), "{share}");
        assert!(visits.is_sorted() && visits == Source::Office.draw(200, 0));
        assert!(visits != Source::Office.draw(200, 1));
    }

    #[test]
    fn people_make_several_requests_in_a_row() {
        let visits = Source::Office.draw(5, 0);
        let near = visits.windows(2).filter(|pair| pair[1] - pair[0] <= 600).count();
        assert!(near * 2 > visits.len(), "{near} of {}", visits.len());
    }

    #[test]
    fn the_trace_begins_with_a_weekend() {
        let weekdays: Vec<u32> = (0..9).filter(|day| is_weekday(*day)).collect();
        assert_eq!(weekdays, [2, 3, 4, 5, 6]);
    }
}
