//! Logs: those that the functions write, and those of apps, which a test writes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::stack::Stack;

/// Log stream that tests write to.
const STREAM: &str = "end-to-end";

impl Stack {
    /// The lines of JSON that a function wrote to its log.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn log(&self, output: &str) -> Vec<Value> {
        let group = format!("/dormouse/dormouse/{}", kebab_case(output));
        let body = json!({"logGroupName": group, "limit": 10_000});
        let answer = self.logs("FilterLogEvents", &body).await;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        events
            .iter()
            .filter_map(|event| serde_json::from_str(event["message"].as_str()?.trim()).ok())
            .collect()
    }

    /// Makes a log group, with a stream to write to.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn create_log_group(&self, group: &str) {
        self.logs("CreateLogGroup", &json!({"logGroupName": group})).await;
        self.create_log_stream(group).await;
    }

    /// Makes the stream of a log group that is there already.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn create_log_stream(&self, group: &str) {
        let stream = json!({"logGroupName": group, "logStreamName": STREAM});
        self.logs("CreateLogStream", &stream).await;
    }

    /// Subscribes a function to the lines of a log group that match a pattern.
    ///
    /// MiniStack takes a pattern for a list of words that must all be in the line, as they are; it asks for no
    /// permission, sends no control message, and delivers each write at once, as one batch.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_subscription_filter(&self, group: &str, pattern: &str, output: &str) {
        let body = json!({
            "logGroupName": group,
            "filterName": "dormouse",
            "filterPattern": pattern,
            "destinationArn": self.function_arn(output).await,
        });
        self.logs("PutSubscriptionFilter", &body).await;
    }

    /// Writes lines that are this old to a log group.
    ///
    /// # Panics
    /// If the stack refuses.
    #[expect(
        clippy::disallowed_methods,
        reason = "lines carry the time of the stack's clock"
    )]
    pub async fn put_logs(&self, group: &str, age: Duration, lines: &[&str]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = (now.expect("a clock after 1970") - age).as_millis() as u64;
        let events: Vec<_> = lines
            .iter()
            .map(|line| json!({"timestamp": at, "message": line}))
            .collect();
        let body = json!({"logGroupName": group, "logStreamName": STREAM, "logEvents": events});
        self.logs("PutLogEvents", &body).await;
    }

    async fn logs(&self, operation: &str, body: &Value) -> Value {
        self.json_api("logs", &format!("Logs_20140328.{operation}"), body)
            .await
    }
}

/// The name of a function's log group, `auto-sleep`, from the stack output that names it, `AutoSleepFunctionName`.
fn kebab_case(output: &str) -> String {
    let mut name = String::new();
    for letter in output.trim_end_matches("FunctionName").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
