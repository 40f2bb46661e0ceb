//! A model of Knative's autoscaler, the KPA, on concurrency.
//!
//! Knative Serving, "Additional autoscaling configuration for Knative Pod Autoscaler", with the defaults of its
//! ConfigMap `config-autoscaler`, and the order of steps of its source, `pkg/autoscaler/scaling/autoscaler.go`: the mean
//! of 60 s decides, or in panic that of 6 s, and in panic nothing is removed. Scale to zero is left out. Knative sees
//! every request in its own proxies, which also hold requests back while tasks start; here only tasks are counted.

use std::collections::VecDeque;

use crate::bench::scaling::fleet::{Look, Policy, Setup};

/// `tick-interval`, in seconds.
const TICK: u32 = 2;
/// `stable-window`, in seconds.
const STABLE: usize = 60;
/// The panic window, in seconds: `panic-window-percentage` 10 of the stable one.
const PANIC: usize = 6;
/// `panic-threshold-percentage`: this many times the tasks that are ready.
const PANIC_THRESHOLD: f64 = 2.0;
/// `max-scale-up-rate`: times the tasks that are ready.
const MAX_UP: u32 = 1000;
/// `max-scale-down-rate`.
const MAX_DOWN: u32 = 2;

pub(super) struct Knative {
    setup: Setup,
    /// The concurrency of each second of the stable window, the newest last.
    seconds: VecDeque<u32>,
    /// When it last was above the threshold, if it panics.
    panicking: Option<u32>,
    most_in_panic: u32,
    begun: bool,
}

impl Knative {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            seconds: VecDeque::new(),
            panicking: None,
            most_in_panic: 0,
            begun: false,
        }
    }

    fn mean(&self, seconds: usize) -> f64 {
        let newest = self.seconds.iter().rev().take(seconds);
        let count = newest.len().max(1) as f64;
        newest.map(|load| f64::from(*load)).sum::<f64>() / count
    }
}

impl Policy for Knative {
    fn step(&mut self, look: Look) -> Option<u32> {
        let (now, ready) = (look.second, look.running.max(1));
        self.seconds.push_back(look.load);
        if self.seconds.len() > STABLE {
            self.seconds.pop_front();
        }
        if !self.begun {
            // It begins in panic if there is more than one task, so that it removes nothing before it knows enough.
            self.begun = true;
            self.panicking = (ready > 1).then_some(now);
            self.most_in_panic = ready;
        }
        if !now.is_multiple_of(TICK) {
            return None;
        }
        let wanted = |load: f64| (load / f64::from(self.setup.target)).ceil();
        let (stable, panic) = (wanted(self.mean(STABLE)), wanted(self.mean(PANIC)));
        let bounded = |count: f64| (count as u32).clamp(ready / MAX_DOWN, ready * MAX_UP);
        if panic / f64::from(ready) >= PANIC_THRESHOLD {
            self.panicking = Some(now);
        } else if self.panicking.is_some_and(|since| since + (STABLE as u32) < now) {
            self.panicking = None;
            self.most_in_panic = 0;
        }
        let mut count = bounded(stable);
        if self.panicking.is_some() {
            self.most_in_panic = self.most_in_panic.max(count).max(bounded(panic));
            count = self.most_in_panic;
        }
        Some(count.clamp(Setup::MIN, Setup::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scaling::fleet::tests::{SETUP, counts, load};

    #[test]
    fn a_spike_is_panic_and_is_met_as_fast_as_the_panic_window_fills() {
        let load = load(&[(0, 100), (600, 1000)], 700);
        // The means of 6 s at 600, 602, 604 and 606 s are 250, 550, 850 and 1000.
        assert_eq!(
            counts(&mut Knative::new(SETUP), &load),
            [(600, 3), (602, 6), (604, 9), (606, 10)]
        );
    }

    #[test]
    fn a_small_rise_waits_for_the_stable_window() {
        // Two tasks for 180: the mean of 60 s exceeds 200 once 17 of its seconds have 251.
        let load = load(&[(0, 180), (600, 251)], 700);
        assert_eq!(counts(&mut Knative::new(SETUP), &load), [(616, 3)]);
    }

    #[test]
    fn nothing_is_removed_in_panic() {
        // It begins in panic, which is over at 62 s. Then the window holds 27 s of 1000, at 66 s 23 s of it, and so on.
        let load = load(&[(0, 1000), (30, 10)], 200);
        let counts = counts(&mut Knative::new(SETUP), &load);
        assert_eq!(counts, [(62, 5), (66, 4), (72, 3), (78, 2), (84, 1)]);
    }

    #[test]
    fn no_more_than_half_goes_at_once() {
        let mut knative = Knative::new(SETUP);
        knative.begun = true;
        knative.seconds.extend([10; 60]);
        let mut step = |second, running| {
            let (load, desired) = (10, running);
            knative.step(Look {
                second,
                load,
                desired,
                running,
            })
        };
        assert_eq!(
            [step(60, 11), step(62, 5), step(64, 2)],
            [Some(5), Some(2), Some(1)]
        );
        assert_eq!(step(65, 1), None, "a tick each two seconds");
    }
}
