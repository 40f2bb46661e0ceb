//! A model of KEDA: a ScaledObject whose Kubernetes HorizontalPodAutoscaler scales on an external metric.
//!
//! Kubernetes, "Horizontal Pod Autoscaling": a look each 15 s, `ceil(total / target)` unless the ratio is within 10 % of
//! 1, no more than the higher of 4 tasks and as many again in 15 s, down to the highest that any look of the last 300 s
//! recommended. KEDA, "ScaledObject specification": `pollingInterval` 30 s, within which values are cached if the trigger
//! says `useCachedMetrics` (default: it does not, and each look asks the source). Scale to zero is left out
//! (`minReplicaCount` 1).

use std::collections::VecDeque;

use crate::bench::scaling::fleet::{Look, Policy, Setup};

/// Seconds from one look of the autoscaler to the next: `--horizontal-pod-autoscaler-sync-period`.
const SYNC: u32 = 15;
/// `pollingInterval`, in seconds.
const POLL: u32 = 30;
/// Seconds by which polls and looks are apart, so that no value is fresh by chance; our choice.
const POLL_OFFSET: u32 = 11;
/// `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// `scaleDown.stabilizationWindowSeconds`.
const STABILIZATION: u32 = 300;
/// `scaleUp.policies`: so many more tasks in 15 s, which is one look ...
const MOST_MORE: u32 = 4;
/// ... or so many times as many; the higher one holds.
const MOST_TIMES: u32 = 2;

pub(super) struct Keda {
    setup: Setup,
    /// The load when it was last polled, if that is what looks are given.
    cached: Option<u32>,
    caches: bool,
    /// When which count was recommended.
    recommended: VecDeque<(u32, u32)>,
}

impl Keda {
    pub(super) fn new(setup: Setup, caches: bool) -> Self {
        Self {
            setup,
            cached: None,
            caches,
            recommended: VecDeque::new(),
        }
    }

    fn recommend(&self, load: u32, replicas: u32) -> u32 {
        let ratio = f64::from(load) / f64::from(self.setup.target * replicas);
        // Rounded, because 1.1 - 1 is not 0.1 for a computer.
        if ((ratio - 1.0).abs() * 1e9).round() <= TOLERANCE * 1e9 {
            replicas
        } else {
            self.setup.wanted(f64::from(load))
        }
    }
}

impl Policy for Keda {
    fn step(&mut self, look: Look) -> Option<u32> {
        let now = look.second;
        if (now + POLL_OFFSET).is_multiple_of(POLL) || self.cached.is_none() {
            self.cached = Some(look.load);
        }
        if !now.is_multiple_of(SYNC) {
            return None;
        }
        let load = self.cached.filter(|_| self.caches).unwrap_or(look.load);
        self.recommended
            .push_back((now, self.recommend(load, look.desired)));
        while self
            .recommended
            .pop_front_if(|(at, _)| *at + STABILIZATION <= now)
            .is_some()
        {}
        let newest = self.recommended.back()?.1;
        if newest > look.desired {
            let most = (look.desired + MOST_MORE).max(look.desired * MOST_TIMES);
            Some(newest.min(most))
        } else {
            let highest = self.recommended.iter().map(|(_, count)| *count).max()?;
            Some(highest.min(look.desired))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scaling::fleet::tests::{SETUP, counts, load};

    #[test]
    fn a_spike_is_met_at_the_next_look_with_four_more_or_twice_as_many() {
        let load = load(&[(0, 190), (601, 1950)], 900);
        assert_eq!(
            counts(&mut Keda::new(SETUP, false), &load),
            [(615, 6), (630, 12), (645, 20)]
        );
        // Polled at 589 s and 619 s; the look at 615 s still sees the load before.
        assert_eq!(
            counts(&mut Keda::new(SETUP, true), &load),
            [(630, 6), (645, 12), (660, 20)]
        );
    }

    #[test]
    fn a_tenth_more_or_less_changes_nothing() {
        let keda = Keda::new(SETUP, false);
        assert_eq!(
            [900, 899, 1100, 1101].map(|load| keda.recommend(load, 10)),
            [10, 9, 10, 12]
        );
    }

    #[test]
    fn fewer_tasks_wait_until_no_look_of_five_minutes_recommended_more() {
        let load = load(&[(0, 1000), (601, 300), (700, 500), (720, 300)], 1500);
        // 1000 was last seen at 600 s, 500 at 705 s.
        assert_eq!(counts(&mut Keda::new(SETUP, false), &load), [(900, 5), (1005, 3)]);
    }
}
