//! Task definition operations.

use serde_json::{Value, json};

use super::{page_size, paged, text};
use crate::model::{ApiError, Millis, TaskDefinition, World, page};

pub(super) fn register(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let fields = input.as_object().cloned().unwrap_or_default();
    let definition = world.register_task_definition(now, fields)?;
    Ok(json!({"taskDefinition": view(&definition), "tags": definition.tags}))
}

pub(super) fn describe(world: &World, input: &Value) -> Result<Value, ApiError> {
    let found = world.task_definition(text(input, "taskDefinition")?);
    let definition = found.ok_or_else(|| ApiError::client("Unable to describe task definition."))?;
    let tags = if super::includes(input, "TAGS") {
        json!(definition.tags)
    } else {
        json!([])
    };
    Ok(json!({"taskDefinition": view(definition), "tags": tags}))
}

pub(super) fn deregister(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let definition = world.deregister_task_definition(now, text(input, "taskDefinition")?)?;
    Ok(json!({"taskDefinition": view(&definition)}))
}

pub(super) fn list(world: &World, input: &Value) -> Result<Value, ApiError> {
    let inactive = input["status"].as_str() == Some("INACTIVE");
    let family = input["familyPrefix"].as_str();
    let wanted = world
        .task_definitions()
        .filter(|d| family.is_none_or(|f| d.family == f) && d.deregistered_at.is_some() == inactive);
    // Revisions in number order, not in that of their digits.
    let key = |d: &&std::sync::Arc<TaskDefinition>| format!("{}:{:010}", d.family, d.revision);
    let mut all: Vec<_> = wanted.collect();
    all.sort_by_key(key);
    let found = page(all, key, input["nextToken"].as_str(), page_size(input, 100)?)?;
    Ok(paged(
        "taskDefinitionArns",
        found.items.iter().map(|d| d.arn.clone()).collect(),
        found.next,
    ))
}

fn view(definition: &TaskDefinition) -> Value {
    let mut fields = definition.raw.clone();
    let defaults = [
        ("volumes", json!([])),
        ("placementConstraints", json!([])),
        ("networkMode", json!("awsvpc")),
        ("compatibilities", json!(["EC2", "FARGATE"])),
        ("requiresCompatibilities", json!(["FARGATE"])),
    ];
    for (name, value) in defaults {
        fields.entry(name).or_insert(value);
    }
    for (container, parsed) in fields
        .get_mut("containerDefinitions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .zip(&definition.containers)
    {
        container["essential"] = parsed.essential.into();
        for list in ["portMappings", "environment", "mountPoints", "volumesFrom"] {
            if container[list].is_null() {
                container[list] = json!([]);
            }
        }
        for port in container["portMappings"].as_array_mut().into_iter().flatten() {
            if port["hostPort"].is_null() {
                port["hostPort"] = port["containerPort"].clone();
            }
            if port["protocol"].is_null() {
                port["protocol"] = "tcp".into();
            }
        }
    }
    fields.insert("taskDefinitionArn".into(), definition.arn.clone().into());
    fields.insert("revision".into(), definition.revision.into());
    let status = if definition.deregistered_at.is_some() {
        "INACTIVE"
    } else {
        "ACTIVE"
    };
    fields.insert("status".into(), status.into());
    fields.insert(
        "registeredAt".into(),
        definition.registered_at.epoch_seconds().into(),
    );
    if let Some(at) = definition.deregistered_at {
        fields.insert("deregisteredAt".into(), at.epoch_seconds().into());
    }
    Value::Object(fields)
}
