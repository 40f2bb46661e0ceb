//! The whole world as JSON, for a person who debugs.

use serde_json::{Value, json};

use super::ecs;
use crate::model::World;

/// Services and tasks as ECS describes them, target groups with their targets, load balancers with their listeners.
pub fn state(world: &World) -> Value {
    let mut state = ecs::state(world);
    state["capacityAvailable"] = world.capacity().into();
    let groups = world.target_groups().map(|g| {
        let targets: Vec<Value> = g
            .targets
            .iter()
            .map(|(key, target)| {
                let (state, reason, description) = target.describe();
                json!({"target": key.to_string(), "state": state, "reason": reason, "description": description})
            })
            .collect();
        json!({"arn": g.arn, "targets": targets, "loadBalancers": world.balancers_of(&g.arn)})
    });
    state["targetGroups"] = groups.collect();
    let balancers = world.load_balancers().map(|b| {
        let ports: Vec<u16> = world.listeners_of(&b.arn).map(|l| l.port).collect();
        json!({"arn": b.arn, "address": b.address.to_string(), "ports": ports})
    });
    state["loadBalancers"] = balancers.collect();
    state
}
