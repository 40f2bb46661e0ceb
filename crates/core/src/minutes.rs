//! What the minutes of CloudWatch metrics say about use: the signals `requests` and `cpu`.
//!
//! A metric that is absent may be silence, or late, lost or looked for in the wrong place. So one metric says
//! which minutes were used, and a witness that is published every minute says which minutes are known at all.
//!
//! - `requests`: a load balancer publishes RequestCount only while there are requests; HealthyHostCount is the
//!   witness, published every minute while the target group has targets (Elastic Load Balancing User Guide,
//!   "CloudWatch metrics for your Application Load Balancer").
//! - `cpu`: CPUUtilization is published every minute while tasks run and is its own witness (Amazon ECS
//!   Developer Guide, "Amazon ECS service utilization metrics").

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::reading::Reading;

/// Load balancers and ECS publish by the minute.
pub const PERIOD: Duration = Duration::from_secs(60);
/// Metrics older than this say nothing about now. CloudWatch usually shows them within 2 minutes; our choice.
pub const LONGEST_LAG: Duration = Duration::from_secs(5 * 60);

/// One minute of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its beginning.
    pub at: Timestamp,
    /// Its value.
    pub value: f64,
}

/// The beginning of the time that must be asked for, to judge an idle time that ends now.
#[must_use]
pub fn window_start(idle_after: Duration, now: Timestamp) -> Timestamp {
    duration::before(now, idle_after + LONGEST_LAG + 2 * PERIOD)
}

/// What the minutes say: those of `used` with a value above 0 saw use, those of `witness` are known. `what` names
/// the witness in the words of its owner, for the reason of an `Unknown`.
#[must_use]
pub fn judge(used: &[Point], witness: &[Point], what: &str, now: Timestamp) -> Reading {
    let mut minutes: Vec<Timestamp> = witness.iter().map(|point| point.at).collect();
    minutes.sort_unstable();
    // The newest minute may still be filling.
    let Some(until) = minutes.pop() else {
        return Reading::Unknown(format!("CloudWatch has no {what}"));
    };
    if duration::between(until, now) > LONGEST_LAG {
        return Reading::Unknown(format!("CloudWatch's {what} ends at {until:.0}"));
    }
    let mut since = until;
    for minute in minutes.into_iter().rev() {
        // A missing minute ends what is known.
        if duration::between(minute, since) > PERIOD {
            break;
        }
        since = minute;
    }
    let last_use = used
        .iter()
        .filter(|point| point.value > 0.0)
        .map(|point| point.at)
        .max();
    match last_use.map(|at| duration::after(at, PERIOD)) {
        Some(end) if end > until => Reading::Active(end.min(now)),
        Some(end) => Reading::Quiet {
            since: since.max(end),
            until,
        },
        None => Reading::Quiet { since, until },
    }
}

/// The minutes in which a metric was above `limit`, as [`judge`] takes them.
#[must_use]
pub fn above(minutes: &[Point], limit: f64) -> Vec<Point> {
    minutes
        .iter()
        .filter(|point| point.value > limit)
        .copied()
        .collect()
}

