//! Topics.

use crate::stack::Stack;

impl Stack {
    /// Lets a queue hear what a topic says from now on.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn subscribe_queue(&self, topic: &str, queue_arn: &str) {
        let form = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", queue_arn),
        ];
        self.query_api("sns", &form).await;
    }

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
