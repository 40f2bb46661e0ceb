//! What load balancers tell and do: targets, and doors.

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::error::Error;
use dormouse_core::front::{Condition, Door, DoorId, Forward, Place, Share};
use dormouse_core::ports::{Target, TargetName};
use fargate_sim::model::{
    Action, ActionKind, Condition as Rule, Forward as Shares, Priority, RequestLine, Route, TargetKey,
    TargetState, Task, WeightedGroup, World,
};

use super::Cloud;
use super::ecs::failed;

/// The targets of a task, none in a group where it has none.
pub(crate) fn targets_of<'a>(
    world: &'a World,
    task: &'a Task,
) -> impl Iterator<Item = Option<&'a fargate_sim::model::Target>> {
    let target = |group: &str, port| {
        let address = task.interface.as_ref()?.private;
        let targets = &world.target_group(group).ok()?.targets;
        targets.get(&TargetKey { address, port })
    };
    let balancers = task.load_balancers.iter();
    balancers.map(move |b| target(&b.target_group_arn, b.container_port))
}

/// Whether all target groups of a task, if there are any, lead to it.
pub(super) fn is_healthy(world: &World, task: &Task) -> bool {
    let mut targets = targets_of(world, task);
    targets.all(|target| target.is_some_and(|t| t.state == TargetState::Healthy))
}

impl Cloud {
    pub(crate) fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error> {
        let model = self.model.borrow();
        let group = model.world.target_group(target_group).map_err(|e| failed(&e))?;
        let target = |(key, target): (&TargetKey, &fargate_sim::model::Target)| Target {
            name: TargetName {
                id: key.address.to_string(),
                port: key.port,
            },
            draining: target.state == TargetState::Draining,
        };
        Ok(group.targets.iter().map(target).collect())
    }

    pub(crate) fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let done = model.world.deregister_targets(now, target_group, &keys(targets));
        done.map_err(|e| failed(&e))
    }

    pub(crate) fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let done = model.world.register_targets(now, target_group, &keys(targets));
        done.map_err(|e| failed(&e))
    }

    pub(crate) fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error> {
        let model = self.model.borrow();
        let group = model.world.target_group(target_group).map_err(|e| failed(&e))?;
        Ok(group.deregistration_delay())
    }

    /// All doors of all listeners.
    pub(crate) fn doors(&self) -> BTreeMap<DoorId, Door> {
        let model = self.model.borrow();
        let world = &model.world;
        let mut doors = BTreeMap::new();
        for balancer in world.load_balancers() {
            let wake = self.wake_groups.borrow().get(&balancer.arn).cloned();
            for listener in world.listeners_of(&balancer.arn) {
                for rule in world.rules_of(&listener.arn).unwrap_or_default() {
                    let Some(forward) = rule.actions.last().and_then(forward_of) else {
                        continue;
                    };
                    let (id, priority) = match rule.priority {
                        Priority::At(number) => (rule.arn.clone(), Some(number)),
                        Priority::Default => (listener.arn.clone(), None),
                    };
                    let place = Place {
                        host: balancer.name.clone(),
                        tls: false,
                        port: listener.port,
                        priority,
                        conditions: rule.conditions.iter().map(condition_of).collect(),
                        authenticates: false,
                    };
                    let wake = Ok(wake.clone().unwrap_or_default());
                    doors.insert(DoorId(id), Door { forward, place, wake });
                }
            }
        }
        doors
    }

    /// Leads a door elsewhere, whoever does it.
    pub(crate) fn lead(&self, door: &DoorId, to: &Forward) -> Result<(), Error> {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let world = &mut model.world;
        if door.0.contains(":listener-rule/") {
            let mut actions = world.rule(&door.0).map_err(|e| failed(&e))?.actions.clone();
            replace(&mut actions, to);
            let done = world.modify_rule(now, &door.0, None, Some(actions));
            done.map(|_| ()).map_err(|e| failed(&e))
        } else {
            let listener = world.listener(&door.0).map_err(|e| failed(&e))?;
            let mut actions = listener.default_actions().to_vec();
            replace(&mut actions, to);
            let done = world.modify_listener(now, &door.0, actions);
            done.map(|_| ()).map_err(|e| failed(&e))
        }
    }

    /// Where a request to a load balancer's first listener goes.
    pub(crate) fn route(&self, balancer: &str, request: &RequestLine) -> Option<Route> {
        let mut model = self.model.borrow_mut();
        let listener = model.world.listeners_of(balancer).next()?.arn.clone();
        Some(model.world.route(&listener, request))
    }

    /// The load balancer that has a door.
    pub(crate) fn balancer_of(&self, door: &DoorId) -> Option<String> {
        let model = self.model.borrow();
        let has = |arn: &str| {
            let mut listeners = model.world.listeners_of(arn);
            listeners.any(|listener| {
                door.0
                    .replace(":listener-rule/", ":listener/")
                    .starts_with(&listener.arn)
            })
        };
        let mut balancers = model.world.load_balancers();
        balancers
            .find(|balancer| has(&balancer.arn))
            .map(|b| b.arn.clone())
    }
}

fn keys(targets: &[TargetName]) -> Vec<TargetKey> {
    let key = |target: &TargetName| {
        let address = target.id.parse().ok()?;
        let port = target.port;
        Some(TargetKey { address, port })
    };
    targets.iter().filter_map(key).collect()
}

fn forward_of(action: &Action) -> Option<Forward> {
    let ActionKind::Forward(forward) = &action.kind else {
        return None;
    };
    let share = |group: &WeightedGroup| Share {
        target_group: group.target_group.clone(),
        weight: group.weight,
    };
    Some(Forward {
        shares: forward.groups.iter().map(share).collect(),
        sticky_seconds: forward.sticky_seconds.map(|seconds| seconds as u32),
    })
}

/// The same actions with another forward.
fn replace(actions: &mut [Action], to: &Forward) {
    let group = |share: &Share| WeightedGroup {
        target_group: share.target_group.clone(),
        weight: share.weight,
    };
    if let Some(last) = actions.last_mut() {
        last.kind = ActionKind::Forward(Shares {
            groups: to.shares.iter().map(group).collect(),
            sticky_seconds: to.sticky_seconds.map(u64::from),
        });
    }
}

fn condition_of(condition: &Rule) -> Condition {
    match condition {
        Rule::Host(values) => Condition::Host(values.clone()),
        Rule::Path(values) => Condition::Path(values.clone()),
        other => Condition::Other(format!("{other:?}")),
    }
}
