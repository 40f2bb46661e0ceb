//! When fewer tasks would do, and how many.

use jiff::Timestamp;

use super::window::{Mark, Window};
use super::{Counts, History, PANIC_WINDOW, Policy, STABLE_WINDOW};
use crate::duration;
use crate::scaling::SCALE_IN_COOLDOWN;
use crate::scaling::reason::Reason;

/// The count to lower to, or why not.
pub(super) fn target(
    policy: &Policy,
    counts: Counts,
    window: &Window,
    history: &History,
    now: Timestamp,
) -> Result<(u32, Reason), Reason> {
    let Counts { desired, running, .. } = counts;
    let needed = |total| policy.mode.needed(total);
    let newest = window.newest(PANIC_WINDOW, now);
    if let Some(Mark { total, .. }) = newest.filter(|mark| window.at == Some(mark.at)) {
        let (total, needed) = (*total, needed(*total));
        if needed >= desired {
            return Err(Reason::Enough { total, needed });
        }
    }
    let run = window.run(now).ok_or_else(|| Reason::ConnectionsUnknown {
        why: window.why_unknown(),
    })?;
    let (min, max) = policy.bounds();
    if !policy.scale_in {
        return Err(Reason::ScaleInOff);
    }
    if desired <= min {
        return Err(Reason::AtMinimum { min });
    }
    if counts.rollout {
        return Err(Reason::RolloutUnderWay);
    }
    if desired != running {
        return Err(Reason::TasksOnTheirWay { desired, running });
    }
    if let Some(until) = window.panics_until(&policy.mode, now) {
        return Err(Reason::Panicking { until });
    }
    // The highest count that any reading of the window needed, as Kubernetes' stabilization takes it.
    let busy = window.last_with(|total| needed(total) >= desired);
    let since = busy.map_or(run.since, |end| run.since.max(end.min(now)));
    if busy.is_some() || duration::between(since, run.until) < STABLE_WINDOW {
        return Err(Reason::NotStableYet { since });
    }
    after_cooldown(history, now)?;
    let total = window.highest();
    let to = needed(total).max(min);
    if to > max {
        // Somebody gave it more than the maximum, and it needs them.
        return Err(Reason::AtMaximum { max });
    }
    let needed = needed(total);
    Ok((to, Reason::LowForStableWindow { total, needed }))
}

fn after_cooldown(history: &History, now: Timestamp) -> Result<(), Reason> {
    let last = history
        .scaled_out_at
        .max(history.scaled_in_at)
        .max(history.gave_up_at);
    match last.map(|at| duration::after(at, SCALE_IN_COOLDOWN)) {
        Some(until) if now < until => Err(Reason::Cooldown { until }),
        _ => Ok(()),
    }
}
