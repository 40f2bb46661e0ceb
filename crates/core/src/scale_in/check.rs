//! The second look: who came into use stays, and is put back.

use super::BETWEEN_LOOKS;
use super::deregister::by_group;
use super::look::Look;
use super::plan::{Plan, PlannedTarget};
use super::request::{Answer, Request};
use crate::error::{Code, Error};
use crate::ports::ScalingWorld;

/// Spares what is in use, and says whether the rest has drained.
pub(super) async fn check<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    if look.may_lower() {
        // Tasks that are going must not be registered again, and nobody knows which are.
        let message = format!("the lower count of {} may still be on its way", request.service);
        return Err(Error::new(Code::Contention, message));
    }
    let mut plan = look.plan().await?;
    let in_use = look.in_use(&plan).await?;
    if !in_use.is_empty() {
        plan.spare(&in_use);
        look.save(&mut plan).await?;
    }
    look.put_back_spared(&plan).await?;
    look.protect_others(&mut plan).await?;
    if plan.victims.is_empty() {
        return Ok(Answer::new("all-in-use"));
    }
    let present = look.present(&plan.victims).await?;
    if let Some((planned, _)) = present.iter().find(|(_, target)| !target.draining) {
        return Err(registered(request, planned));
    }
    if present.is_empty() {
        Ok(Answer::new("free").about(plan.victims.into_keys()))
    } else {
        Ok(Answer::new("draining").wait(BETWEEN_LOOKS))
    }
}

/// A victim takes connections, though it was taken out of its target group.
pub(super) fn registered(request: &Request, target: &PlannedTarget) -> Error {
    let message = format!(
        "service `{}`: target {}:{} is registered in {}",
        request.service, target.name.id, target.name.port, target.group
    );
    Error::new(Code::TargetRegistered, message)
}

impl<W: ScalingWorld> Look<'_, W> {
    /// Registers the spared tasks again, as far as they are not.
    async fn put_back_spared(&self, plan: &Plan) -> Result<(), Error> {
        if plan.spared.is_empty() {
            return Ok(());
        }
        let present = self.present(&plan.spared).await?;
        let is_in =
            |planned: &PlannedTarget| present.iter().any(|(p, target)| p == planned && !target.draining);
        let runs = |id: &String| {
            self.state
                .tasks
                .iter()
                .any(|task| &task.id == id && super::look::is_up(task))
        };
        let missing: Vec<PlannedTarget> = plan
            .spared
            .iter()
            .filter(|(id, _)| runs(id))
            .flat_map(|(_, targets)| targets)
            .filter(|planned| !is_in(planned))
            .cloned()
            .collect();
        for (group, targets) in by_group(&missing) {
            self.world.register(group, &targets).await?;
        }
        Ok(())
    }
}
