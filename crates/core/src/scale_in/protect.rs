//! The third step: every task that is to stay is protected from scale-in.

use std::time::Duration;

use super::look::Look;
use super::plan::Plan;
use super::request::{Answer, Request};
use super::{LONG_ENOUGH, PATIENCE};
use crate::duration;
use crate::error::Error;
use crate::ports::ScalingWorld;

/// The longest protection (Amazon ECS API reference, UpdateTaskProtection, `expiresInMinutes`).
const LONGEST_MINUTES: u64 = 2880;

/// Protects the others for as long as the scale-in may take. What their app protects itself keeps its own expiry,
/// unless that is too near.
pub(super) async fn protect<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    let mut plan = look.plan().await?;
    let tasks = look.protect_others(&mut plan).await?;
    Ok(Answer::new("protected").about(tasks))
}

impl<W: ScalingWorld> Look<'_, W> {
    /// Protects those of the others that are not protected for long enough, and says which.
    pub(super) async fn protect_others(&self, plan: &mut Plan) -> Result<Vec<String>, Error> {
        let unprotected = self.unprotected(plan).await?;
        let tasks: Vec<String> = unprotected.keys().cloned().collect();
        if !tasks.is_empty() {
            let left = duration::between(self.now, plan.drained_at(self.now));
            let minutes = minutes(left + PATIENCE + LONG_ENOUGH);
            for (id, until) in unprotected {
                if let Some(until) = until.filter(|until| *until > self.now && !plan.is_ours(&id, *until)) {
                    plan.app_until.insert(id, until);
                }
            }
            plan.will_protect(&tasks, minutes, self.now);
            self.save(plan).await?;
            let cluster = &self.request.service.cluster;
            self.world.protect(cluster, &tasks, Some(minutes)).await?;
        }
        Ok(tasks)
    }
}

fn minutes(time: Duration) -> u32 {
    u32::try_from(time.as_secs().div_ceil(60).clamp(1, LONGEST_MINUTES)).unwrap_or(1)
}
