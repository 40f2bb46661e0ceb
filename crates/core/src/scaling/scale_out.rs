//! When more tasks are added.

use jiff::Timestamp;

use super::SCALE_OUT_COOLDOWN;
use super::connections::Wish;
use super::level::{self, Level};
use super::load::{History, Load};
use super::reason::{Reason, Utilization};
use crate::duration;

/// The count to scale out to, or why not although more are needed; `None` if no more are. At least 1 task is desired.
/// Of several wishes the highest counts.
pub(super) fn target(
    min: u32,
    max: u32,
    seen: &Load,
    levels: &[Level],
    memory: &History,
    now: Timestamp,
) -> Option<Result<(u32, Reason), Reason>> {
    let (min, from) = (min.min(max), seen.desired);
    if from < min {
        return Some(Ok((min, Reason::BelowMinimum { min })));
    }
    let utilizations = by_utilization(max, from, levels, memory, now);
    let connections = seen.connections.as_ref().and_then(|asked| match asked.wish {
        Wish::ScaleOut { to } => Some((to.min(max), asked.reason.clone())),
        Wish::ScaleIn { .. } | Wish::Hold => None,
    });
    match (utilizations, connections.filter(|(to, _)| *to > from)) {
        (Some(Ok(one)), Some(other)) => Some(Ok(if other.0 > one.0 { other } else { one })),
        (_, Some(one)) => Some(Ok(one)),
        (utilizations, None) => utilizations,
    }
}

/// What the utilizations ask for together.
fn by_utilization(
    max: u32,
    from: u32,
    levels: &[Level],
    memory: &History,
    now: Timestamp,
) -> Option<Result<(u32, Reason), Reason>> {
    let wishes = levels.iter().filter_map(|level| wish(level, from));
    let (needed, reason) = wishes.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    if from >= max {
        return Some(Err(Reason::AtMaximum { max }));
    }
    let until = memory
        .scaled_out_at
        .map(|at| duration::after(at, SCALE_OUT_COOLDOWN));
    match until {
        Some(until) if now < until => Some(Err(Reason::Cooldown { until })),
        _ => Some(Ok((needed.min(max), reason))),
    }
}

/// How many tasks a utilization above its range asks for: so many that each would be at the high bound, as target
/// tracking does (Application Auto Scaling User Guide, "Target tracking scaling policies"), but at least one more
/// and at most twice as many. One wrong minute must not start a crowd; our choice.
fn wish(level: &Level, from: u32) -> Option<(u32, Reason)> {
    let newest = level.known.as_ref().ok()?.newest;
    let limit = level.range.high();
    if newest <= f64::from(limit) {
        return None;
    }
    let at_limit = (f64::from(from) * newest / f64::from(limit)).ceil() as u32;
    let needed = at_limit.clamp(from.saturating_add(1), from.saturating_mul(2));
    let percent = level::percent(newest);
    let reason = match level.of {
        Utilization::Cpu => Reason::CpuAbove { percent, limit },
        Utilization::Memory => Reason::MemoryAbove { percent, limit },
    };
    Some((needed, reason))
}
