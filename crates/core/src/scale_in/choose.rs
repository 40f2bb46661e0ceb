//! The second step: tasks that nobody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join_all;

use super::look::{Look, revoked};
use super::plan::{Plan, PlannedTarget};
use super::request::{Answer, Request};
use super::{MOST, REPORTS};
use crate::error::{Code, Error};
use crate::observation::{TaskStage, TaskState};
use crate::ports::ScalingWorld;
use crate::scaling::tasks;

/// Chooses, unless it was done before.
pub(super) async fn choose<W: ScalingWorld>(world: &W, request: &Request) -> Result<Answer, Error> {
    let look = Look::take(world, request).await?;
    if let Some(plan) = look.found_plan().await? {
        return Ok(Answer::new("chosen").about(plan.victims.into_keys()));
    }
    let running = look
        .state
        .tasks
        .iter()
        .filter(|task| task.stage == TaskStage::Running);
    if running.count() != look.state.desired as usize || look.state.tasks.len() != look.state.desired as usize
    {
        return Err(revoked(request, "some tasks are on their way in or out"));
    }
    let tasks: Vec<&TaskState> = look.state.tasks.iter().collect();
    let seen = tasks::look(world, &request.service.cluster, &tasks, None, look.now).await?;
    let free: BTreeSet<&str> = seen
        .iter()
        .filter(|task| task.is_free())
        .map(|task| &*task.id)
        .collect();
    let targets = look.targets_of_tasks().await?;
    // A task without a target in each group is not in service yet, or cannot be told from its neighbours.
    let complete = |targets: &Vec<PlannedTarget>| targets.len() >= look.state.target_groups.len();
    let most = (look.claim.from - look.claim.to) as usize;
    let victims: BTreeMap<String, Vec<PlannedTarget>> = targets
        .into_iter()
        .filter(|(id, targets)| free.contains(&**id) && complete(targets))
        .take(most.min(MOST))
        .collect();
    if victims.is_empty() {
        let message = format!(
            "service `{}`: none of its {} tasks is free and has its own targets",
            request.service,
            tasks.len()
        );
        return Err(Error::new(Code::NoFreeTask, message));
    }
    let mut plan = Plan::new(&request.execution, victims, look.delay().await?);
    look.save(&mut plan).await?;
    Ok(Answer::new("chosen").about(plan.victims.into_keys()))
}

impl<W: ScalingWorld> Look<'_, W> {
    /// The registered targets of each task, found by the task's own address.
    async fn targets_of_tasks(&self) -> Result<BTreeMap<String, Vec<PlannedTarget>>, Error> {
        let mut found: BTreeMap<String, Vec<PlannedTarget>> = BTreeMap::new();
        for task in &self.state.tasks {
            found.insert(task.id.clone(), Vec::new());
        }
        for group in &self.state.target_groups {
            let targets = self.world.targets(group).await?;
            for task in &self.state.tasks {
                let Some(own) = task.private.map(|ip| ip.to_string()) else {
                    continue;
                };
                let ours = targets
                    .iter()
                    .filter(|target| target.name.id == own && !target.draining);
                found
                    .entry(task.id.clone())
                    .or_default()
                    .extend(ours.map(|target| PlannedTarget {
                        group: group.clone(),
                        name: target.name.clone(),
                    }));
            }
        }
        Ok(found)
    }

    /// How long to wait for the second look: until the targets of every group have drained, and until reports of
    /// sessions that are on their way have come.
    async fn delay(&self) -> Result<Duration, Error> {
        let delays = self
            .state
            .target_groups
            .iter()
            .map(|group| self.world.deregistration_delay(group));
        Ok(try_join_all(delays)
            .await?
            .into_iter()
            .fold(REPORTS, Duration::max))
    }
}
