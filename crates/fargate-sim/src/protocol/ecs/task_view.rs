//! A task as DescribeTasks shows it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::{compact, seconds};
use crate::model::{App, ContainerDefinition, Ids, Interface, Stage, Task, World};

pub(super) fn view(world: &World, task: &Task, with_tags: bool) -> Value {
    let main = &task.definition.main().name;
    let containers: Vec<Value> = task
        .definition
        .containers
        .iter()
        .map(|c| container(world, task, c, c.name == *main))
        .collect();
    let config = &world.config;
    compact(json!({
        "taskArn": task.arn,
        "clusterArn": format!("arn:aws:ecs:{}:{}:cluster/{}", config.region, config.account, task.cluster),
        "taskDefinitionArn": task.definition.arn,
        "group": format!("service:{}", task.service.name),
        "startedBy": task.deployment,
        "version": task.version,
        "lastStatus": task.stage.name(),
        "desiredStatus": task.desired_status(),
        "healthStatus": task.health_status().name(),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": format!("{}a", config.region),
        "cpu": task.definition.text("cpu").unwrap_or("256"),
        "memory": task.definition.text("memory").unwrap_or("512"),
        "ephemeralStorage": {"sizeInGiB": 20},
        "connectivity": task.connected_at.map(|_| "CONNECTED"),
        "connectivityAt": seconds(task.connected_at),
        "createdAt": task.created_at.epoch_seconds(),
        "pullStartedAt": seconds(task.pull_started_at),
        "pullStoppedAt": seconds(task.pull_stopped_at),
        "startedAt": seconds(task.started_at),
        "stoppingAt": seconds(task.stopping_at),
        "executionStoppedAt": seconds(task.execution_stopped_at),
        "stoppedAt": seconds(task.stopped_at),
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        "attachments": [attachment(task)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "containers": containers,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "enableExecuteCommand": false,
        "inferenceAccelerators": [],
        "tags": if with_tags { json!(task.tags) } else { json!([]) },
    }))
}

fn attachment(task: &Task) -> Value {
    let id = |i: &Interface| i.attachment.clone();
    let status = match task.stage {
        Stage::Provisioning => "PRECREATED",
        Stage::Deprovisioning | Stage::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    let details = task.interface.as_ref().map_or_else(Vec::new, |i| {
        let name = format!("ip-{}.ec2.internal", i.private.to_string().replace('.', "-"));
        vec![
            json!({"name": "subnetId", "value": i.subnet}),
            json!({"name": "networkInterfaceId", "value": i.id}),
            json!({"name": "macAddress", "value": i.mac}),
            json!({"name": "privateDnsName", "value": name}),
            json!({"name": "privateIPv4Address", "value": i.private.to_string()}),
        ]
    });
    json!({
        "id": task.interface.as_ref().map_or_else(|| derived(task, "attachment").uuid(), id),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": details,
    })
}

fn container(world: &World, task: &Task, definition: &ContainerDefinition, main: bool) -> Value {
    let mut ids = derived(task, &definition.name);
    let id = ids.uuid();
    let cluster = &task.cluster;
    let status = match (task.stage, &task.app) {
        (Stage::Stopped, _) | (_, App::Exited(_)) => "STOPPED",
        (Stage::Running | Stage::Deactivating | Stage::Stopping, _) => "RUNNING",
        (Stage::Deprovisioning, _) => "STOPPED",
        _ => "PENDING",
    };
    let exit_code = match &task.app {
        App::Exited(Some(code)) => Some(if main { *code } else { 0 }),
        _ => None,
    };
    let interfaces: Vec<Value> = task
        .interface
        .iter()
        .map(|i| json!({"attachmentId": i.attachment, "privateIpv4Address": i.private.to_string()}))
        .collect();
    compact(json!({
        "containerArn": world.config.container_arn(cluster, &task.id.0, &id),
        "taskArn": task.arn,
        "name": definition.name,
        "image": definition.image,
        "runtimeId": format!("{}-{}", task.id, ids.bits() % 10_000_000_000),
        "lastStatus": status,
        "exitCode": exit_code,
        "reason": task.container_reason.as_ref().filter(|_| main),
        "healthStatus": if main { task.health_status().name() } else { "UNKNOWN" },
        "networkInterfaces": interfaces,
        "networkBindings": [],
        "managedAgents": [],
        "cpu": "0",
    }))
}

/// Ids that follow from the task's, so that each view shows the same ones.
pub(super) fn derived(task: &Task, what: &str) -> Ids {
    let mut hasher = DefaultHasher::new();
    (&task.id, what).hash(&mut hasher);
    Ids::new(hasher.finish())
}
