//! A service as DescribeServices shows it.

use serde_json::{Value, json};

use super::compact;
use crate::model::{Deployment, Service, World};

/// Fields that are shown as they were given.
const ECHOED: [&str; 8] = [
    "launchType",
    "platformVersion",
    "capacityProviderStrategy",
    "schedulingStrategy",
    "enableExecuteCommand",
    "deploymentController",
    "serviceRegistries",
    "availabilityZoneRebalancing",
];

pub(super) fn view(world: &World, service: &Service, with_tags: bool) -> Value {
    let (running, pending) = world.counts(&service.key, None);
    let events = service.events.iter();
    let events: Vec<Value> = events
        .map(|e| json!({"id": e.id, "createdAt": e.at.epoch_seconds(), "message": e.message}))
        .collect();
    let mut view = json!({
        "serviceArn": service.arn,
        "serviceName": service.key.name,
        "clusterArn": format!(
            "arn:aws:ecs:{}:{}:cluster/{}", world.config.region, world.config.account, service.key.cluster
        ),
        "status": service.status.name(),
        "desiredCount": service.desired_count,
        "runningCount": running,
        "pendingCount": pending,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "schedulingStrategy": "REPLICA",
        "taskDefinition": service.primary().definition.arn,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": service.circuit_breaker.0, "rollback": service.circuit_breaker.1},
            "maximumPercent": service.maximum_percent,
            "minimumHealthyPercent": service.minimum_healthy_percent,
        },
        "deploymentController": {"type": "ECS"},
        "deployments": service.deployments.iter().map(|d| deployment(world, service, d)).collect::<Vec<_>>(),
        "events": events,
        "loadBalancers": service.load_balancers,
        "serviceRegistries": [],
        "networkConfiguration": service.primary().network,
        "healthCheckGracePeriodSeconds": service.grace_seconds,
        "createdAt": service.created_at.epoch_seconds(),
        "placementConstraints": [],
        "placementStrategy": [],
        "enableECSManagedTags": service.managed_tags,
        "propagateTags": service.propagate_tags.as_deref().unwrap_or("NONE"),
        "enableExecuteCommand": false,
    });
    for field in ECHOED {
        if let Some(value) = service.other.get(field) {
            view[field] = value.clone();
        }
    }
    if view["capacityProviderStrategy"]
        .as_array()
        .is_some_and(|s| !s.is_empty())
    {
        view["launchType"] = Value::Null;
    }
    if with_tags {
        view["tags"] = json!(service.tags);
    }
    compact(view)
}

fn deployment(world: &World, service: &Service, deployment: &Deployment) -> Value {
    let (running, pending) = world.counts(&service.key, Some(&deployment.id));
    let primary = deployment.id == service.primary().id;
    compact(json!({
        "id": deployment.id,
        "status": deployment.status.name(),
        "taskDefinition": deployment.definition.arn,
        // An old deployment is on its way to none.
        "desiredCount": if primary { service.desired_count } else { 0 },
        "runningCount": running,
        "pendingCount": pending,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at.epoch_seconds(),
        "updatedAt": deployment.updated_at.epoch_seconds(),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": deployment.network,
        "rolloutState": deployment.rollout.name(),
        "rolloutStateReason": deployment.rollout_reason,
    }))
}
