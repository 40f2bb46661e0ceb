//! How fast a watch reads from ECS.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;

/// Half of each of ECS's two read buckets, which hold 100 calls and give 20 a second for each account and Region
/// (Amazon ECS API reference, "Request throttling for the Amazon ECS API"): the other half is everybody else's.
pub(super) const BURST: u32 = 50;
const INTERVAL: Duration = Duration::from_millis(100);

/// One of the buckets, by the generic cell rate algorithm: only the moment at which it is full again is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    full_at: Option<Timestamp>,
}

impl Pace {
    /// How many calls may be made now.
    pub(super) fn left(&self, now: Timestamp) -> u32 {
        let missing = self
            .full_at
            .map_or(Duration::ZERO, |full| duration::between(now, full));
        let missing = missing.as_millis().div_ceil(INTERVAL.as_millis());
        BURST.saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX))
    }

    /// Remembers calls that were made. More than were left are a debt.
    pub(super) fn spend(&mut self, calls: u32, now: Timestamp) {
        let from = self.full_at.map_or(now, |full| full.max(now));
        self.full_at = Some(duration::after(from, INTERVAL.saturating_mul(calls)));
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
    fn what_was_spent_beyond_is_paid_back_first() {
        let mut pace = Pace::default();
        pace.spend(80, at(0));
        assert_eq!([2_900, 3_000, 3_100].map(|ms| pace.left(at(ms))), [0, 0, 1]);
    }
}