/// One reading for several target groups of a service: it is as quiet as the least quiet, and as unknown as the
/// least known.
#[must_use]
pub fn combine(readings: Vec<Reading>) -> Reading {
    let mut readings = readings.into_iter();
    let Some(first) = readings.next() else {
        return Reading::Unknown("the service has no target group".to_owned());
    };
    readings.fold(first, |a, b| match (a, b) {
        (Reading::Active(a), Reading::Active(b)) => Reading::Active(a.max(b)),
        (Reading::Active(at), _) | (_, Reading::Active(at)) => Reading::Active(at),
        (Reading::Unknown(why), _) | (_, Reading::Unknown(why)) => Reading::Unknown(why),
        (Reading::Quiet { since: a, until: x }, Reading::Quiet { since: b, until: y }) => Reading::Quiet {
            since: a.max(b),
            until: x.min(y),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_second(n * 60).expect("a moment")
    }

    fn points(minutes: impl IntoIterator<Item = i64>, value: f64) -> Vec<Point> {
        minutes
            .into_iter()
            .map(|n| Point { at: minute(n), value })
            .collect()
    }

    #[test]
    fn silence_counts_from_the_end_of_the_last_minute_with_requests() {
        let reading = judge(
            &points([100, 105], 3.0),
            &points(90..=130, 1.0),
            "metric",
            minute(131),
        );
        assert_eq!(
            reading,
            Reading::Quiet {
                since: minute(106),
                until: minute(130)
            }
        );
    }

    #[test]
    fn silence_without_any_request_counts_from_the_first_minute_that_is_known() {
        assert_eq!(
            judge(&[], &points(90..=130, 1.0), "metric", minute(131)),
            Reading::Quiet {
                since: minute(90),
                until: minute(130)
            }
        );
    }

    #[test]
    fn requests_in_the_newest_minute_are_use() {
        assert_eq!(
            judge(&points([130], 1.0), &points(90..=130, 1.0), "metric", minute(131)),
            Reading::Active(minute(131))
        );
    }

    #[test]
    fn no_metric_at_all_is_unknown_and_not_quiet() {
        assert!(matches!(
            judge(&[], &[], "metric", minute(131)),
            Reading::Unknown(_)
        ));
        assert!(matches!(
            judge(&points([100], 0.0), &[], "metric", minute(131)),
            Reading::Unknown(_)
        ));
    }

    #[test]
    fn metrics_that_ended_say_nothing_about_now() {
        assert!(matches!(
            judge(&[], &points(60..=120, 1.0), "metric", minute(126)),
            Reading::Unknown(_)
        ));
        assert!(matches!(
            judge(&[], &points(60..=121, 1.0), "metric", minute(126)),
            Reading::Quiet { .. }
        ));
    }

    #[test]
    fn a_missing_minute_ends_what_is_known() {
        let witness = points((90..=110).chain(112..=130), 1.0);
        assert_eq!(
            judge(&[], &witness, "metric", minute(131)),
            Reading::Quiet {
                since: minute(112),
                until: minute(130)
            }
        );
    }

    #[test]
    fn a_minute_with_a_count_of_zero_is_not_use() {
        let reading = judge(
            &points([125], 0.0),
            &points(120..=130, 1.0),
            "metric",
            minute(131),
        );
        assert_eq!(
            reading,
            Reading::Quiet {
                since: minute(120),
                until: minute(130)
            }
        );
    }

    #[test]
    fn only_minutes_above_the_limit_were_used() {
        let mut cpu = points(100..=130, 3.0);
        cpu[20].value = 40.0;
        assert_eq!(
            judge(&above(&cpu, 5.0), &cpu, "CPUUtilization", minute(131)),
            Reading::Quiet {
                since: minute(121),
                until: minute(130)
            }
        );
        assert_eq!(
            judge(&above(&[], 5.0), &[], "CPUUtilization", minute(131)),
            Reading::Unknown("CloudWatch has no CPUUtilization".to_owned())
        );
    }

    #[test]
    fn several_target_groups_are_as_quiet_as_the_least_quiet() {
        let quiet = |since, until| Reading::Quiet {
            since: minute(since),
            until: minute(until),
        };
        assert_eq!(combine(vec![quiet(1, 9), quiet(3, 8)]), quiet(3, 8));
        assert_eq!(
            combine(vec![quiet(1, 9), Reading::Active(minute(5))]),
            Reading::Active(minute(5))
        );
        assert!(matches!(
            combine(vec![quiet(1, 9), Reading::Unknown("x".into())]),
            Reading::Unknown(_)
        ));
        assert!(matches!(combine(Vec::new()), Reading::Unknown(_)));
    }

    #[test]
    fn as_much_is_asked_for_as_may_be_late_and_two_minutes_more() {
        let idle_after = Duration::from_secs(600);
        let start = window_start(idle_after, minute(100));
        assert_eq!(start, duration::before(minute(88), LONGEST_LAG));
    }

    #[test]
    fn use_that_ended_with_the_last_whole_minute_is_quiet_since() {
        let witness = points(0..=10, 0.0);
        let quiet = judge(&points([9], 1.0), &witness, "requests", minute(11));
        let until = minute(10);
        assert_eq!(quiet, Reading::Quiet { since: until, until });
        let active = judge(&points([10], 1.0), &witness, "requests", minute(11));
        assert_eq!(active, Reading::Active(minute(11)));
    }

    #[test]
    fn a_limit_itself_is_not_above_it() {
        let all = [points([1], 5.0), points([2], 5.1)].concat();
        assert_eq!(above(&all, 5.0), points([2], 5.1));
    }
}
