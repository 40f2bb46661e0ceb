//! The end of every scale-in, whether it worked or not: what is left is put back, and nothing stays protected by us.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::deregister::by_group;
use super::look::{self, is_up};
use super::plan::{Plan, PlannedTarget};
use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};
use crate::observation::ServiceState;
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
        match look::with_tasks(world, &settings).await {
            Ok(state) => {
                if is_on_its_way(stored.record.as_ref(), service, &plan, &state, world.now()) {
                    let message = format!("the lower count of {service} may still be on its way");
                    return Err(Error::new(Code::Contention, message));
                }
                give_targets_back(world, &settings, &plan, &state).await?;
                let lowered = give_back(world, group, service, &plan, stored.record.as_ref(), &state).await?;
                if let Some(count) = lowered {
                    changes::note_lowered(world, group, service, execution, count).await?;
                }
            }
            Err(error) if matches!(error.code, Code::ServiceNotFound | Code::ClusterNotFound) => {}
            Err(error) => return Err(error),
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
    let after = look::with_tasks(world, settings).await?;
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
    group: &GroupName,
    service: &ServiceId,
    plan: &Plan,
    record: Option<&Record>,
    state: &ServiceState,
) -> Result<Option<u32>, Error> {
    let listed: Vec<String> = state
        .tasks
        .iter()
        .filter(|task| is_up(task))
        .map(|task| task.id.clone())
        .collect();
    // Those that ECS is stopping may still be listed, but have no protection to tell of any more.
    let up = world.protected_until(&service.cluster, &listed).await?;
    // A count that is too low must be mended before the protections go: ECS might take any task then.
    let alive = u32::try_from(up.len()).unwrap_or(u32::MAX);
    let count = record.and_then(|record| right_count(record, service, plan, state.desired, alive));
    if let Some(Count::Set(count)) = count {
        changes::set_desired(world, group, service, count).await?;
    }
    let now = world.now();
    let ours = |(id, until): (&String, &Option<Timestamp>)| {
        let until = until.filter(|until| *until > now && plan.is_ours(id, *until));
        until.map(|_| id.clone())
    };
    // An app's own protection that we made longer ends no earlier than it would have.
    let (app, ours): (Vec<String>, Vec<String>) = up
        .iter()
        .filter_map(ours)
        .partition(|id| plan.app_until.get(id).is_some_and(|until| *until > now));
    world.protect(&service.cluster, &app, Some(1)).await?;
    world.protect(&service.cluster, &ours, None).await?;
    Ok(count.map(|count| match count {
        Count::Set(count) => count,
        Count::Right => state.desired,
    }))
}

/// Whether the call that lowers the count may still land, or has landed unseen: until then nobody may lose protection.
fn is_on_its_way(
    record: Option<&Record>,
    service: &ServiceId,
    plan: &Plan,
    state: &ServiceState,
    now: Timestamp,
) -> bool {
    let claim = record.and_then(|record| record.services.get(service)?.scaling.claim.as_ref());
    let claim = claim.filter(|claim| claim.execution == plan.execution);
    claim
        .and_then(|claim| claim.lowering_on_its_way(state.desired, now))
        .is_some()
}

/// What is to become of a count that this scale-in has decided to lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// It is as it should be.
    Right,
    /// It must be set.
    Set(u32),
}

/// More than is set if tasks that were to go are still there, since ECS would take any once they are not protected, or if
/// somebody asked for more while the call was on its way. If the count still shows as before, nobody can tell whether the call has landed: then it is taken back.
fn right_count(record: &Record, service: &ServiceId, plan: &Plan, desired: u32, alive: u32) -> Option<Count> {
    let of_service = record.services.get(service)?;
    let claim = of_service.scaling.claim.as_ref()?;
    let lowering = claim.lowering.filter(|_| claim.execution == plan.execution)?;
    if !matches!(record.phase, Phase::Awake | Phase::Waking) {
        return (desired == lowering.to).then_some(Count::Right);
    }
    let commanded = of_service.command.filter(|command| command.at >= lowering.at);
    // A wake that came while the call was on its way saw the count from before, and asked for no more.
    let woken = claim
        .revoked
        .filter(|revoked| revoked.by == Revoker::Wake && revoked.at >= lowering.at);
    let wanted = woken
        .and(of_service.wanted)
        .map_or(0, |wanted| wanted.min(claim.from));
    let asked = commanded.map_or(0, |command| command.count).max(wanted);
    let right = desired.max(asked);
    if desired == claim.from {
        Some(Count::Set(right))
    } else if desired < lowering.to {
        // Somebody else wants still fewer, and takes any.
        None
    } else if right.max(alive) > desired {
        Some(Count::Set(right.max(alive)))
    } else {
        Some(Count::Right)
    }
}
