//! When more tasks are added.

use jiff::Timestamp;

use super::window::Window;
use super::{Counts, MAX_SCALE_UP_RATE, MAX_SCALE_UP_TASKS, PANIC_WINDOW, Policy};
use crate::scaling::reason::Reason;

/// The count to scale out to, or why not although more are needed than run; `None` if no more are. At least 1 task is
/// desired.
pub(super) fn target(
    policy: &Policy,
    counts: Counts,
    window: &Window,
    now: Timestamp,
) -> Option<Result<(u32, Reason), Reason>> {
    let Counts { desired, running, .. } = counts;
    let (min, max) = policy.bounds();
    if desired < min {
        return Some(Ok((min, Reason::BelowMinimum { min })));
    }
    let total = window.newest(PANIC_WINDOW, now)?.total;
    let met = window.met(&policy.mode, desired);
    let wanted = policy.mode.wanted(total, met).min(max);
    if wanted > desired {
        let reason = policy.mode.why(total, met)?;
        return Some(Ok((wanted.min(most(desired)), reason)));
    }
    let needed = policy.mode.needed(total);
    if needed > desired {
        return Some(Err(Reason::AtMaximum { max }));
    }
    (needed > running).then_some(Err(Reason::EnoughOnTheirWay {
        needed,
        desired,
        running,
    }))
}

/// The most that one decision may make of a count.
fn most(desired: u32) -> u32 {
    let rate = desired.saturating_mul(MAX_SCALE_UP_RATE);
    rate.max(desired.saturating_add(MAX_SCALE_UP_TASKS))
}
