//! What every step looks at before it does anything: whether it may go on, and with what.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::PATIENCE;
use super::plan::{Plan, PlannedTarget};
use super::release;
use super::request::Request;
use crate::duration;
use crate::engine;
use crate::error::{Code, Error};
use crate::observation::{Seen, ServiceState, TaskStage, TaskState};
use crate::ports::{Saved, ScalingWorld, Stored, Target};
use crate::record::{Phase, Record};
use crate::scaling::record::Claim;
use crate::scaling::tasks;
use crate::settings::{Mode, ServiceSettings};

/// A scale-in that may go on.
pub(super) struct Look<'a, W> {
    pub(super) world: &'a W,
    pub(super) request: &'a Request,
    pub(super) settings: ServiceSettings,
    /// The group's record, as loaded.
    pub(super) record: Record,
    pub(super) claim: Claim,
    pub(super) state: ServiceState,
    pub(super) now: Timestamp,
}

/// A scale-in that must end, and why.
pub(super) fn revoked(request: &Request, why: &str) -> Error {
    let message = format!("scale-in `{}` of {}: {why}", request.execution, request.service);
    Error::new(Code::ScaleInRevoked, message)
}

/// The settings of the service, and the record of its group, which must be awake.
pub(super) async fn load<W: ScalingWorld>(
    world: &W,
    request: &Request,
) -> Result<(ServiceSettings, Record), Error> {
    let Stored { settings, record } = world.load(&request.group).await?;
    let settings = settings.and_then(|group| group.services.into_iter().find(|s| s.id == request.service));
    let settings = settings.ok_or_else(|| {
        let message = format!(
            "service `{}` is not one of group `{}`",
            request.service, request.group
        );
        Error::new(Code::UnknownGroup, message)
    })?;
    match record {
        Some(record) if record.phase == Phase::Awake => Ok((settings, record)),
        _ => Err(revoked(request, "the group is not awake")),
    }
}

/// The state of a service and its tasks, all of which must be known.
pub(super) async fn with_tasks<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
) -> Result<ServiceState, Error> {
    match engine::observe_one(world, settings).await {
        Seen::Known(state) => match &state.tasks_unknown {
            None => Ok(state),
            Some(why) => Err(Error::new(
                Code::Unavailable,
                format!("tasks of {}: {why}", settings.id),
            )),
        },
        Seen::Unknown(error) => Err(error),
    }
}

/// The state of the service, which must be known and without a rollout.
pub(super) async fn observe<W: ScalingWorld>(
    world: &W,
    request: &Request,
    settings: &ServiceSettings,
) -> Result<ServiceState, Error> {
    let state = with_tasks(world, settings).await?;
    if state.rollout_since.is_some() {
        return Err(revoked(request, "a rollout is under way"));
    }
    Ok(state)
}

impl<'a, W: ScalingWorld> Look<'a, W> {
    /// Looks, and makes sure that the scale-in may go on.
    ///
    /// # Errors
    /// [`Code::ScaleInRevoked`] if it may not; those of the table and of ECS.
    pub(super) async fn take(world: &'a W, request: &'a Request) -> Result<Self, Error> {
        let (settings, record) = load(world, request).await?;
        let scaling = record
            .services
            .get(&request.service)
            .map(|service| &service.scaling);
        let claim = scaling.and_then(|scaling| scaling.claim.clone());
        let Some(claim) = claim.filter(|claim| claim.execution == request.execution) else {
            return Err(revoked(request, "it has no claim"));
        };
        if let Some(revocation) = claim.revoked {
            return Err(revoked(
                request,
                &format!("{} took its claim away", revocation.by),
            ));
        }
        if settings.mode == Mode::Observe {
            return Err(revoked(request, "its group is in observe mode"));
        }
        let state = observe(world, request, &settings).await?;
        let lowered = claim.lowering.map(|lowering| lowering.to);
        if state.desired != claim.from && Some(state.desired) != lowered {
            let why = format!(
                "somebody changed the desired count from {} to {}",
                lowered.unwrap_or(claim.from),
                state.desired
            );
            return Err(revoked(request, &why));
        }
        Ok(Self {
            now: world.now(),
            world,
            request,
            settings,
            record,
            claim,
            state,
        })
    }

    /// Whether the call that lowers the count was made, and nobody knows yet how it went.
    pub(super) fn may_lower(&self) -> bool {
        self.claim
            .lowering_on_its_way(self.state.desired, self.now)
            .is_some()
    }

