//! What must hold, always and in the end.

use std::collections::BTreeSet;

use dormouse_core::sessions::TaskKey;
use fargate_sim::model::{Service, ServiceKey, Target, TargetKey, TargetState, Task, World};

use super::truth::short;
use super::{Account, group, moment, web};
use crate::sim::minutes;

fn service(world: &World) -> &Service {
    world.service("dev", "web").expect("the service")
}

pub(super) fn alive(world: &World) -> Vec<&Task> {
    let tasks = world.tasks_of(&ServiceKey::new("dev", "web"));
    tasks.into_iter().filter(|task| task.is_alive()).collect()
}

/// The task's targets; none in a group where it has none.
pub(super) fn targets<'a>(world: &'a World, task: &Task) -> Vec<Option<&'a Target>> {
    let target = |group: &str, port| {
        let address = task.interface.as_ref()?.private;
        world
            .target_group(group)
            .ok()?
            .targets
            .get(&TargetKey { address, port })
    };
    let balancers = task.load_balancers.iter();
    balancers
        .map(|b| target(&b.target_group_arn, b.container_port))
        .collect()
}

impl Account {
    /// UpdateService calls: the count before and the one that was set.
    pub(crate) fn counts_set(&self) -> Vec<(u32, u32)> {
        let updates = self.updates.borrow();
        updates.iter().map(|(_, from, to)| (*from, *to)).collect()
    }

    /// Looks for what must never be: a task that ECS stopped with a live session.
    pub(crate) fn watch(&self) {
        let clock = self.clock.borrow();
        let primary = &service(&clock.world).primary().id;
        let mut truth = self.truth.borrow_mut();
        for task in clock.world.tasks() {
            if task.is_alive() || !truth.ended.insert(task.id.0.clone()) {
                continue;
            }
            let code = task.stop_code.unwrap_or_default();
            let cut = truth.sessions.remove(&task.id.0).is_some();
            self.trace
                .borrow_mut()
                .push(format!("-- task {} ended: {code}", short(&task.id.0)));
            // Of a rollout its owner knows that it replaces tasks.
            let meant = truth.cuts_allowed || task.deployment != *primary;
            if cut && code == "ServiceSchedulerInitiated" && !meant {
                self.fail(&format!("task {} was stopped with a live session", task.id));
            }
            if let Some(stored) = self.table.borrow_mut().rows.get_mut(&key(&task.id.0)) {
                stored.row.end(moment(clock.now));
                stored.version += 1;
            }
        }
    }

    /// What must hold whenever a count is lowered: all with sessions are protected, and ECS may take exactly as many
    /// tasks as it is to take.
    pub(super) fn check_before_update(&self, count: u32) {
        let from = service(&self.clock.borrow().world).desired_count;
        self.updates.borrow_mut().push((self.at(), from, count));
        self.note(&format!("-- UpdateService {from} -> {count}"));
        if count == 0 || count >= from {
            return;
        }
        let clock = self.clock.borrow();
        let open: Vec<&Task> = alive(&clock.world)
            .into_iter()
            .filter(|t| !t.is_protected(clock.now))
            .collect();
        let truth = self.truth.borrow();
        let in_use = |task: &&&Task| truth.sessions.contains_key(&task.id.0) && !truth.cuts_allowed;
        if let Some(task) = open.iter().find(in_use) {
            self.fail(&format!(
                "task {} has a session and no protection while the count falls",
                task.id
            ));
        }
    }

    /// Whether nothing is left behind; else what is.
    pub(crate) fn left_behind(&self) -> Option<String> {
        let (table, clock) = (self.table.borrow(), self.clock.borrow());
        let record = table.groups[&group()].record.as_ref().expect("a record");
        let scaling = &record.services[&web()].scaling;
        if scaling.claim.is_some() || !scaling.untold.is_empty() {
            return Some(format!("{scaling:?}"));
        }
        if let Some(plan) = table.plan(&web()) {
            return Some(format!("{plan:?}"));
        }
        let (service, alive) = (service(&clock.world), alive(&clock.world));
        let apps = &self.truth.borrow().protected;
        let by_app = |task: &Task| apps.get(&task.id.0).filter(|until| **until > clock.now).copied();
        // What an app protects stays, though nobody wants it.
        let kept = alive.iter().filter(|task| by_app(task).is_some()).count();
        let (desired, counts) = (
            service.desired_count as usize,
            clock.world.counts(&service.key, None),
        );
        let fits = (desired..=desired + kept).contains(&alive.len());
        if !fits || counts != (alive.len(), 0) || (service.deployments.len() > 1 && kept == 0) {
            return Some(format!(
                "{desired} desired, {counts:?} running and pending, {} alive",
                alive.len()
            ));
        }
        let known: BTreeSet<_> = alive
            .iter()
            .filter_map(|task| Some(task.interface.as_ref()?.private))
            .collect();
        let targets_of_groups = clock.world.target_groups().flat_map(|group| &group.targets);
        let stray = |(key, target): &(&TargetKey, &Target)| {
            target.state != TargetState::Draining && !known.contains(&key.address)
        };
        // Who registers a target cannot know of an end that is not told yet.
        let told = self.lag.get().is_zero();
        if let Some((key, _)) = targets_of_groups.into_iter().find(stray).filter(|_| told) {
            return Some(format!("target {key} is registered and belongs to no task"));
        }
        alive.into_iter().find_map(|task| {
            let app = by_app(task);
            let out = |target: &Option<&Target>| target.is_none_or(|t| t.state == TargetState::Draining);
            // Whole minutes are all that ECS takes: what was an app's may end a little later, but no earlier.
            let rounded = app.is_some_and(|app| {
                task.protected_until
                    .is_some_and(|until| until > app && until.since(app) < minutes(1))
            });
            if task.protected_until != app && !rounded {
                let until = task.protected_until;
                Some(format!(
                    "{} is protected until {until:?}, by its app until {app:?}",
                    task.id
                ))
            } else if targets(&clock.world, task).iter().any(out) {
                Some(format!("the target of {} is not registered", task.id))
            } else {
                None
            }
        })
    }
}

fn key(id: &str) -> TaskKey {
    TaskKey::parse(&format!("dev/{id}")).expect("a task")
}
