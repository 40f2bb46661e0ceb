//! Reports of sessions, over HTTP and through the queue.

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::stack::Stack;

/// Entries of one SendMessageBatch (Amazon SQS API reference).
const PER_CALL: usize = 10;
/// Calls at once.
const AT_ONCE: usize = 8;

impl Stack {
    /// Posts a report to the sessions API. Its host name ends in `.localhost`, which not every resolver knows.
    pub async fn report(&self, message: &Value) -> Answer {
        let url = self.output("SessionsApiUrl").trim_start_matches("http://");
        let (host, stage) = url.split_once('/').unwrap_or((url, ""));
        let port = host.rsplit(':').next().unwrap_or_default();
        let request = Request::new("POST", &format!("http://127.0.0.1:{port}/{stage}/sessions"));
        request
            .header("host", host)
            .header("authorization", &self.authorization("execute-api"))
            .header("content-type", "application/json")
            .json(message)
            .send()
            .await
    }

    /// Sends messages to the sessions queue.
    ///
    /// # Panics
    /// If the queue does not take one.
    pub async fn send_reports(&self, bodies: &[String]) {
        let queue = self.output("SessionsQueueUrl");
        let calls = bodies.chunks(PER_CALL).map(|chunk| {
            let entry =
                |(number, body): (usize, &String)| json!({"Id": number.to_string(), "MessageBody": body});
            let entries: Vec<Value> = chunk.iter().enumerate().map(entry).collect();
            async move {
                let body = json!({"QueueUrl": queue, "Entries": entries});
                let answer = self.json_api("sqs", "AmazonSQS.SendMessageBatch", &body).await;
                let refused = answer["Failed"].as_array().map_or(0, Vec::len);
                assert_eq!(refused, 0, "{answer}");
            }
        });
        stream::iter(calls)
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<()>>()
            .await;
    }
}
