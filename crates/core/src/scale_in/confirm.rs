//! The last look: the chosen tasks went.

use super::BETWEEN_LOOKS;
use super::look::{Look, is_up, revoked};
use super::request::{Answer, Request};
use crate::error::Error;
use crate::observation::TaskState;
use crate::ports::ScalingWorld;
use crate::scaling::load::Sessions;
use crate::scaling::tasks;

/// Says whether ECS has stopped the victims. Until then the others must stay protected.
pub(super) async fn confirm<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    let mut plan = look.plan().await?;
    let listed = look
        .state
        .tasks
        .iter()
        .filter(|task| is_up(task) && plan.victims.contains_key(&task.id));
    let mut left: Vec<String> = listed.map(|task| task.id.clone()).collect();
    // What ECS lists may lag behind. A task that it stops has no protection to tell of any more.
    let protections = world.protected_until(&request.service.cluster, &left).await?;
    left.retain(|id| protections.contains_key(id));
    let up = look.state.tasks.iter().filter(|task| is_up(task)).count();
    let to = look.claim.lowering.map(|lowering| lowering.to);
    // The count may lag too. Where another task has crashed, one that was to go may stay.
    let is_seen = to == Some(look.state.desired);
    if is_seen && (left.is_empty() || up <= look.state.desired as usize) {
        return Ok(Answer::new("gone").about(plan.victims.into_keys()));
    }
    let staying: Vec<&TaskState> = look
        .state
        .tasks
        .iter()
        .filter(|task| left.contains(&task.id))
        .collect();
    let seen = tasks::look(world, &request.service.cluster, &staying, Some(&plan), look.now).await?;
    if let Some(task) = seen
        .iter()
        .find(|task| task.protected || task.sessions != Sessions::Free)
    {
        // It will not go, or must not: the count is made to fit.
        return Err(revoked(request, &format!("task {} came into use", task.id)));
    }
    look.protect_others(&mut plan).await?;
    Ok(Answer::new("going").about(left).wait(BETWEEN_LOOKS))
}
