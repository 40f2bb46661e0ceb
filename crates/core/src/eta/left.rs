//! How much time is left: every earlier wake, replayed from where this one is now.

use std::time::Duration;

use jiff::Timestamp;

use super::{Place, Wakes, median, p90};
use crate::ids::Generation;

/// A step may take this many times as long as the longest one known, and [`SLACK`] more, before nothing is said about its end
/// any more. Our choice.
const BEYOND: u32 = 2;
/// See [`BEYOND`].
const SLACK: Duration = Duration::from_secs(5);

/// What would be left if this wake went on like each of the earlier ones, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left(Vec<(Generation, Duration)>);

impl Left {
    /// What is left for a service that is not ready; nothing is known of one that is.
    ///
    /// Of an earlier wake there is left what its present step took beyond the time spent in it now, and all later steps. Those
    /// whose step was over by now cannot tell. If that are all of them, the step is over its time and should end any moment,
    /// so the later steps are left; once it is far beyond everything known, nothing is said.
    #[must_use]
    pub fn of_service(wakes: &Wakes, place: &Place, now: Timestamp) -> Self {
        let Some((first, last, elapsed)) = place.span(now) else {
            return Self::default();
        };
        let whole = wakes.whole();
        let sum = |seconds: &[u32]| Duration::from_secs(seconds.iter().copied().map(u64::from).sum());
        let split = whole.iter().map(|(generation, seconds)| {
            let (past, later) = seconds.split_at(last + 1);
            (*generation, sum(&past[first..]), sum(later))
        });
        let longest = split.clone().map(|(_, step, _)| step).max().unwrap_or_default();
        if longest > elapsed {
            let still_there = split.filter(|(_, step, _)| *step > elapsed);
            return Self(
                still_there
                    .map(|(generation, step, later)| (generation, step - elapsed + later))
                    .collect(),
            );
        }
        if elapsed > longest * BEYOND + SLACK {
            return Self::default();
        }
        Self(split.map(|(generation, _, later)| (generation, later)).collect())
    }

    /// What is left for several services that are not ready: in each wake as long as the last of them took. Wakes are put
    /// together by their generation; where services have none in common, from the newest back. Nothing is known if it is not
    /// of one of them.
    #[must_use]
    pub fn of_all(services: &[Self]) -> Self {
        let Some((first, others)) = services.split_first() else {
            return Self::default();
        };
        let joined = first.0.iter().filter_map(|(generation, left)| {
            let theirs = others.iter().map(|other| {
                let same = other.0.iter().find(|(theirs, _)| theirs == generation);
                same.map(|(_, left)| *left)
            });
            let theirs = theirs.collect::<Option<Vec<_>>>()?;
            Some((*generation, theirs.into_iter().fold(*left, Duration::max)))
        });
        let joined: Vec<(Generation, Duration)> = joined.collect();
        if !joined.is_empty() {
            return Self(joined);
        }
        let all = services.iter().map(|service| service.0.len()).min().unwrap_or(0);
        let from_newest = (1..=all).rev().filter_map(|back| {
            let nth = |service: &Self| service.0.get(service.0.len() - back).copied();
            let (generation, _) = nth(first)?;
            let left = services.iter().filter_map(nth).map(|(_, left)| left).max()?;
            Some((generation, left))
        });
        Self(from_newest.collect())
    }

    /// Seconds that are probably left: the median. At least 1, because it is not ready yet.
    #[must_use]
    pub fn usual(&self) -> Option<u64> {
        median(self.lengths()).map(seconds)
    }

    /// Seconds that are usually left at most: the 90th percentile. At least 1.
    #[must_use]
    pub fn at_most(&self) -> Option<u64> {
        p90(self.lengths()).map(seconds)
    }

    /// The least that is left.
    #[must_use]
    pub fn soonest(&self) -> Option<Duration> {
        self.lengths().min()
    }

    fn lengths(&self) -> impl Iterator<Item = Duration> {
        self.0.iter().map(|(_, left)| *left)
    }
}

fn seconds(left: Duration) -> u64 {
    left.as_secs_f64().ceil().max(1.0) as u64
}
