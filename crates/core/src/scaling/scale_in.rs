//! When tasks are removed, and which may go.

use jiff::Timestamp;

use super::SCALE_IN_COOLDOWN;
use super::bounds::Scaling;
use super::connections::Wish;
use super::level::{self, Level, Run};
use super::load::{History, Load, Sessions, Task, Tasks};
use super::reason::Reason;
use crate::duration;

/// The tasks that may go, at least one, or why none may.
pub(super) fn candidates(
    scaling: &Scaling,
    seen: &Load,
    levels: &[Level],
    memory: &History,
    now: Timestamp,
) -> Result<(Vec<String>, Reason), Reason> {
    let connections = by_connections(seen)?;
    if levels.is_empty() && connections.is_none() {
        return Err(Reason::NoMetric);
    }
    let runs = runs_below(levels)?;
    // To have no task is sleep, which is not decided here.
    let min = scaling.min.max(1);
    if !scaling.scale_in {
        return Err(Reason::ScaleInOff);
    }
    if seen.desired <= min {
        return Err(Reason::AtMinimum { min });
    }
    if seen.rollout {
        return Err(Reason::RolloutUnderWay);
    }
    if seen.desired != seen.running {
        return Err(Reason::TasksOnTheirWay {
            desired: seen.desired,
            running: seen.running,
        });
    }
    let since = stable_since(&runs)?;
    after_cooldown(memory, now)?;
    spares_one(&runs, seen.desired)?;
    let mut free = free_tasks(&seen.tasks)?;
    let fewest = connections.as_ref().map_or(min, |(to, _)| min.max(*to));
    free.truncate((seen.desired - fewest) as usize);
    while !spares(&runs, seen.desired, free.len() as u32) {
        free.pop();
    }
    let reason = match (connections, since) {
        (Some((_, reason)), _) => reason,
        (None, since) => Reason::BelowForStableWindow {
            since: since.unwrap_or(now),
        },
    };
    Ok((free, reason))
}

/// The count down to which connections would let tasks go, if they decide at all.
fn by_connections(seen: &Load) -> Result<Option<(u32, Reason)>, Reason> {
    let Some(asked) = &seen.connections else {
        return Ok(None);
    };
    match asked.wish {
        Wish::ScaleIn { to } if to < seen.desired => Ok(Some((to, asked.reason.clone()))),
        _ => Err(asked.reason.clone()),
    }
}

/// The runs below the low bound, if every utilization is in one.
fn runs_below(levels: &[Level]) -> Result<Vec<(&Level, &Run)>, Reason> {
    let mut runs = Vec::new();
    for level in levels {
        match &level.known {
            Ok(known) => runs.extend(known.below.as_ref().map(|run| (level, run))),
            Err(why) => {
                return Err(Reason::MetricsUnknown {
                    utilization: level.of,
                    why: why.clone(),
                });
            }
        }
    }
    if runs.len() == levels.len() {
        Ok(runs)
    } else {
        Err(Reason::WithinRange)
    }
}

/// Since when all of them last; none if there are none.
fn stable_since(runs: &[(&Level, &Run)]) -> Result<Option<Timestamp>, Reason> {
    let since = runs.iter().map(|(_, run)| run.since).max();
    match since.filter(|_| !runs.iter().all(|(_, run)| run.is_stable())) {
        Some(since) => Err(Reason::NotStableYet { since }),
        None => Ok(since),
    }
}

fn after_cooldown(memory: &History, now: Timestamp) -> Result<(), Reason> {
    let last = memory
        .scaled_out_at
        .max(memory.scaled_in_at)
        .max(memory.gave_up_at);
    match last.map(|at| duration::after(at, SCALE_IN_COOLDOWN)) {
        Some(until) if now < until => Err(Reason::Cooldown { until }),
        _ => Ok(()),
    }
}

/// What the others would have to bear, in percent, without `n` of the `desired` tasks (fewer than all).
fn without(run: &Run, desired: u32, n: u32) -> f64 {
    run.highest * f64::from(desired) / f64::from(desired - n)
}

/// Whether the others would stay below every high bound without `n` of the `desired` tasks; always without none.
fn spares(runs: &[(&Level, &Run)], desired: u32, n: u32) -> bool {
    let high = |level: &Level| f64::from(level.range.high());
    n == 0
        || runs
            .iter()
            .all(|(level, run)| without(run, desired, n) < high(level))
}

fn spares_one(runs: &[(&Level, &Run)], desired: u32) -> Result<(), Reason> {
    let tight = runs.iter().find(|run| !spares(&[**run], desired, 1));
    tight.map_or(Ok(()), |(level, run)| {
        Err(Reason::TooBusyForFewer {
            utilization: level.of,
            percent: level::percent(without(run, desired, 1)),
            limit: level.range.high(),
        })
    })
}

fn free_tasks(tasks: &Tasks) -> Result<Vec<String>, Reason> {
    let tasks = match tasks {
        Tasks::Known(tasks) => tasks,
        Tasks::Unknown(why) => return Err(Reason::TasksUnknown { why: why.clone() }),
    };
    let free: Vec<String> = tasks
        .iter()
        .filter(|task| task.is_free())
        .map(|task| task.id.clone())
        .collect();
    if !free.is_empty() {
        return Ok(free);
    }
    let count = |is: fn(&Task) -> bool| tasks.iter().filter(|task| task.running && is(task)).count() as u32;
    Err(Reason::NoFreeTask {
        in_use: count(|task| task.sessions == Sessions::InUse),
        protected: count(|task| task.sessions == Sessions::Free && task.protected),
        unknown: count(|task| matches!(task.sessions, Sessions::Unknown(_))),
    })
}
