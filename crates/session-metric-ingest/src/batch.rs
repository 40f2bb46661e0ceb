//! A batch of the queue, taken apart.

use std::collections::BTreeMap;

use dormouse_core::error::{Code, Error};
use dormouse_core::sessions::{Message, TaskKey};
use serde_json::Value;

/// Messages by the task that they are about, each with the queue's id for it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Those that are understood.
    pub(crate) tasks: BTreeMap<TaskKey, Vec<(String, Message)>>,
    /// Id, body and fault of those that are not.
    pub(crate) rejected: Vec<(String, String, Error)>,
}

impl Batch {
    /// Reads the records of an SQS event (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
    pub(crate) fn read(event: &Value) -> Result<Self, Error> {
        let records = event.get("Records").and_then(Value::as_array).ok_or_else(|| {
            Error::new(
                Code::InvalidRequest,
                "the event has no list `Records`: it is not from a queue",
            )
        })?;
        let mut batch = Self::default();
        for record in records {
            let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
            let (id, body) = (text("messageId"), text("body"));
            match understand(&body) {
                Ok(message) => {
                    batch
                        .tasks
                        .entry(message.task.clone())
                        .or_default()
                        .push((id, message));
                }
                Err(error) => batch.rejected.push((id, body, error)),
            }
        }
        Ok(batch)
    }
}

fn understand(body: &str) -> Result<Message, Error> {
    let json = serde_json::from_str(body)
        .map_err(|error| Error::new(Code::InvalidRequest, format!("the message is not JSON: {error}")))?;
    Message::parse(&json)
}
