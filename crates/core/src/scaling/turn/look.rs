//! What a decision about scaling rests on, and the decision.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::ids::ServiceId;
use crate::minutes::PERIOD;
use crate::observation::{ServiceState, TaskState};
use crate::ports::ScalingWorld;
use crate::record::ServiceRecord;
use crate::scaling::load::{Load, Metric, Tasks};
use crate::scaling::reason::{Reason, Utilization};
use crate::scaling::{Action, Decision, FRESH, STABLE_WINDOW, decide, tasks};
use crate::settings::ServiceSettings;

/// Utilizations of services, as far as their owners gave them ranges.
pub(super) type Metrics = BTreeMap<(ServiceId, Utilization), Metric>;

/// The utilizations that decide about the services, in one batch for all of them.
pub(super) async fn metrics<W: ScalingWorld>(
    world: &W,
    services: impl Iterator<Item = &ServiceSettings>,
) -> Metrics {
    let now = world.now();
    let wanted: Vec<(ServiceId, Utilization)> = services
        .flat_map(|settings| {
            let ranges = [
                (Utilization::Cpu, settings.scaling.cpu),
                (Utilization::Memory, settings.scaling.memory),
            ];
            let wanted = ranges.into_iter().filter(|(_, range)| range.is_some());
            wanted
                .map(|(of, _)| (settings.id.clone(), of))
                .collect::<Vec<_>>()
        })
        .collect();
    if wanted.is_empty() {
        return Metrics::new();
    }
    let window: Duration = STABLE_WINDOW + FRESH + 2 * PERIOD;
    let answers = world
        .utilizations(&wanted, duration::before(now, window), now)
        .await;
    wanted.into_iter().zip(answers).collect()
}

/// The decision, with what the record has to say: while an UpdateService may be on its way nothing is changed, and only
/// one scale-in is under way at a time.
pub(super) async fn decide_now<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
    state: &ServiceState,
    metrics: &Metrics,
    record: &ServiceRecord,
    now: Timestamp,
) -> Decision {
    let hold = |reason| Decision {
        action: Action::Hold,
        reason,
    };
    if let Some(command) = record
        .command
        .filter(|command| command.is_on_its_way(state.desired, now))
    {
        return hold(Reason::OnItsWay { count: command.count });
    }
    let mut load = load(settings, state, metrics);
    let history = &record.scaling.history;
    let mut decision = decide(settings, &load, history, now);
    if matches!(decision.reason, Reason::TasksUnknown { .. }) {
        load.tasks = look_at_tasks(world, settings, state, now).await;
        decision = decide(settings, &load, history, now);
    }
    match (&decision.action, &record.scaling.claim) {
        (Action::ScaleIn { .. }, Some(claim)) => hold(Reason::ScaleInUnderWay { since: claim.since }),
        _ => decision,
    }
}

fn load(settings: &ServiceSettings, state: &ServiceState, metrics: &Metrics) -> Load {
    let metric = |of| {
        let found = metrics.get(&(settings.id.clone(), of)).cloned();
        found.unwrap_or_else(|| Metric::Unknown("it was not looked at".to_owned()))
    };
    Load {
        desired: state.desired,
        running: state.running,
        rollout: state.rollout_since.is_some(),
        cpu: metric(Utilization::Cpu),
        memory: metric(Utilization::Memory),
        connections: None,
        // Sessions and protections are read only when a scale-in hangs on them alone.
        tasks: Tasks::Unknown("they were not looked at".to_owned()),
    }
}

async fn look_at_tasks<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
    state: &ServiceState,
    now: Timestamp,
) -> Tasks {
    if let Some(why) = &state.tasks_unknown {
        return Tasks::Unknown(why.clone());
    }
    let tasks: Vec<&TaskState> = state.tasks.iter().collect();
    match tasks::look(world, &settings.id.cluster, &tasks, None, now).await {
        Ok(tasks) => Tasks::Known(tasks),
        Err(error) => Tasks::Unknown(error.message),
    }
}
