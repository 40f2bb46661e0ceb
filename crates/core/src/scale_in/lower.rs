//! The step that counts: one UpdateService, after everything that it rests on was seen once more.

use super::FIRST_CONFIRMATION;
use super::check::registered;
use super::look::{Look, revoked};
use super::plan::Plan;
use super::request::{Answer, Request};
use crate::duration;
use crate::error::{Code, Error};
use crate::observation::TaskStage;
use crate::ports::{Saved, ScalingWorld};
use crate::quota::{self, Held, Priority, Tokens};
use crate::record::Command;
use crate::scaling::changes;
use crate::scaling::record::Lowering;

/// Lowers the count by the number of victims. Only they can go: all others are protected.
pub(super) async fn lower<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let mut look = Look::take(world, request).await?;
    // The wait comes before everything that the call rests on: nothing is known any more after it.
    if !look.has_landed() && wait_for_turn(world, request).await? == Held::Later {
        look = Look::take(world, request).await?;
    }
    let plan = look.plan().await?;
    let mut count = look.state.desired;
    if !look.has_landed() {
        look.all_is_well(&plan).await?;
        count = look.update_service(&plan).await?;
    }
    changes::note_lowered(world, &request.group, &request.service, &request.execution, count).await?;
    Ok(Answer::new("lowered")
        .about(plan.victims.into_keys())
        .wait(FIRST_CONFIRMATION))
}

/// Takes the token of the one call. An error repeats the step.
async fn wait_for_turn<W: ScalingWorld>(world: &W, request: &Request) -> Result<Held, Error> {
    let mut tokens = Tokens::none(duration::after(world.now(), quota::PATIENCE));
    tokens.hold(world, Priority::Sleep, 1, &request.service).await
}

impl<W: ScalingWorld> Look<'_, W> {
    /// Whether the count is the lower one already: the step is repeated.
    fn has_landed(&self) -> bool {
        self.claim
            .lowering
            .is_some_and(|lowering| lowering.to == self.state.desired)
    }

    async fn all_is_well(&self, plan: &Plan) -> Result<(), Error> {
        let up = self.state.tasks.iter().filter(|task| super::look::is_up(task));
        let (all, running) = up.fold((0, 0), |(all, running), task| {
            (all + 1, running + u32::from(task.stage == TaskStage::Running))
        });
        if all != self.state.desired || running != self.state.desired {
            let why = format!("{running} of {all} tasks run, and {} should", self.state.desired);
            return Err(revoked(self.request, &why));
        }
        let present = self.present(&plan.victims).await?;
        if let Some((planned, _)) = present.iter().find(|(_, target)| !target.draining) {
            return Err(registered(self.request, planned));
        }
        let unprotected = self.unprotected(plan).await?;
        if !unprotected.is_empty() {
            let tasks: Vec<String> = unprotected.into_keys().collect();
            return Err(self.about(Code::NotProtected, "not protected from scale-in", &tasks));
        }
        // The sessions come last: nothing is to happen between this look and the call but the record's write.
        let in_use = self.in_use(plan).await?;
        if !in_use.is_empty() {
            return Err(self.about(Code::TaskInUse, "in use", &in_use));
        }
        Ok(())
    }

    fn about(&self, code: Code, what: &str, tasks: &[String]) -> Error {
        let message = format!("service `{}`: {what}: {}", self.request.service, tasks.join(", "));
        Error::new(code, message)
    }

    /// Writes down what is to happen, over the record that was looked at, and does it. A wake that came meanwhile wins.
    async fn update_service(&self, plan: &Plan) -> Result<u32, Error> {
        let service = &self.request.service;
        let gone = u32::try_from(plan.victims.len()).unwrap_or(u32::MAX);
        let to = self.state.desired.saturating_sub(gone);
        if gone == 0 || to < self.settings.scaling.min.max(1) {
            let why = format!("{gone} tasks are left to go, and {to} would be left to stay");
            return Err(revoked(self.request, &why));
        }
        let at = self.world.now();
        let mut record = self.record.clone();
        let of_service = record.service(service);
        of_service.command = Some(Command { count: to, at });
        if let Some(claim) = &mut of_service.scaling.claim {
            let repeated = claim.lowering.is_some();
            claim.lowering = Some(Lowering { to, at, repeated });
        }
        let saved = self.world.save_record(&self.request.group, &record, None).await?;
        if saved == Saved::Conflict {
            return Err(self.contention("record"));
        }
        self.world.set_desired(service, to).await?;
        Ok(to)
    }
}
