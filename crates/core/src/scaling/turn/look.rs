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
use crate::scaling::connections::reading::Sample;
use crate::scaling::connections::window::Window;
use crate::scaling::connections::{self, Counts, Policy};
use crate::scaling::load::{History, Load, Metric, Tasks};
use crate::scaling::reason::{Reason, Utilization};
use crate::scaling::{Action, Decision, FRESH, STABLE_WINDOW, decide, tasks};
use crate::settings::ServiceSettings;

/// Utilizations of services, as far as their owners gave them ranges.
pub(in crate::scaling) type Metrics = BTreeMap<(ServiceId, Utilization), Metric>;

/// The utilizations that decide about the services, in one batch for all of them.
pub(in crate::scaling) async fn metrics<W: ScalingWorld>(
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

/// What a decision about a service rests on besides its counts and tasks.
#[derive(Clone, Copy)]
pub(in crate::scaling) struct Evidence<'a> {
    /// Its utilizations, among those of others.
    pub(in crate::scaling) metrics: &'a Metrics,
    /// Its connections as they were read until now.
    pub(in crate::scaling) window: Option<&'a Window>,
    /// The newest reading of them.
    pub(in crate::scaling) reading: Option<Sample>,
}

/// The decision, with what the record has to say, and with a look at the tasks if it hangs on them alone.
pub(in crate::scaling) async fn decide_now<W: ScalingWorld>(
    world: &W,
    settings: &ServiceSettings,
    state: &ServiceState,
    evidence: &Evidence<'_>,
    record: &ServiceRecord,
    now: Timestamp,
) -> Decision {
    let unseen = Tasks::Unknown("they were not looked at".to_owned());
    let decision = decide_unseen(settings, state, evidence, record, unseen, now);
    if !hangs_on_tasks(&decision) {
        return decision;
    }
    let tasks = look_at_tasks(world, settings, state, now).await;
    decide_unseen(settings, state, evidence, record, tasks, now)
}

/// Whether only its tasks can tell whether the service scales in.
pub(in crate::scaling) fn hangs_on_tasks(decision: &Decision) -> bool {
    matches!(decision.reason, Reason::TasksUnknown { .. })
}

/// The decision, given what is known of the tasks: while an UpdateService may be on its way nothing is changed, and only
/// one scale-in is under way at a time.
pub(in crate::scaling) fn decide_unseen(
    settings: &ServiceSettings,
    state: &ServiceState,
    evidence: &Evidence<'_>,
    record: &ServiceRecord,
    tasks: Tasks,
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
    let history = &record.scaling.history;
    let load = load(settings, state, evidence, history, tasks, now);
    let decision = decide(settings, &load, history, now);
    let scales_in = matches!(decision.action, Action::ScaleIn { .. }) || hangs_on_tasks(&decision);
    match record.scaling.claim.as_ref().filter(|_| scales_in) {
        Some(claim) => hold(Reason::ScaleInUnderWay { since: claim.since }),
        None => decision,
    }
}

fn load(
    settings: &ServiceSettings,
    state: &ServiceState,
    evidence: &Evidence<'_>,
    history: &History,
    tasks: Tasks,
    now: Timestamp,
) -> Load {
    let metric = |of| {
        let found = evidence.metrics.get(&(settings.id.clone(), of)).cloned();
        found.unwrap_or_else(|| Metric::Unknown("it was not looked at".to_owned()))
    };
    let counts = Counts {
        desired: state.desired,
        running: state.running,
        rollout: state.rollout_since.is_some(),
    };
    let nothing = Window::default();
    let window = evidence.window.unwrap_or(&nothing);
    let policy = Policy::of(settings);
    let connections = policy.map(|policy| connections::decide(&policy, counts, window, history, now));
    Load {
        desired: counts.desired,
        running: counts.running,
        rollout: counts.rollout,
        cpu: metric(Utilization::Cpu),
        memory: metric(Utilization::Memory),
        connections,
        tasks,
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
