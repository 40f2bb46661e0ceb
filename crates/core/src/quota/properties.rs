//! Whatever the order and the waits, the bucket keeps its promises.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Priority, SERVICE_WRITES, Take};
use crate::duration;

/// The table's item, with its conditional writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stored {
    pub(super) until: Option<Timestamp>,
}

impl Stored {
    /// One take; the wait if it is told to wait.
    pub(super) fn take(&mut self, now: Timestamp, priority: Priority) -> Option<Duration> {
        let take = SERVICE_WRITES.take(self.until, now, priority);
        if let Take::Wait(wait) = take {
            return Some(wait);
        }
        assert!(self.write(take), "nobody came in between");
        None
    }

    /// One booking; when its tokens are there, if they are until `latest`.
    pub(super) fn book(
        &mut self,
        now: Timestamp,
        priority: Priority,
        count: u32,
        latest: Timestamp,
    ) -> Option<Timestamp> {
        let take = SERVICE_WRITES.book(self.until, now, priority, count, latest);
        if matches!(take, Take::Wait(_)) {
            return None;
        }
        assert!(self.write(take), "nobody came in between");
        let slot = SERVICE_WRITES.slot(self.until.expect("a moment"), priority);
        Some(slot.max(now))
    }

    /// A write that was decided on earlier, maybe from what is old by now. Says whether its condition held.
    fn write(&mut self, take: Take) -> bool {
        match take {
            Take::First { until, now, latest } => {
                let full = self.until.is_none_or(|stored| stored < now || stored > latest);
                if full {
                    self.until = Some(until);
                }
                full
            }
            Take::Next { by, from, to } => {
                let fits = self.until.filter(|stored| (from..=to).contains(stored));
                self.until = fits.map(|stored| duration::after(stored, by)).or(self.until);
                fits.is_some()
            }
            Take::Wait(_) => false,
        }
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + micros).expect("a moment")
}

fn patient() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::ScaleOut), Just(Priority::Sleep)]
}

fn anyone() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::Wake), patient()]
}

/// Microseconds from one take to the next: often none, mostly short, so that the bucket is empty most of the time.
fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![60 => Just(0), 30 => 0i64..300_000, 1 => 0i64..15_000_000]
}

/// How many tokens are left, as a plain count: an independent model in microtokens.
struct Model {
    left: i64,
    at: i64,
}

impl Model {
    /// Of tokens, millionths.
    const ONE: i64 = 1_000_000;

    /// Fills up. A token in 200 ms is five millionths in a microsecond; the bucket knows whole milliseconds.
    fn fill(&mut self, micros: i64) {
        let micros = micros / 1000 * 1000;
        self.left = (self.left + (micros - self.at) * 5).min(50 * Self::ONE);
        self.at = micros;
    }
}

proptest! {
    #[test]
    fn no_window_sees_more_than_the_bucket_and_what_flows_in(
        takes in prop::collection::vec((gap(), patient()), 1..300)
    ) {
        let (mut stored, mut now) = (Stored::default(), 0);
        let mut granted: Vec<i64> = Vec::new();
        for (gap, priority) in takes {
            now += gap;
            if stored.take(at(now), priority).is_none() {
                granted.push(now);
            }
        }
        for (first, start) in granted.iter().enumerate() {
            for (last, end) in granted.iter().enumerate().skip(first) {
                // Whole milliseconds: a window may seem one longer than it is.
                let flowed_in = ((end - start) / 1000 + 1) / 200;
                prop_assert!((last - first + 1) as i64 <= 50 + flowed_in, "{start} to {end} us");
            }
        }
    }

    #[test]
    fn no_window_sees_more_though_some_stand_in_line(
        calls in prop::collection::vec((gap(), anyone(), 1u32..6, any::<bool>()), 1..300)
    ) {
        let (mut stored, mut now) = (Stored::default(), 0);
        let mut made: Vec<i64> = Vec::new();
        for (gap, priority, count, books) in calls {
            now += gap;
            if books && priority != Priority::Sleep {
                if let Some(slot) = stored.book(at(now), priority, count, at(now + 20_000_000)) {
                    let slot = slot.as_microsecond() - at(0).as_microsecond();
                    prop_assert!((now..=now + 20_000_000).contains(&slot));
                    made.extend(std::iter::repeat_n(slot, count as usize));
                }
            } else if stored.take(at(now), priority).is_none() {
                made.push(now);
            }
        }
        made.sort_unstable();
        for (first, start) in made.iter().enumerate() {
            for (last, end) in made.iter().enumerate().skip(first) {
                let flowed_in = ((end - start) / 1000 + 1) / 200;
                prop_assert!((last - first + 1) as i64 <= 50 + flowed_in, "{start} to {end} us");
            }
        }
    }

    #[test]
    fn nobody_takes_of_what_is_reserved_for_the_more_urgent(
        takes in prop::collection::vec((gap(), anyone()), 1..300)
    ) {
        let (mut stored, mut now) = (Stored::default(), 0);
        let mut model = Model { left: 50 * Model::ONE, at: 0 };
        for (gap, priority) in takes {
            now += gap;
            model.fill(now);
            let granted = stored.take(at(now), priority).is_none();
            let leaves = model.left - Model::ONE;
            let enough = leaves >= i64::from(priority.reserve()) * Model::ONE;
            prop_assert_eq!(granted, enough);
            if granted {
                model.left = leaves;
            }
        }
    }

    #[test]
    fn the_told_wait_suffices_if_nobody_else_takes_and_no_less_does(
        before in prop::collection::vec((gap(), anyone()), 1..200), priority in patient()
    ) {
        let (mut stored, mut now) = (Stored::default(), 0);
        for (gap, priority) in before {
            now += gap;
            stored.take(at(now), priority);
        }
        if let Some(wait) = stored.take(at(now), priority) {
            let wait = i64::try_from(wait.as_micros()).expect("a short wait");
            prop_assert!((1..=10_000_000).contains(&wait), "{wait} us");
            let millis = now / 1000 * 1000 + wait;
            prop_assert!(stored.take(at(millis - 1), priority).is_some());
            prop_assert_eq!(stored.take(at(now + wait), priority), None);
        }
    }

    /// Many read, decide and write at once, each from what it saw a while ago: the conditions alone keep the promises.
    #[test]
    fn writes_that_rest_on_old_looks_take_no_more(
        writers in prop::collection::vec((gap(), patient(), 0usize..20), 1..300)
    ) {
        let (mut stored, mut now) = (Stored::default(), 0);
        let mut model = Model { left: 50 * Model::ONE, at: 0 };
        let mut seen = vec![stored.until];
        for (gap, priority, age) in writers {
            now += gap;
            model.fill(now);
            let looked_at = seen[seen.len().saturating_sub(1 + age)];
            if stored.write(SERVICE_WRITES.take(looked_at, at(now), priority)) {
                model.left -= Model::ONE;
                prop_assert!(model.left >= i64::from(priority.reserve()) * Model::ONE);
                seen.push(stored.until);
            }
        }
    }
}
