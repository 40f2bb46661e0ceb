//! Task protection operations.

use serde_json::{Value, json};

use super::{compact, seconds, texts};
use crate::model::{ApiError, Millis, ProtectionFailure, ProtectionState, World};

pub(super) fn update(world: &mut World, now: Millis, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    let enabled = input["protectionEnabled"].as_bool();
    let enabled = enabled.ok_or_else(|| ApiError::invalid("protectionEnabled can not be blank."))?;
    let minutes = input["expiresInMinutes"].as_i64();
    world
        .update_task_protection(now, &cluster, &texts(input, "tasks"), enabled, minutes)
        .map(view)
}

pub(super) fn get(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.cluster_name(input["cluster"].as_str())?;
    world
        .get_task_protection(&cluster, &texts(input, "tasks"))
        .map(view)
}

fn view((done, failures): (Vec<ProtectionState>, Vec<ProtectionFailure>)) -> Value {
    let done = done.iter().map(|p| {
        compact(json!({
            "taskArn": p.task_arn,
            "protectionEnabled": p.until.is_some(),
            "expirationDate": seconds(p.until),
        }))
    });
    let failures = failures.iter().map(|f| json!({"arn": f.arn, "reason": f.reason}));
    json!({"protectedTasks": done.collect::<Vec<_>>(), "failures": failures.collect::<Vec<_>>()})
}
