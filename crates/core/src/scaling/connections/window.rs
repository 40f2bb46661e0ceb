//! What is remembered of the readings of a service: as much as decisions need, and never more than a bound.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mode::Mode;
use super::reading::Reading;
use super::stored::Stored;
use super::{LONGEST_GAP, PANIC_STABLE_WINDOW, PANIC_THRESHOLD, STABLE_WINDOW};
use crate::duration;

/// Most readings that are kept one by one: one a second for [`PANIC_STABLE_WINDOW`].
pub const MOST_READINGS: usize = 60;
/// Of older readings the highest of each slot of so many seconds is kept. It delays a scale-in by as much at most.
pub const SLOT_SECONDS: i64 = 5;
/// Most slots that are kept: those of [`STABLE_WINDOW`], of which the first and the last may be cut.
pub const MOST_SLOTS: usize = 61;
/// Longest explanation that is kept, in characters.
const LONGEST_WHY: usize = 120;

/// The memory of readings. Its times are whole milliseconds, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Window {
    /// The last pass, known or not.
    pub(super) at: Option<Timestamp>,
    /// The unbroken run of readings that prove how low the load is.
    pub(super) run: Option<Run>,
    /// The readings of [`PANIC_STABLE_WINDOW`], oldest first.
    pub(super) marks: Vec<Mark>,
    /// Most connections in each slot of [`STABLE_WINDOW`], that of the last pass at the end; 0 if nothing was read. A
    /// load is taken to last until the next reading.
    pub(super) highs: Vec<u64>,
    /// The connections of the newest reading, as a scale-in reckons with them.
    pub(super) newest: u64,
    /// Why the last pass does not prove how low the load is, if so.
    pub(super) doubt: Option<String>,
}

/// Readings with no gap longer than [`LONGEST_GAP`]: the first and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    /// The tasks that were desired then.
    pub(super) desired: u32,
    /// The connections of all tasks.
    pub(super) total: u64,
}

impl Window {
    /// Remembers a pass that was made at `at`, when `desired` tasks should have run: its reading, or why there is
    /// none.
    pub fn record(&mut self, pass: &Result<Reading, String>, desired: u32, at: Timestamp) {
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        self.wind_back(at);
        self.advance(at);
        self.doubt = match pass {
            Ok(reading) => {
                self.read(reading, desired, at);
                reading.doubt()
            }
            Err(why) => Some(why.chars().take(LONGEST_WHY).collect()),
        };
        self.marks
            .retain(|mark| duration::between(mark.at, at) < PANIC_STABLE_WINDOW);
        let surplus = self.marks.len().saturating_sub(MOST_READINGS);
        self.marks.drain(..surplus);
    }

    fn read(&mut self, reading: &Reading, desired: u32, at: Timestamp) {
        let total = reading.total();
        let last = self.marks.last().map(|mark| mark.at);
        let lasted = last.is_some_and(|last| duration::between(last, at) <= LONGEST_GAP);
        self.marks.push(Mark { at, desired, total });
        let before = std::mem::replace(&mut self.newest, reading.upper_total().unwrap_or(total));
        if let Some(high) = self.highs.last_mut() {
            // What proves no lull may still be a peak.
            *high = self.newest.max(*high).max(if lasted { before } else { 0 });
        }
        if reading.doubt().is_none() {
            let unbroken = self
                .run
                .filter(|run| duration::between(run.until, at) <= LONGEST_GAP);
            self.run = Some(Run {
                since: unbroken.map_or(at, |run| run.since),
                until: at,
            });
        }
    }

    /// The newest reading, if it is no older than `age`.
    pub(super) fn newest(&self, age: Duration, now: Timestamp) -> Option<&Mark> {
        self.marks
            .last()
            .filter(|mark| duration::between(mark.at, now) <= age)
    }

    /// The run of readings that lasts until now, if there is one. A pass that proves nothing does not break it, but only
    /// one that does may begin a scale-in.
    pub(super) fn run(&self, now: Timestamp) -> Option<Run> {
        let lasts = |run: &Run| duration::between(run.until, now) <= LONGEST_GAP;
        self.run.filter(lasts).filter(|_| self.doubt.is_none())
    }

