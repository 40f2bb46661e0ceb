//! What people are told: the messages of the notification topic.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::stack::Stack;

/// A queue that hears every notice from when it was made, and those that it has heard.
#[derive(Debug)]
pub struct Notices {
    queue: String,
    heard: Mutex<Vec<Value>>,
}

impl Notices {
    /// Begins to listen, with a queue of this name.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn listen(stack: &Stack, name: &str) -> Self {
        let (queue, arn) = stack.create_queue(name).await;
        stack
            .subscribe_queue(stack.output("NotificationTopicArn"), &arn)
            .await;
        Self {
            queue,
            heard: Mutex::default(),
        }
    }

    /// The notices about a group until now, each as often as it came.
    ///
    /// # Panics
    /// If the stack refuses, or one is no notice.
    pub async fn of(&self, stack: &Stack, group: &str) -> Vec<Value> {
        let messages = stack.take_messages(&self.queue).await;
        let new = messages.iter().map(|message| {
            let envelope = message.json();
            serde_json::from_str::<Value>(envelope["Message"].as_str().expect("a message")).expect("a notice")
        });
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend(new);
        let about = heard.iter().filter(|notice| notice["group"] == group);
        about.cloned().collect()
    }
}
