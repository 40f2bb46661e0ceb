//! Parts of a tick, from the queue.

use dormouse_core::engine::Part;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::World;
use serde_json::{Value, json};

use crate::tick;

/// Takes the turns of the parts in an SQS event. A part that fails fails the event, and the next tick makes up for it.
pub(crate) async fn handle<W: World>(world: &W, records: &Value, request_id: &str) -> Result<Value, Error> {
    let mut answers = Vec::new();
    for record in records.as_array().into_iter().flatten() {
        let body = record["body"].as_str().unwrap_or_default();
        let part: Part = serde_json::from_str(body).map_err(|error| {
            let message = format!("the message is no part of a tick: {error}");
            Error::new(Code::InvalidRequest, message)
        })?;
        answers.push(tick::part(world, &part, request_id).await?);
    }
    Ok(json!({"parts": answers}))
}