    /// The plan of this scale-in, if it has one.
    pub(super) async fn found_plan(&self) -> Result<Option<Plan>, Error> {
        let plan = self.world.plan(&self.request.service).await?;
        match plan {
            // What another scale-in left behind is mended before anything else is done: it has no claim any more, so
            // nobody else would.
            Some(plan) if plan.execution != self.request.execution => {
                let Request { group, service, .. } = self.request;
                release(self.world, group, service, &plan.execution).await?;
                let why = format!("`{}` had left its plan behind", plan.execution);
                Err(revoked(self.request, &why))
            }
            plan => Ok(plan),
        }
    }

    /// The plan of this scale-in, whose tasks must still run.
    pub(super) async fn plan(&self) -> Result<Plan, Error> {
        let Some(plan) = self.found_plan().await? else {
            return Err(revoked(self.request, "it has no plan"));
        };
        let ends = duration::after(self.claim.since, plan.delay + PATIENCE);
        if self.now > ends {
            return Err(revoked(self.request, "it takes too long"));
        }
        Ok(plan)
    }

    /// Writes the plan.
    pub(super) async fn save(&self, plan: &mut Plan) -> Result<(), Error> {
        match self.world.save_plan(&self.request.service, plan).await? {
            Saved::Yes => {
                plan.version += 1;
                Ok(())
            }
            Saved::Conflict => Err(self.contention("plan")),
        }
    }

    pub(super) fn contention(&self, what: &str) -> Error {
        let message = format!(
            "the {what} of {} was written by another function",
            self.request.service
        );
        Error::new(Code::Contention, message)
    }

    /// The victims that run. One that does not has crashed, or somebody stopped it: ECS replaces it.
    pub(super) fn victims(&self, plan: &Plan) -> Result<Vec<&TaskState>, Error> {
        let gone = |id: &&String| !self.state.tasks.iter().any(|t| t.id == **id && is_up(t));
        if let Some(id) = plan.victims.keys().find(gone) {
            return Err(revoked(self.request, &format!("task {id} stopped by itself")));
        }
        let is_victim = |task: &&TaskState| plan.victims.contains_key(&task.id);
        Ok(self.state.tasks.iter().filter(is_victim).collect())
    }

    /// All other tasks, on their way in too.
    pub(super) fn others(&self, plan: &Plan) -> Vec<&TaskState> {
        let stays = |task: &&TaskState| is_up(task) && !plan.victims.contains_key(&task.id);
        self.state.tasks.iter().filter(stays).collect()
    }

    /// The victims that somebody uses now, or that their app protects.
    pub(super) async fn in_use(&self, plan: &Plan) -> Result<Vec<String>, Error> {
        let victims = self.victims(plan)?;
        let cluster = &self.request.service.cluster;
        let tasks = tasks::look(self.world, cluster, &victims, Some(plan), self.now).await?;
        Ok(tasks
            .into_iter()
            .filter(|task| !task.is_free())
            .map(|task| task.id)
            .collect())
    }

    /// The other tasks that are not protected for long enough, each with the end of its protection if it has one. What
    /// their app protects itself is left alone. One of which ECS tells nothing is taken for unprotected: if it is on its
    /// way out, it will not be listed for long.
    pub(super) async fn unprotected(
        &self,
        plan: &Plan,
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        let others: Vec<String> = self.others(plan).iter().map(|task| task.id.clone()).collect();
        let cluster = &self.request.service.cluster;
        let protections = self.world.protected_until(cluster, &others).await?;
        let enough = duration::after(self.now, super::LONG_ENOUGH);
        let until = |id: String| {
            let until = protections.get(&id).copied().flatten();
            (id, until)
        };
        let others = others.into_iter().map(until);
        Ok(others
            .filter(|(_, until)| until.is_none_or(|until| until < enough))
            .collect())
    }

    /// The targets of these tasks that are in their groups now, with whether they drain.
    pub(super) async fn present(
        &self,
        planned: &BTreeMap<String, Vec<PlannedTarget>>,
    ) -> Result<Vec<(PlannedTarget, Target)>, Error> {
        let mut present = Vec::new();
        for group in &self.state.target_groups {
            let ours = planned.values().flatten().filter(|target| &target.group == group);
            let ours: Vec<&PlannedTarget> = ours.collect();
            if ours.is_empty() {
                continue;
            }
            for target in self.world.targets(group).await? {
                if let Some(planned) = ours.iter().find(|planned| planned.name == target.name) {
                    present.push(((*planned).clone(), target));
                }
            }
        }
        Ok(present)
    }
}

/// Whether a task runs or is on its way in.
pub(super) fn is_up(task: &TaskState) -> bool {
    task.stage != TaskStage::Stopping
}
