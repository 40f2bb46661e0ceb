//! A task's change as EventBridge's targets hear of it.

use serde_json::{Value, json};

use super::task_view::{derived, view};
use crate::model::{Millis, Task, World};

/// The event "ECS Task State Change" of a task as it was `at` a moment ("Amazon ECS task state change events",
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>): the detail is the task as
/// DescribeTasks shows it, but its times are ISO strings, the attachment's type is `eni`, and it has `updatedAt`. Tags
/// are left out, as they are in AWS's example.
pub fn task_state_change(world: &World, at: Millis, task: &Task) -> Value {
    let mut detail = view(world, task, false);
    if let Some(fields) = detail.as_object_mut() {
        fields.remove("tags");
        for (name, value) in fields.iter_mut() {
            if let Some(seconds) = value.as_f64().filter(|_| name.ends_with("At")) {
                *value = Millis((seconds * 1000.0).round() as u64).iso8601().into();
            }
        }
        fields.insert("updatedAt".into(), at.iso8601().into());
    }
    for attachment in detail["attachments"].as_array_mut().into_iter().flatten() {
        attachment["type"] = "eni".into();
    }
    let config = &world.config;
    // The time of the event has whole seconds.
    let time = Millis(at.0 / 1000 * 1000).iso8601().replace(".000Z", "Z");
    json!({
        "version": "0",
        "id": derived(task, &format!("event of version {}", task.version)).uuid(),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": config.account,
        "time": time,
        "region": config.region,
        "resources": [task.arn],
        "detail": detail,
    })
}
