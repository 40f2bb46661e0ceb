//! The whole world as JSON, for a person who debugs.

use serde_json::{Value, json};

use super::ecs;
use crate::model::{Action, ActionKind, Rule, World};

/// Services and tasks as ECS describes them, target groups with their targets, load balancers with their ports and rules.
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
        json!({"arn": g.arn, "targets": targets, "function": g.function, "loadBalancers": world.balancers_of(&g.arn)})
    });
    state["targetGroups"] = groups.collect();
    let balancers = world.load_balancers().map(|b| {
        let ports: Vec<u16> = world.listeners_of(&b.arn).map(|l| l.port).collect();
        let rules: Vec<Value> = world
            .listeners_of(&b.arn)
            .flat_map(|l| rules(world, &l.arn))
            .collect();
        json!({"arn": b.arn, "address": b.address.to_string(), "ports": ports, "rules": rules})
    });
    state["loadBalancers"] = balancers.collect();
    state
}

/// Where each rule of a listener leads.
fn rules(world: &World, listener: &str) -> Vec<Value> {
    let action = |a: &Action| match &a.kind {
        ActionKind::Forward(forward) => {
            let groups = forward
                .groups
                .iter()
                .map(|g| (g.target_group.clone(), g.weight.into()));
            json!({"type": a.type_name(), "weights": groups.collect::<serde_json::Map<_, Value>>()})
        }
        _ => json!({"type": a.type_name()}),
    };
    let rules = world.rules_of(listener).unwrap_or_default().iter();
    let rule = |r: &Rule| {
        let actions: Vec<Value> = r.actions.iter().map(action).collect();
        json!({"arn": r.arn, "priority": r.priority.to_string(), "actions": actions})
    };
    rules.map(rule).collect()
}