    /// Why nothing is known of the load now.
    pub(super) fn why_unknown(&self) -> String {
        self.doubt.clone().unwrap_or_else(|| match self.at {
            Some(at) => format!("the last reading was at {at:.0}"),
            None => "there is no reading yet".to_owned(),
        })
    }

    /// Most connections of [`STABLE_WINDOW`].
    pub(super) fn highest(&self) -> u64 {
        self.highs.iter().copied().max().unwrap_or(0)
    }

    /// The end of the last slot with so many connections that this holds for them.
    pub(super) fn last_with(&self, holds: impl Fn(u64) -> bool) -> Option<Timestamp> {
        let age = self.highs.iter().rev().position(|high| holds(*high))?;
        let end = (slot(self.at?) - age as i64 + 1) * SLOT_SECONDS;
        Timestamp::from_second(end).ok()
    }

    /// Until when there is panic, if there is: one [`PANIC_STABLE_WINDOW`] after the last reading that asked for
    /// [`PANIC_THRESHOLD`] times the tasks that were desired.
    pub(super) fn panics_until(&self, mode: &Mode, now: Timestamp) -> Option<Timestamp> {
        let leapt = |mark: &&Mark| {
            let desired = mark.desired.max(1);
            mode.wanted(mark.total, desired) >= desired.saturating_mul(PANIC_THRESHOLD)
        };
        let last = self.marks.iter().rfind(leapt)?;
        Some(duration::after(last.at, PANIC_STABLE_WINDOW)).filter(|until| now < *until)
    }

    /// The tasks that the spike of the newest reading met, of which there are `desired` now. A spike is as old as the
    /// unbroken readings that each asked for more than was desired then, because one decision stops short of a big
    /// leap. It is judged at the count that it met until it has what it asked for: the tasks of the first step lower
    /// the mean and would hide it. A single wrong reading is over with the next.
    pub(super) fn met(&self, mode: &Mode, desired: u32) -> u32 {
        let mut spike: Option<(u32, Timestamp)> = None;
        for mark in &self.marks {
            let unbroken = spike.filter(|(_, last)| duration::between(*last, mark.at) <= LONGEST_GAP);
            let desired_then = mark.desired.max(1);
            let met = unbroken.map_or(desired_then, |(met, _)| met.min(desired_then));
            let asks = mode.wanted(mark.total, met) > mark.desired;
            spike = asks.then_some((met, mark.at));
        }
        spike.map_or(desired, |(met, _)| met.min(desired))
    }

    /// A clock that went back, as those of two invocations may: what was read later counts as read now. It is
    /// remembered longer for it, and the run is shorter, so nothing is removed too early.
    fn wind_back(&mut self, at: Timestamp) {
        let Some(last) = self.at.filter(|last| at < *last) else {
            return;
        };
        self.marks.iter_mut().for_each(|mark| mark.at = mark.at.min(at));
        self.run = self.run.map(|run| Run {
            since: run.since.min(at),
            until: run.until.min(at),
        });
        let back = usize::try_from(slot(last) - slot(at)).unwrap_or(usize::MAX);
        let keep = self.highs.len().saturating_sub(back).max(1).min(self.highs.len());
        let later = self.highs.split_off(keep);
        if let Some(high) = self.highs.last_mut() {
            *high = later.into_iter().fold(*high, u64::max);
        }
        self.at = Some(at);
    }

    /// Makes the last slot the one of `at`, and forgets those that ended before the window.
    fn advance(&mut self, at: Timestamp) {
        let slots = self.at.map_or(1, |last| slot(at) - slot(last));
        let slots = usize::try_from(slots).unwrap_or(0).min(MOST_SLOTS);
        self.highs.extend(std::iter::repeat_n(0, slots));
        let first = slot(duration::before(at, STABLE_WINDOW));
        let most = usize::try_from(slot(at) - first + 1).unwrap_or(1).min(MOST_SLOTS);
        let surplus = self.highs.len().saturating_sub(most);
        self.highs.drain(..surplus);
        self.at = Some(at);
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT_SECONDS)
}
