//! Topics.

use crate::stack::Stack;

impl Stack {
    /// Publishes a message to a topic, which hands it to its subscribers at once.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn publish(&self, topic: &str, message: &str) {
        let form = [
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Message", message),
        ];
        self.query_api("sns", &form).await;
    }
}
