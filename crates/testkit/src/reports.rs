//! Batches of the sessions queue.

use std::ops::Range;

use serde_json::{Value, json};

/// A report of each of these sessions, which the tasks of a cluster have in turn, at a moment in milliseconds.
#[must_use]
pub fn reports(cluster: &str, sessions: Range<usize>, tasks: usize, at: i64, sequence: u64) -> Value {
    let record = |number: usize| {
        let task = number % tasks;
        let body = json!({
            "task_arn": format!("arn:aws:ecs:us-east-1:123456789012:task/{cluster}/{task:032x}"),
            "session_id": format!("visitor-{number}"),
            "event": "heartbeat",
            "at": at,
            "sequence": sequence,
        });
        json!({"messageId": number.to_string(), "body": body.to_string()})
    };
    json!({"Records": sessions.map(record).collect::<Vec<_>>()})
}
