//! When the passes of a watch are due.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;

/// Moments at equal distances. None drifts: each is reckoned from the first. What is late is skipped and counted, never
/// made up for.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    begun: Timestamp,
    every: Duration,
    taken: u32,
    skipped: u32,
}

impl Steps {
    /// The first step is due now.
    pub(super) fn new(begun: Timestamp, every: Duration) -> Self {
        let every = every.max(Duration::from_secs(1));
        Self {
            begun,
            every,
            taken: 0,
            skipped: 0,
        }
    }

    /// The next step that is not past, after the one that has just been taken.
    pub(super) fn next(&mut self, now: Timestamp) -> Timestamp {
        self.taken += 1;
        let due = self.taken + self.skipped;
        let passed = duration::between(self.begun, now).as_millis();
        let every = self.every.as_millis();
        // Exactly on time is not late.
        let earliest = u32::try_from(passed.div_ceil(every)).unwrap_or(u32::MAX);
        self.skipped += earliest.saturating_sub(due);
        duration::after(self.begun, self.every.saturating_mul(self.taken + self.skipped))
    }

    pub(super) fn taken(&self) -> u32 {
        self.taken
    }

    pub(super) fn skipped(&self) -> u32 {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).expect("a moment")
    }

    fn steps() -> Steps {
        Steps::new(at(0), Duration::from_secs(3))
    }

    #[test]
    fn a_step_that_takes_its_time_does_not_move_the_next() {
        let mut steps = steps();
        assert_eq!(steps.next(at(700)), at(3_000));
        assert_eq!(steps.next(at(5_999)), at(6_000));
        assert_eq!(steps.next(at(9_000)), at(9_000), "on time is not late");
        assert_eq!((steps.taken(), steps.skipped()), (3, 0));
    }

    #[test]
    fn what_a_slow_step_misses_is_counted_and_not_made_up_for() {
        let mut steps = steps();
        assert_eq!(
            steps.next(at(9_500)),
            at(12_000),
            "the steps at 3, 6 and 9 s are gone"
        );
        assert_eq!((steps.taken(), steps.skipped()), (1, 3));
        assert_eq!(steps.next(at(12_100)), at(15_000));
        assert_eq!((steps.taken(), steps.skipped()), (2, 3));
    }

    proptest! {
        #[test]
        fn every_step_is_a_whole_number_of_intervals_from_the_first(durations in proptest::collection::vec(0i64..12_000, 1..40)) {
            let (mut steps, mut now) = (steps(), 0);
            for took in durations {
                now += took;
                let next = steps.next(at(now));
                let next = next.as_millisecond() - at(0).as_millisecond();
                prop_assert!(next >= now && next - now < 3_000 + 3_000 * i64::from(took < 3_000) && next % 3_000 == 0);
                prop_assert_eq!(next / 3_000, i64::from(steps.taken() + steps.skipped()));
                now = next;
            }
        }
    }
}
