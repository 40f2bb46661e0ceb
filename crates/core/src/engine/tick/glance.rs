//! Looking at many groups at a glance: counts only, ten services a call, at a pace that leaves ECS's read bucket to others
//! too.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Group;
use crate::duration;
use crate::ids::ServiceId;
use crate::observation::{Seen, ServiceState};
use crate::ports::World;
use crate::quota::pace::Pace;
use crate::record::Phase;
use crate::settings::{ServiceSettings, Signals};

/// Services in one DescribeServices call (Amazon ECS API reference, DescribeServices).
pub(super) const PER_CALL: usize = 10;

/// What was seen of one group.
pub(super) type Glance = BTreeMap<ServiceId, Seen>;

/// The groups with what was seen of them. Those that were not reached by `until` are left out, others each time: the
/// minute says with which one to begin.
pub(super) async fn take<W: World>(
    world: &W,
    mut groups: Vec<Group>,
    parts: u32,
    until: Timestamp,
) -> Vec<(Group, Glance)> {
    groups.sort_by(|one, other| one.place().cmp(&other.place()));
    let mut pace = Pace::part_of(parts);
    let (begin, most) = first(&groups, pace, world.now(), until);
    groups.rotate_left(begin);
    let mut seen = Glance::new();
    let mut calls = calls_for(&groups).into_iter().take(most).peekable();
    while calls.peek().is_some() {
        let now = world.now();
        let left = pace.left(now);
        if left == 0 {
            world.pause(pace.wait()).await;
            continue;
        }
        let together: Vec<Vec<&ServiceSettings>> = calls.by_ref().take(left as usize).collect();
        pace.spend(together.len() as u32, now);
        let services: Vec<&ServiceSettings> = together.into_iter().flatten().collect();
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

/// With which group to begin, and how many calls there is time for: if they are too few for all, each minute goes on about
/// where the one before ended. Half of the time is for the turns.
fn first(groups: &[Group], pace: Pace, now: Timestamp, until: Timestamp) -> (usize, usize) {
    let time = duration::between(now, until) / 2;
    let flows_in = time.as_millis() / pace.wait().as_millis().max(1);
    let most = pace.left(now) as usize + usize::try_from(flows_in).unwrap_or(usize::MAX);
    let calls = calls_for(groups).len();
    if calls <= most {
        return (0, most);
    }
    let a_tick = groups.len() * most / calls;
    let minute = usize::try_from(now.as_second().div_euclid(60)).unwrap_or(0);
    (minute.wrapping_mul(a_tick) % groups.len(), most)
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
