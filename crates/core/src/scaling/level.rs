//! What the minutes of one utilization say: how high it is, and since when it is low.

use std::time::Duration;

use jiff::Timestamp;

use super::bounds::{Range, Scaling};
use super::load::{Load, Metric};
use super::reason::Utilization;
use super::{FRESH, STABLE_WINDOW};
use crate::duration;
use crate::minutes::{PERIOD, Point};

/// A utilization that the owner gave a range, and what is known of it, or why nothing is.
pub(super) struct Level {
    pub(super) of: Utilization,
    pub(super) range: Range,
    pub(super) known: Result<Known, String>,
}

/// What is known of a utilization.
pub(super) struct Known {
    /// The newest minute's percent.
    pub(super) newest: f64,
    /// The unbroken run of known minutes below the low bound, if the newest is one.
    pub(super) below: Option<Run>,
}

/// Minutes without a gap, each below the low bound.
pub(super) struct Run {
    /// Its beginning.
    pub(super) since: Timestamp,
    /// The end of its last full minute.
    until: Timestamp,
    /// Its highest percent within the stable window that ends it. One quiet minute must not hide a busier one
    /// (Kubernetes, "Horizontal Pod Autoscaling": stabilization takes the highest recommendation of the window).
    pub(super) highest: f64,
}

impl Run {
    /// Whether it covers the whole stable window.
    pub(super) fn is_stable(&self) -> bool {
        duration::between(self.since, self.until) >= STABLE_WINDOW
    }
}

/// Percent for people, rounded up: what is above a bound reads as above it.
pub(super) fn percent(value: f64) -> u32 {
    value.ceil() as u32
}

/// The levels that decide about a service: of each utilization with a range.
pub(super) fn of(scaling: &Scaling, seen: &Load, now: Timestamp) -> Vec<Level> {
    [
        (Utilization::Cpu, scaling.cpu, &seen.cpu),
        (Utilization::Memory, scaling.memory, &seen.memory),
    ]
    .into_iter()
    .filter_map(|(of, range, metric)| {
        let range = range?;
        let known = read(of, range, metric, now);
        Some(Level { of, range, known })
    })
    .collect()
}

fn read(of: Utilization, range: Range, metric: &Metric, now: Timestamp) -> Result<Known, String> {
    let points = match metric {
        Metric::Known(points) => points,
        Metric::Unknown(why) => return Err(why.clone()),
    };
    // Neither a value that is no percentage nor a minute that has not begun tells anything.
    let mut points: Vec<Point> = points
        .iter()
        .filter(|point| point.value.is_finite() && point.value >= 0.0 && point.at <= now)
        .copied()
        .collect();
    points.sort_by_key(|point| point.at);
    let Some(newest) = points.last().copied() else {
        return Err(format!("CloudWatch has no {}", of.metric()));
    };
    if duration::between(end(newest), now) > FRESH {
        return Err(format!("CloudWatch's {} ends at {:.0}", of.metric(), end(newest)));
    }
    Ok(Known {
        newest: newest.value,
        below: run_below(&points, f64::from(range.low()), now),
    })
}

fn end(point: Point) -> Timestamp {
    duration::after(point.at, PERIOD)
}

/// The run that the newest of `points` (oldest first) ends, if that is below `low`.
fn run_below(points: &[Point], low: f64, now: Timestamp) -> Option<Run> {
    let newest = *points.last()?;
    // The newest minute may still be filling: it must be low, but does not count towards the window yet.
    let until = if end(newest) <= now {
        end(newest)
    } else {
        newest.at
    };
    let mut since = None;
    let mut highest: f64 = 0.0;
    let window_start = duration::before(until, STABLE_WINDOW);
    for point in points.iter().rev() {
        let gap = since.map_or(Duration::ZERO, |since| duration::between(point.at, since));
        if point.value >= low || gap > PERIOD {
            break;
        }
        if point.at >= window_start {
            highest = highest.max(point.value);
        }
        since = Some(point.at);
    }
    since.map(|since| Run {
        since,
        until,
        highest,
    })
}
