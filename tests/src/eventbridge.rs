//! Rules.

use serde_json::{Value, json};

use crate::stack::Stack;

/// Id of a rule's only target.
const TARGET: &str = "function";

impl Stack {
    /// Makes a rule that calls a function on a schedule, `rate(…)` or `cron(…)`, with this input.
    ///
    /// MiniStack counts from when the rule was made and looks every 10 s, so that `rate(1 minute)`, the shortest there
    /// is, calls for the first time after 60 to 70 s.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_schedule(&self, rule: &str, schedule: &str, output: &str, input: &Value) {
        let body = json!({"Name": rule, "ScheduleExpression": schedule});
        self.events("PutRule", &body).await;
        let target =
            json!({"Id": TARGET, "Arn": self.function_arn(output).await, "Input": input.to_string()});
        self.events("PutTargets", &json!({"Rule": rule, "Targets": [target]}))
            .await;
    }

    /// Makes a rule that hands the events that match a pattern to a function.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_rule(&self, rule: &str, pattern: &Value, output: &str) {
        let body = json!({"Name": rule, "EventPattern": pattern.to_string()});
        self.events("PutRule", &body).await;
        let target = json!({"Id": TARGET, "Arn": self.function_arn(output).await});
        self.events("PutTargets", &json!({"Rule": rule, "Targets": [target]}))
            .await;
    }

    /// Deletes a rule that one of the above made.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn delete_rule(&self, rule: &str) {
        self.events("RemoveTargets", &json!({"Rule": rule, "Ids": [TARGET]}))
            .await;
        self.events("DeleteRule", &json!({"Name": rule})).await;
    }

    /// Sends an event to the default bus. The source is one's own: MiniStack refuses those that begin with `aws.`, as
    /// EventBridge does.
    ///
    /// # Panics
    /// If the bus does not take it.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = json!({"Source": source, "DetailType": detail_type, "Detail": detail.to_string()});
        let answer = self.events("PutEvents", &json!({"Entries": [entry]})).await;
        assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    }

    async fn events(&self, operation: &str, body: &Value) -> Value {
        self.json_api("events", &format!("AWSEvents.{operation}"), body)
            .await
    }
}
