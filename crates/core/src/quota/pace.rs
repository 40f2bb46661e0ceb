//! How fast whoever looks at many services reads from ECS.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;

/// Half of each of ECS's two read buckets, which hold 100 calls and give 20 a second for each account and Region
/// (Amazon ECS API reference, "Request throttling for the Amazon ECS API"): the other half is everybody else's.
pub(crate) const BURST: u32 = 50;
const INTERVAL: Duration = Duration::from_millis(100);

/// One of the buckets, or an equal part of it, by the generic cell rate algorithm: only the moment at which it is full
/// again is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    parts: u32,
    full_at: Option<Timestamp>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::part_of(1)
    }
}

impl Pace {
    /// One of so many equal parts, of which each has one call at least.
    pub(crate) fn part_of(parts: u32) -> Self {
        Self {
            parts: parts.clamp(1, BURST),
            full_at: None,
        }
    }

    fn interval(&self) -> Duration {
        INTERVAL * self.parts
    }

    /// How many calls may be made now.
    pub(crate) fn left(&self, now: Timestamp) -> u32 {
        let missing = self
            .full_at
            .map_or(Duration::ZERO, |full| duration::between(now, full));
        let missing = missing.as_millis().div_ceil(self.interval().as_millis());
        (BURST / self.parts).saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX))
    }

    /// How long to wait until one more call than now may be made.
    pub(crate) fn wait(&self) -> Duration {
        self.interval()
    }

    /// Remembers calls that were made. More than were left are a debt.
    pub(crate) fn spend(&mut self, calls: u32, now: Timestamp) {
        let from = self.full_at.map_or(now, |full| full.max(now));
        self.full_at = Some(duration::after(from, self.interval().saturating_mul(calls)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).expect("a moment")
    }

    #[test]
    fn half_a_bucket_at_once_and_half_its_rate_from_then_on() {
        let mut pace = Pace::default();
        assert_eq!(pace.left(at(0)), 50);
        pace.spend(50, at(0));
        assert_eq!(
            [0, 99, 100, 1_000, 5_000, 60_000].map(|ms| pace.left(at(ms))),
            [0, 0, 1, 10, 50, 50]
        );
    }

    #[test]
    fn parts_together_are_no_more_than_the_whole() {
        for parts in [1, 2, 8, 50, 80] {
            let mut pace = Pace::part_of(parts);
            let at_once = pace.left(at(0));
            pace.spend(at_once, at(0));
            let wait = i64::try_from(pace.wait().as_millis()).expect("a short wait");
            assert_eq!((pace.left(at(wait - 1)), pace.left(at(wait))), (0, 1), "{parts}");
            assert!((1..=50 / parts.min(50)).contains(&at_once), "{parts}: {at_once}");
        }
    }

    #[test]
    fn what_was_spent_beyond_is_paid_back_first() {
        let mut pace = Pace::default();
        pace.spend(80, at(0));
        assert_eq!([2_900, 3_000, 3_100].map(|ms| pace.left(at(ms))), [0, 0, 1]);
    }
}
