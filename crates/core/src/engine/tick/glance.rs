//! Looking at many groups at a glance: counts only, ten services a call, at a pace that leaves ECS's read bucket to others
//! too.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::reads::{self, Calls, Reads};
use super::{Group, was_commanded};
use crate::duration;
use crate::ids::ServiceId;
use crate::observation::{Seen, ServiceState};
use crate::ports::World;
use crate::record::Phase;
use crate::settings::{ServiceSettings, Signals};

/// Services in one DescribeServices call (Amazon ECS API reference, DescribeServices).
pub(super) const PER_CALL: usize = 10;

/// What was seen of one group.
pub(super) type Glance = BTreeMap<ServiceId, Seen>;

/// The groups with what was seen of them. Those for which there is no time are left out, others each time: the minute says
/// with which one to begin.
pub(super) async fn take<W: World>(world: &W, mut groups: Vec<Group>, reads: &Reads) -> Vec<(Group, Glance)> {
    groups.sort_by(|one, other| one.place().cmp(&other.place()));
    let now = world.now();
    let most = reads.most_services(now);
    let begin = reads::begin(groups.len(), calls_for(&groups).len(), most, now);
    groups.rotate_left(begin);
    let mut seen = Glance::new();
    let mut calls = calls_for(&groups).into_iter().take(most);
    loop {
        let some = reads.some(world, calls.len()).await;
        let services: Vec<&ServiceSettings> = calls.by_ref().take(some).flatten().collect();
        if services.is_empty() {
            break;
        }
        seen.extend(world.observe_counts(&services).await.into_iter().map(shallow));
    }
    drop(calls);
    let glance = |group: &Group| {
        let services = group.settings.services.iter();
        let all = services.map(|service| Some((service.id.clone(), seen.get(&service.id)?.clone())));
        all.collect::<Option<Glance>>()
    };
    groups
        .into_iter()
        .filter_map(|group| Some((glance(&group)?, group)))
        .map(|(seen, group)| (group, seen))
        .collect()
}

/// The services of each call, in the order of their groups.
fn calls_for(groups: &[Group]) -> Vec<Vec<&ServiceSettings>> {
    let mut calls: Vec<Vec<&ServiceSettings>> = Vec::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for service in groups.iter().flat_map(|group| &group.settings.services) {
        let cluster = service.id.cluster.as_str();
        match open.get(cluster).filter(|call| calls[**call].len() < PER_CALL) {
            Some(call) => calls[*call].push(service),
            None => {
                open.insert(cluster, calls.len());
                calls.push(vec![service]);
            }
        }
    }
    calls
}

/// A count is no look at the tasks.
fn shallow((id, seen): (ServiceId, Seen)) -> (ServiceId, Seen) {
    let seen = match seen {
        Seen::Known(mut state) if state.desired + state.running + state.pending > 0 => {
            state.tasks_unknown = Some("its tasks were not looked at".to_owned());
            Seen::Known(state)
        }
        other => other,
    };
    (id, seen)
}

impl Group {
    /// Groups of the same cluster stand side by side, so that they share calls.
    pub(super) fn place(&self) -> (&str, &str) {
        let first = self.settings.services.first();
        let cluster = first.map_or("", |service| service.id.cluster.as_str());
        (cluster, self.settings.name.as_str())
    }

    /// About how many calls a closer look at it takes: tasks are asked for only where there may be some, and whoever begins
    /// to wake it looks once more when its turn comes.
    pub(super) fn calls(&self) -> Calls {
        let tasks = u32::try_from(self.settings.services.len() * 2).unwrap_or(u32::MAX);
        match &self.record {
            Some(record) if record.phase == Phase::Asleep || !was_commanded(record) => Calls {
                services: 2,
                tasks: 0,
            },
            _ => Calls { services: 1, tasks },
        }
    }

    /// Whether a signal of it must be asked of its tasks.
    pub(super) fn reads_tasks(&self) -> bool {
        self.settings
            .services
            .iter()
            .any(|service| match &service.signals {
                Signals::FixedTimer => false,
                Signals::Listed(signals) => signals.iter().any(|signal| signal.is_of_tasks()),
                Signals::Configured => service.connections.is_some(),
            })
    }

    /// Whether it is time to see whether tasks answer: all that a wake wants run, or it does not get on, or nothing runs
    /// of what should.
    pub(super) fn is_worth_a_closer_look(&self, seen: &Glance, now: Timestamp) -> bool {
        let Some(record) = &self.record else { return true };
        let is_up = |id: &ServiceId, state: &ServiceState| {
            let wanted = record.services.get(id).and_then(|service| service.wanted);
            state.running >= wanted.unwrap_or(1).min(state.desired.max(1))
        };
        let all = |holds: &dyn Fn(&ServiceId, &ServiceState) -> bool| {
            seen.iter().all(|(id, seen)| match seen {
                Seen::Known(state) => holds(id, state),
                Seen::Unknown(_) => true,
            })
        };
        let woken_at = record.woken_at.unwrap_or(record.since);
        let is_late = duration::between(woken_at, now) >= self.settings.wake_timeout;
        match record.phase {
            Phase::Waking => is_late || all(&is_up) || !all(&|_, state| state.troubles.is_empty()),
            Phase::Awake => all(&|_, state| state.running == 0),
            Phase::Asleep | Phase::FallingAsleep => false,
        }
    }
}
