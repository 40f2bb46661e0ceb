//! The end of every scale-in, whether it worked or not: what is left is put back, and nothing stays protected by us.

use std::collections::BTreeMap;

use super::deregister::by_group;
use super::look::is_up;
use super::plan::{Plan, PlannedTarget};
use crate::engine;
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::observation::{Seen, ServiceState, TaskState};
use crate::ports::{Saved, ScalingWorld};
use crate::record::{Phase, Record};
use crate::scaling::changes;
use crate::scaling::record::Revoker;
use crate::settings::{Defaults, ServiceSettings};

/// Gives everything back: registers the targets of victims that still run, makes the count fit the tasks that run, takes
/// away the protections that this scale-in set, and gives up the claim. Repeating it does no harm.
///
/// # Errors
/// Those of the table and of AWS: what could not be given back is tried again.
pub async fn release<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    service: &ServiceId,
    execution: &str,
) -> Result<(), Error> {
    let stored = world.load(group).await?;
    let plan = world
        .plan(service)
        .await?
        .filter(|plan| plan.execution == execution);
    if let Some(plan) = plan {
        let settings = stored
            .settings
            .and_then(|s| s.services.into_iter().find(|s| &s.id == service));
        // A service that lost its tags meanwhile gets its tasks back all the same.
        let settings = settings.unwrap_or_else(|| ServiceSettings::of(service.clone(), &Defaults::default()));
        match engine::observe_one(world, group, &settings).await {
            Seen::Known(state) => {
                if let Some(why) = &state.tasks_unknown {
                    return Err(Error::new(
                        Code::Unavailable,
                        format!("tasks of {service}: {why}"),
                    ));
                }
                give_targets_back(world, group, &settings, &plan, &state).await?;
                let lowered = give_back(world, service, &plan, stored.record.as_ref(), &state).await?;
                if let Some(count) = lowered {
                    changes::note_lowered(world, group, service, execution, count).await?;
                }
            }
            Seen::Unknown(error) if matches!(error.code, Code::ServiceNotFound | Code::ClusterNotFound) => {}
            Seen::Unknown(error) => return Err(error),
        }
        if world.remove_plan(service, &plan).await? == Saved::Conflict {
            let message = format!("the plan of {service} was written by another function");
            return Err(Error::new(Code::Contention, message));
        }
    }
    let now = world.now();
    changes::change(world, group, service, |scaling| {
        scaling.end_scale_in(execution, now)
    })
    .await
}

/// Registers the targets of tasks that still run. One that stops at the same moment must not leave its target behind.
async fn give_targets_back<W: ScalingWorld>(
    world: &W,
    group: &GroupName,
    settings: &ServiceSettings,
    plan: &Plan,
    state: &ServiceState,
) -> Result<(), Error> {
    let taken: BTreeMap<&String, &Vec<PlannedTarget>> = plan.victims.iter().chain(&plan.spared).collect();
    if plan.deregistered_at.is_none() || taken.values().all(|targets| targets.is_empty()) {
        return Ok(());
    }
    let of = |state: &ServiceState, up: bool| -> Vec<PlannedTarget> {
        let is_up_now = |id: &String| state.tasks.iter().any(|task| task.id == *id && is_up(task));
        let ours = taken.iter().filter(|(id, _)| is_up_now(id) == up);
        ours.flat_map(|(_, targets)| targets.iter().cloned()).collect()
    };
    for (group, targets) in by_group(&of(state, true)) {
        world.register(group, &targets).await?;
    }
    let after = match engine::observe_one(world, group, settings).await {
        Seen::Known(state) if state.tasks_unknown.is_none() => state,
        Seen::Known(_) => return Err(Error::new(Code::Unavailable, format!("tasks of {}", settings.id))),
        Seen::Unknown(error) => return Err(error),
    };
    // An address may have gone to another task meanwhile.
    let addresses: Vec<String> = after
        .tasks
        .iter()
        .filter_map(|task| task.private.map(|ip| ip.to_string()))
        .collect();
    let mut gone = of(&after, false);
    gone.retain(|target| !addresses.contains(&target.name.id));
    for (group, targets) in by_group(&gone) {
        world.deregister(group, &targets).await?;
    }
    Ok(())
}

/// Gives back what the plan says was taken. Gives the desired count as it is then, if this scale-in has lowered it.
async fn give_back<W: ScalingWorld>(
    world: &W,
    service: &ServiceId,
    plan: &Plan,
    record: Option<&Record>,
    state: &ServiceState,
) -> Result<Option<u32>, Error> {
    let up: BTreeMap<&str, &TaskState> = state
        .tasks
        .iter()
        .filter(|task| is_up(task))
        .map(|task| (&*task.id, task))
        .collect();
    // A count that is too low must be mended before the protections go: ECS might take any task then.
    let alive = u32::try_from(up.len()).unwrap_or(u32::MAX);
    let lowered = record.and_then(|record| lowered(record, service, plan, state));
    let right = lowered.map(|lowered| right_count(lowered, state.desired, alive));
    if let Some(count) = right.filter(|count| *count != state.desired) {
        world.set_desired(service, count).await?;
    }
    let now = world.now();
    let ids: Vec<String> = plan
        .protected
        .iter()
        .filter(|id| up.contains_key(id.as_str()))
        .cloned()
        .collect();
    let protections = world.protected_until(&service.cluster, &ids).await?;
    let ours = |id: &&String| {
        let until = protections.get(*id).copied().flatten();
        until.is_some_and(|until| until > now && plan.is_ours(id, until))
    };
    let ours: Vec<String> = ids.iter().filter(ours).cloned().collect();
    world.protect(&service.cluster, &ours, None).await?;
    Ok(right)
}

/// A service whose count this scale-in has lowered, and nobody has changed since.
struct Lowered {
    /// Whether its group is to be up.
    stays_up: bool,
    /// The count that was asked for last.
    asked: u32,
}

fn lowered(record: &Record, service: &ServiceId, plan: &Plan, state: &ServiceState) -> Option<Lowered> {
    let of_service = record.services.get(service)?;
    let claim = of_service.scaling.claim.as_ref()?;
    let lowering = claim
        .lowering
        .filter(|lowering| claim.execution == plan.execution && lowering.to == state.desired)?;
    let commanded = of_service.command.filter(|command| command.at >= lowering.at);
    // A wake that came while the call was on its way saw the count that the group was woken with, and asked for no more.
    let woken = claim
        .revoked
        .filter(|revoked| revoked.by == Revoker::Wake && revoked.at >= lowering.at);
    let wanted = woken
        .and(of_service.wanted)
        .map_or(0, |wanted| wanted.min(claim.from));
    Some(Lowered {
        stays_up: matches!(record.phase, Phase::Awake | Phase::Waking),
        asked: commanded.map_or(0, |command| command.count).max(wanted),
    })
}

/// The count that fits: more than was left if tasks that were to go have stayed, or if somebody asked for more while the
/// call was on its way.
fn right_count(lowered: Lowered, desired: u32, alive: u32) -> u32 {
    if lowered.stays_up {
        desired.max(alive).max(lowered.asked)
    } else {
        desired
    }
}
