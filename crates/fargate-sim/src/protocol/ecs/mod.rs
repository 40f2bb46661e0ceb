//! ECS over AWS JSON 1.1.

mod clusters;
mod protection;
mod service_view;
mod services;
mod task_definitions;
mod task_event;
mod task_view;
mod tasks;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::endpoint::unknown;
use crate::model::{ApiError, Millis, Tag, World};

pub use task_event::task_state_change;

/// Performs one operation of ECS.
pub(crate) fn perform(
    world: &mut World,
    now: Millis,
    operation: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    match operation {
        "CreateCluster" => clusters::create(world, now, input),
        "DescribeClusters" => clusters::describe(world, input),
        "ListClusters" => clusters::list(world, input),
        "DeleteCluster" => clusters::delete(world, input),
        "RegisterTaskDefinition" => task_definitions::register(world, now, input),
        "DescribeTaskDefinition" => task_definitions::describe(world, input),
        "DeregisterTaskDefinition" => task_definitions::deregister(world, now, input),
        "ListTaskDefinitions" => task_definitions::list(world, input),
        "CreateService" => services::create(world, now, input),
        "UpdateService" => services::update(world, now, input),
        "DeleteService" => services::delete(world, now, input),
        "DescribeServices" => services::describe(world, input),
        "ListServices" => services::list(world, input),
        "ListTasks" => tasks::list(world, input),
        "DescribeTasks" => tasks::describe(world, input),
        "StopTask" => tasks::stop(world, now, input),
        "UpdateTaskProtection" => protection::update(world, now, input),
        "GetTaskProtection" => protection::get(world, input),
        "TagResource" => {
            let tags: Vec<Tag> = read(&input["tags"])?;
            world
                .tag_resource(text(input, "resourceArn")?, &tags)
                .map(|()| json!({}))
        }
        "UntagResource" => {
            let keys: Vec<String> = read(&input["tagKeys"])?;
            world
                .untag_resource(text(input, "resourceArn")?, &keys)
                .map(|()| json!({}))
        }
        "ListTagsForResource" => world
            .list_tags(text(input, "resourceArn")?)
            .map(|tags| json!({"tags": tags})),
        _ => Err(unknown(operation)),
    }
}

/// The input in its type.
fn read<T: DeserializeOwned>(input: &Value) -> Result<T, ApiError> {
    T::deserialize(input).map_err(|e| ApiError::new("SerializationException", e.to_string()))
}

/// A text that must be there.
fn text<'a>(input: &'a Value, field: &str) -> Result<&'a str, ApiError> {
    input[field]
        .as_str()
        .ok_or_else(|| ApiError::invalid(format!("{field} can not be blank.")))
}

/// A list of texts, empty if it is not there.
fn texts(input: &Value, field: &str) -> Vec<String> {
    let items = input[field].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_string).collect()
}

/// Page size: `default` unless `maxResults` says otherwise.
fn page_size(input: &Value, default: usize) -> Result<usize, ApiError> {
    match input["maxResults"].as_i64() {
        None => Ok(default),
        Some(n @ 1..=100) => Ok(n as usize),
        Some(n) => Err(ApiError::invalid(format!(
            "maxResults {n} must be between 1 and 100."
        ))),
    }
}

fn includes(input: &Value, what: &str) -> bool {
    texts(input, "include").iter().any(|i| i == what)
}

/// A page as JSON, with `nextToken` only where there is more.
fn paged(field: &str, items: Vec<String>, next: Option<String>) -> Value {
    let mut page = json!({field: items});
    if let Some(next) = next {
        page["nextToken"] = next.into();
    }
    page
}

/// Drops fields that are null, as AWS leaves them out.
fn compact(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, v| !v.is_null());
    }
    value
}

fn seconds(at: Option<Millis>) -> Option<f64> {
    at.map(Millis::epoch_seconds)
}

/// The whole world for a person who debugs: services and tasks as ECS describes them.
pub(crate) fn state(world: &World) -> Value {
    let services: Vec<Value> = world
        .services()
        .map(|s| service_view::view(world, s, true))
        .collect();
    let mut tasks = Vec::new();
    for task in world.tasks() {
        let mut view = task_view::view(world, task, true);
        view["protectedUntil"] = json!(seconds(task.protected_until));
        view["publicAddress"] = json!(
            task.interface
                .as_ref()
                .and_then(|i| i.public)
                .map(|p| p.to_string())
        );
        view["load"] =
            json!({"cpu": task.load.cpu, "memory": task.load.memory, "connections": task.load.connections});
        tasks.push(view);
    }
    json!({"services": services, "tasks": tasks})
}
