//! The fourth step: the chosen tasks take no new connections.

use super::BETWEEN_LOOKS;
use super::look::Look;
use super::plan::PlannedTarget;
use super::request::{Answer, Request};
use crate::duration;
use crate::error::Error;
use crate::ports::{ScalingWorld, TargetName};

/// Takes the targets of the chosen tasks out of their groups, and says how long to wait: the whole delay the first time; if
/// somebody put one back, until the next look.
pub(super) async fn deregister<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    let mut plan = look.plan().await?;
    look.victims(&plan)?;
    if plan.deregistered_at.is_none() {
        plan.deregistered_at = Some(look.now);
        look.save(&mut plan).await?;
    }
    let present = look.present(&plan.victims).await?;
    let registered: Vec<PlannedTarget> = present
        .into_iter()
        .filter(|(_, target)| !target.draining)
        .map(|(planned, _)| planned)
        .collect();
    for (group, targets) in by_group(&registered) {
        world.deregister(group, &targets).await?;
    }
    let left = duration::between(look.now, plan.drained_at(look.now));
    let put_back = left.is_zero() && !registered.is_empty();
    Ok(Answer::new("draining").wait(if put_back { BETWEEN_LOOKS } else { left }))
}

/// Targets, by their groups.
pub(super) fn by_group(targets: &[PlannedTarget]) -> Vec<(&str, Vec<TargetName>)> {
    let mut groups: Vec<(&str, Vec<TargetName>)> = Vec::new();
    for target in targets {
        match groups.iter_mut().find(|(group, _)| *group == target.group) {
            Some((_, names)) => names.push(target.name.clone()),
            None => groups.push((&target.group, vec![target.name.clone()])),
        }
    }
    groups
}
