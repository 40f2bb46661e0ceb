//! A model of AWS target tracking (Application Auto Scaling) on an average per task.
//!
//! From the Application Auto Scaling User Guide, "How target tracking scaling for Application Auto Scaling works": two
//! CloudWatch alarms, a scale-out in proportion to the metric "as fast as it can", a more gradual scale-in, rounding up,
//! cooldowns of 300 s for ECS services. What AWS does not document is our reading, and in its favour where in doubt:
//!
//! - The alarms' datapoints (3 of 3 above, 15 of 15 below) and the low threshold (90 % of the target for ECS) are what
//!   users see of the alarms that it makes; for metrics of 20 s we take the same numbers of datapoints, so that a
//!   scale-in needs 5 minutes of them.
//! - "More gradual" is taken to be what the highest of those fifteen needs. In proportion to the newest one instead,
//!   under-provisioned seconds on the real trace are three to seven times as many, and task-hours 4 to 9 % fewer.
//! - The metric tells the whole load, also beyond 100 % of what tasks can do; a CPU utilization, the only metric that
//!   ECS itself offers at 20 s, would not.

use std::collections::VecDeque;

use crate::bench::scaling::fleet::{Look, Policy, Setup};

/// Datapoints that must all be above the target; observed.
const HIGH_POINTS: usize = 3;
/// Datapoints that must all be below [`LOW`] of the target; observed.
const LOW_POINTS: usize = 15;
/// Share of the target; observed for ECS services.
const LOW: f64 = 0.9;
/// Seconds of both cooldowns: the default for ECS services (Application Auto Scaling API reference,
/// "TargetTrackingScalingPolicyConfiguration").
const COOLDOWN: u32 = 300;

pub(super) struct TargetTracking {
    setup: Setup,
    /// Seconds of a datapoint.
    period: u32,
    /// Seconds from the end of a period until its datapoint is acted on.
    delay: u32,
    /// Sum of connections per task, and seconds, of the period under way.
    sum: (f64, u32),
    /// Datapoints on their way: when they arrive.
    coming: VecDeque<(u32, f64)>,
    /// The last datapoints, the newest last.
    points: VecDeque<f64>,
    /// When it last scaled out, and the count before.
    scaled_out: Option<(u32, u32)>,
    scaled_in: Option<u32>,
}

impl TargetTracking {
    /// On metrics of 60 s. The delay is our reading: 120 s, within which CloudWatch usually shows a minute. The model
    /// then acts about 270 s after a spike; AWS itself measured 363 s (AWS blog, "Amazon ECS introduces new
    /// high-resolution metrics for faster service auto scaling", 2026-06-18). So it is in AWS's favour.
    pub(super) fn of_60_seconds(setup: Setup) -> Self {
        Self::new(setup, 60, 120)
    }

    /// On metrics of 20 s (Amazon ECS Developer Guide, "Faster auto scaling with high-resolution metrics"). The delay
    /// is calibrated: with 36 s the model acts about 86 s after a spike, as AWS measured in the same place.
    pub(super) fn of_20_seconds(setup: Setup) -> Self {
        Self::new(setup, 20, 36)
    }

    fn new(setup: Setup, period: u32, delay: u32) -> Self {
        Self {
            setup,
            period,
            delay,
            sum: (0.0, 0),
            coming: VecDeque::new(),
            points: VecDeque::new(),
            scaled_out: None,
            scaled_in: None,
        }
    }

    fn measure(&mut self, look: Look) {
        if look.second.is_multiple_of(self.period) && self.sum.1 > 0 {
            let arrives = look.second + self.delay;
            self.coming
                .push_back((arrives, self.sum.0 / f64::from(self.sum.1)));
            self.sum = (0.0, 0);
        }
        self.sum.0 += f64::from(look.load) / f64::from(look.running);
        self.sum.1 += 1;
    }

