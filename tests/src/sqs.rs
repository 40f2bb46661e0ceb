//! Queues.

use serde_json::{Value, json};

use crate::stack::Stack;

/// A message that waits in a queue.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// What SQS says of it, such as `SentTimestamp` and `ApproximateReceiveCount`.
    pub attributes: Value,
    /// What its sender said of it: by name, with `DataType` and `StringValue`.
    pub message_attributes: Value,
    receipt: String,
}

impl Message {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn of(message: &Value) -> Self {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("MessageId"),
            body: text("Body"),
            attributes: message["Attributes"].clone(),
            message_attributes: message["MessageAttributes"].clone(),
            receipt: text("ReceiptHandle"),
        }
    }
}

impl Stack {
    /// The messages that wait in a queue, which stay there. For two seconds nobody else sees them, so a test that
    /// misses its message looks again.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn messages(&self, queue_url: &str) -> Vec<Message> {
        let body = json!({
            "QueueUrl": queue_url,
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 2,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut messages: Vec<Message> = Vec::new();
        loop {
            let answer = self.sqs("ReceiveMessage", &body).await;
            let batch = answer["Messages"].as_array().cloned().unwrap_or_default();
            let seen = |message: &Message| messages.iter().any(|known| known.id == message.id);
            let new: Vec<_> = batch.iter().map(Message::of).filter(|m| !seen(m)).collect();
            if new.is_empty() {
                return messages;
            }
            messages.extend(new);
        }
    }

    /// The messages that wait in a queue, which are gone from it then.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn take_messages(&self, queue_url: &str) -> Vec<Message> {
        let messages = self.messages(queue_url).await;
        for message in &messages {
            let body = json!({"QueueUrl": queue_url, "ReceiptHandle": message.receipt});
            self.sqs("DeleteMessage", &body).await;
        }
        messages
    }

    /// The events that functions could not handle: the messages of the stack's dead-letter queue.
    ///
    /// # Panics
    /// If there is no such queue.
    pub async fn dead_letters(&self) -> Vec<Message> {
        let body = json!({"QueueNamePrefix": "dormouse-DeadLetterQueue"});
        let queues = self.sqs("ListQueues", &body).await;
        let queue = queues["QueueUrls"][0].as_str().expect("a dead-letter queue");
        self.messages(queue).await
    }

    /// Makes a queue to which topics may send; gives its URL and its ARN.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn create_queue(&self, name: &str) -> (String, String) {
        let answer = self.sqs("CreateQueue", &json!({"QueueName": name})).await;
        let url = answer["QueueUrl"].as_str().expect("a queue").to_owned();
        let body = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
        let answer = self.sqs("GetQueueAttributes", &body).await;
        let arn = answer["Attributes"]["QueueArn"]
            .as_str()
            .expect("an ARN")
            .to_owned();
        let topics_may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]});
        let body = json!({"QueueUrl": url, "Attributes": {"Policy": topics_may.to_string()}});
        self.json_api("sqs", "AmazonSQS.SetQueueAttributes", &body).await;
        (url, arn)
    }

    async fn sqs(&self, operation: &str, body: &Value) -> Value {
        self.json_api("sqs", &format!("AmazonSQS.{operation}"), body)
            .await
    }
}
