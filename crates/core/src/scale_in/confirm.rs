//! The last look: the chosen tasks went.

use super::BETWEEN_LOOKS;
use super::look::{Look, is_up};
use super::request::{Answer, Request};
use crate::error::Error;
use crate::ports::ScalingWorld;

/// Says whether ECS has stopped the victims. Until then the others must stay protected.
pub(super) async fn confirm<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    let mut plan = look.plan().await?;
    let left = look
        .state
        .tasks
        .iter()
        .filter(|task| is_up(task) && plan.victims.contains_key(&task.id));
    let left: Vec<String> = left.map(|task| task.id.clone()).collect();
    if left.is_empty() {
        return Ok(Answer::new("gone").about(plan.victims.into_keys()));
    }
    look.protect_others(&mut plan).await?;
    Ok(Answer::new("going").about(left).wait(BETWEEN_LOOKS))
}
