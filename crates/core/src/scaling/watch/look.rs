//! Looking at what is watched: counts and tasks, as often as they are due and ECS's read buckets allow.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::service::Watched;
use crate::error::{Code, Error};
use crate::ids::ServiceId;
use crate::observation::{Seen, TaskState};
use crate::ports::{Listed, ScalingWorld};
use crate::quota::pace::{BURST, Pace};
use crate::settings::ServiceSettings;

/// Services in one DescribeServices call (Amazon ECS API reference, DescribeServices).
const SERVICES_PER_CALL: usize = 10;
/// Tasks in one ListTasks page or DescribeTasks call (Amazon ECS API reference).
const TASKS_PER_CALL: u32 = 100;
/// One look may take this long; a slow one must not hold up the passes. It is tried again.
const LIMIT: Duration = Duration::from_secs(2);

/// How much of ECS's read buckets is left to the watch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    services: Pace,
    tasks: Pace,
    pub(super) service_reads: u32,
    pub(super) task_reads: u32,
    pub(super) waited: u32,
}

/// What was seen: counts and tasks of the services that were looked at.
#[derive(Default)]
pub(super) struct Seens {
    counts: BTreeMap<ServiceId, Option<Seen>>,
    tasks: BTreeMap<ServiceId, Result<Vec<TaskState>, Error>>,
}

impl Looks {
    /// As much is left, and nothing is counted yet.
    pub(super) fn uncounted(self) -> Self {
        Self {
            services: self.services,
            tasks: self.tasks,
            ..Self::default()
        }
    }

    /// Takes the looks that are due, those that have waited longest first.
    pub(super) async fn take<W: ScalingWorld>(
        &mut self,
        world: &W,
        watched: &[Watched],
        now: Timestamp,
    ) -> Seens {
        let counts = self.counts_to_take(watched, now);
        let lists = self.lists_to_take(watched, now);
        let counting = join_all(counts.iter().map(|services| count(world, services)));
        let listing = join_all(lists.iter().map(|services| list(world, services)));
        let (counted, listed) = join(counting, listing).await;
        // What a list takes is only known afterwards.
        let calls = listed.iter().map(|listed| listed.calls).sum();
        self.tasks.spend(calls, now);
        self.task_reads += calls;
        Seens {
            counts: counted.into_iter().flatten().collect(),
            tasks: listed.into_iter().flat_map(|listed| listed.tasks).collect(),
        }
    }

    /// The services of each call.
    fn counts_to_take<'a>(
        &mut self,
        watched: &'a [Watched],
        now: Timestamp,
    ) -> Vec<Vec<&'a ServiceSettings>> {
        let mut due: Vec<&Watched> = watched.iter().filter(|w| w.counts_are_due(now)).collect();
        due.sort_by_key(|watched| watched.asked());
        let calls: Vec<_> = by_cluster(&due)
            .into_iter()
            .flat_map(|services| {
                let settings: Vec<_> = services.iter().map(|watched| &watched.settings).collect();
                settings
                    .chunks(SERVICES_PER_CALL)
                    .map(<[_]>::to_vec)
                    .collect::<Vec<_>>()
            })
            .collect();
        let allowed = (self.services.left(now) as usize).min(calls.len());
        self.waited += (calls.len() - allowed) as u32;
        self.service_reads += allowed as u32;
        self.services.spend(allowed as u32, now);
        calls.into_iter().take(allowed).collect()
    }

    /// The services of each list: those of a cluster together, because one list tells of all of them.
    fn lists_to_take<'a>(&mut self, watched: &'a [Watched], now: Timestamp) -> Vec<Vec<&'a ServiceSettings>> {
        let mut due: Vec<&Watched> = watched.iter().filter(|w| w.list_is_due(now)).collect();
        due.sort_by_key(|watched| watched.known.tried());
        let mut left = self.tasks.left(now);
        let mut lists: Vec<Vec<&ServiceSettings>> = Vec::new();
        for services in by_cluster(&due) {
            let (mut list, mut spent, mut tasks) = (Vec::new(), 0, 0);
            for watched in services {
                tasks += watched.state.as_ref().map_or(0, |state| state.running);
                let most = 2 * tasks.div_ceil(TASKS_PER_CALL).max(1);
                // A service that takes more than a full bucket is listed all the same, and the rest is a debt.
                let due = if list.is_empty() { most.min(BURST) } else { most };
                if due > left {
                    break;
                }
                spent = due;
                list.push(&watched.settings);
            }
            if list.is_empty() {
                // It has waited longest, so it has the next turn however much it takes.
                break;
            }
            left -= spent;
            lists.push(list);
        }
        let taken: usize = lists.iter().map(Vec::len).sum();
        self.waited += (due.len() - taken) as u32;
        lists
    }
}

/// The services of each cluster, in the order of the first of each.
fn by_cluster<'a>(watched: &[&'a Watched]) -> Vec<Vec<&'a Watched>> {
    let mut clusters: Vec<Vec<&Watched>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for watched in watched {
        let place = *places.entry(&watched.settings.id.cluster).or_insert_with(|| {
            clusters.push(Vec::new());
            clusters.len() - 1
        });
        clusters[place].push(watched);
    }
    clusters
}

async fn count<W: ScalingWorld>(world: &W, services: &[&ServiceSettings]) -> Vec<(ServiceId, Option<Seen>)> {
    let seen = world.within(LIMIT, world.observe_counts(services)).await;
    let mut seen = seen.unwrap_or_default();
    let of = |settings: &&ServiceSettings| (settings.id.clone(), seen.remove(&settings.id));
    services.iter().map(of).collect()
}

async fn list<W: ScalingWorld>(world: &W, services: &[&ServiceSettings]) -> Listed {
    let late = || Listed {
        // As many as it may have made.
        calls: services.len() as u32,
        ..Listed::default()
    };
    let listed = world.within(LIMIT, world.list_tasks(services)).await;
    let mut listed = listed.unwrap_or_else(late);
    for settings in services {
        let missing = || {
            let message = format!("tasks of {} could not be listed in time", settings.id);
            Err(Error::new(Code::Unavailable, message))
        };
        listed.tasks.entry(settings.id.clone()).or_insert_with(missing);
    }
    listed
}

impl Seens {
    /// Gives each service what was seen of it.
    pub(super) fn hand_out(mut self, watched: &mut [Watched], now: Timestamp) {
        for watched in watched {
            if let Some(seen) = self.counts.remove(&watched.settings.id) {
                watched.count(seen, now);
            }
            if let Some(listed) = self.tasks.remove(&watched.settings.id) {
                watched.list(listed, now);
            }
        }
    }
}
