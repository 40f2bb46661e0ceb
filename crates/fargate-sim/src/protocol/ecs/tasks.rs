//! Task operations.

use serde_json::{Value, json};

use super::task_view::view;
use super::{includes, page_size, paged, text, texts};
use crate::model::{ApiError, Millis, Stage, Task, TaskId, World, page, resource_name};

/// Tasks by desired status, RUNNING unless given ("ListTasks" in the API reference); a stopped one stays listed
/// as long as it is described.
pub(super) fn list(world: &World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let service = input["serviceName"].as_str().map(|s| resource_name("service", s));
    if let Some(name) = service {
        world
            .service(&cluster, name)
            .ok_or_else(ApiError::service_not_found)?;
    }
    let desired = input["desiredStatus"].as_str().unwrap_or("RUNNING");
    if !["RUNNING", "STOPPED", "PENDING"].contains(&desired) {
        return Err(ApiError::invalid(format!(
            "desiredStatus `{desired}` must be RUNNING, PENDING or STOPPED."
        )));
    }
    let (family, started_by) = (input["family"].as_str(), input["startedBy"].as_str());
    let wanted = |t: &&Task| {
        t.cluster == cluster
            && t.desired_status() == desired
            && service.is_none_or(|s| t.service.name == s)
            && family.is_none_or(|f| t.definition.family == f)
            && started_by.is_none_or(|by| t.deployment == by)
    };
    let mut arns: Vec<String> = world
        .tasks()
        .into_iter()
        .filter(wanted)
        .map(|t| t.arn.clone())
        .collect();
    arns.sort_unstable();
    let found = page(
        arns,
        String::clone,
        input["nextToken"].as_str(),
        page_size(input, 100)?,
    )?;
    Ok(paged("taskArns", found.items, found.next))
}

/// Up to 100 tasks. The text of the limit is our guess after that of DescribeServices.
pub(super) fn describe(world: &World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let named = texts(input, "tasks");
    match named.len() {
        0 => return Err(ApiError::invalid("Tasks cannot be empty.")),
        1..=100 => {}
        _ => return Err(ApiError::invalid("tasks can have at most 100 items.")),
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in named {
        let id = TaskId(resource_name("task", &name).into());
        match world.task(&id).filter(|t| t.cluster == cluster) {
            Some(task) => tasks.push(view(world, task, includes(input, "TAGS"))),
            None => {
                let config = &world.config;
                let arn = format!(
                    "arn:aws:ecs:{}:{}:task/{cluster}/{id}",
                    config.region, config.account
                );
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

pub(super) fn stop(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let task = world
        .stop_task(now, &cluster, text(input, "task")?, input["reason"].as_str())?
        .clone();
    debug_assert!(task.stage > Stage::Running);
    Ok(json!({"task": view(world, &task, false)}))
}