    fn evaluate(&mut self, now: u32, desired: u32) -> Option<u32> {
        let target = f64::from(self.setup.target);
        let newest = *self.points.back()?;
        let last = |count: usize| {
            let known = self.points.len() >= count;
            known.then(|| self.points.iter().rev().take(count))
        };
        let above = last(HIGH_POINTS).is_some_and(|mut points| points.all(|point| *point > target));
        let below = last(LOW_POINTS).is_some_and(|mut points| points.all(|point| *point < LOW * target));
        let cools = |since: u32| now < since + COOLDOWN;
        if above {
            // "While the cooldown period is in effect, the capacity added by the initiating scale-out activity is
            // calculated as part of the desired capacity for the next": only a larger one is carried out.
            let before = self
                .scaled_out
                .filter(|(at, _)| cools(*at))
                .map(|(_, before)| before);
            let count = self.setup.wanted(f64::from(before.unwrap_or(desired)) * newest);
            if count > desired {
                self.scaled_out = Some((now, before.unwrap_or(desired)));
                return Some(count);
            }
        } else if below && !self.scaled_in.is_some_and(cools) {
            let highest = self.points.iter().copied().fold(0.0, f64::max);
            let count = self.setup.wanted(f64::from(desired) * highest);
            if count < desired {
                self.scaled_in = Some(now);
                return Some(count);
            }
        }
        None
    }
}

impl Policy for TargetTracking {
    fn step(&mut self, look: Look) -> Option<u32> {
        self.measure(look);
        let (_, point) = self.coming.pop_front_if(|(arrives, _)| *arrives <= look.second)?;
        self.points.push_back(point);
        if self.points.len() > LOW_POINTS {
            self.points.pop_front();
        }
        self.evaluate(look.second, look.desired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scaling::fleet::tests::{SETUP, counts, load};

    #[test]
    fn three_datapoints_above_the_target_scale_out_once_in_proportion() {
        let load = load(&[(0, 90), (600, 950)], 1500);
        // The minutes from 600 s, 660 s and 720 s are above; the last one ends at 780 s and is known 120 s later. All
        // later datapoints of the cooldown ask for no more than 10.
        assert_eq!(
            counts(&mut TargetTracking::of_60_seconds(SETUP), &load),
            [(900, 10)]
        );
        assert_eq!(
            counts(&mut TargetTracking::of_20_seconds(SETUP), &load),
            [(696, 10)]
        );
    }

    #[test]
    fn a_spike_that_is_shorter_than_three_datapoints_is_not_seen() {
        let load = load(&[(0, 90), (600, 950), (720, 90)], 1500);
        assert_eq!(counts(&mut TargetTracking::of_60_seconds(SETUP), &load), []);
    }

    #[test]
    fn a_larger_scale_out_is_not_held_up_by_the_cooldown() {
        let load = load(&[(0, 90), (600, 150), (960, 290)], 1500);
        // Two tasks are asked for at 900 s and serve from 935 s on. The minutes from 900 s, 960 s and 1020 s have 118.75,
        // 145 and 145 for each task; the last one is known at 1200 s, just when the cooldown ends.
        assert_eq!(
            counts(&mut TargetTracking::of_60_seconds(SETUP), &load),
            [(900, 2), (1200, 3)]
        );
        let mut policy = TargetTracking::of_60_seconds(SETUP);
        policy.scaled_out = Some((900, 1));
        policy.points.extend([250.0, 250.0, 250.0]);
        assert_eq!(
            policy.evaluate(1000, 2),
            Some(3),
            "more than was asked for: 2.5 of one"
        );
        assert_eq!(policy.scaled_out, Some((1000, 1)));
        policy.points.extend([150.0, 150.0, 150.0]);
        assert_eq!(policy.evaluate(1001, 3), None, "it is on its way");
        assert_eq!(policy.evaluate(1300, 3), Some(5), "4.5 of three, once it is over");
    }

    #[test]
    fn a_scale_in_needs_fifteen_datapoints_below_nine_tenths_and_its_cooldown() {
        let load = load(&[(0, 1000), (600, 500)], 3000);
        // The fifteenth minute below 90 ends at 1500 s.
        assert_eq!(
            counts(&mut TargetTracking::of_60_seconds(SETUP), &load),
            [(1620, 5)]
        );
        let mut policy = TargetTracking::of_60_seconds(SETUP);
        policy.points.extend([89.0; 15]);
        assert_eq!(policy.evaluate(2000, 10), Some(9));
        assert_eq!(
            (policy.evaluate(2299, 9), policy.evaluate(2300, 10)),
            (None, Some(9))
        );
        policy.points.clear();
        policy.points.extend([[72.0; 5], [10.0; 5], [0.0; 5]].concat());
        assert_eq!(policy.evaluate(8000, 10), Some(8), "the highest decides");
        policy.points.extend([90.0]);
        assert_eq!(policy.evaluate(9000, 10), None);
    }
}
