//! Functions, by the stack outputs that name them.

use serde_json::Value;

use crate::http::Request;
use crate::stack::Stack;

impl Stack {
    /// Invokes a function and waits for its answer; an error if the function reported one.
    ///
    /// # Errors
    /// The function's error report.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn invoke(&self, output: &str, event: &Value) -> Result<Value, Value> {
        let request = self.function(output, "POST", "/invocations");
        let answer = request.json(event).send().await;
        let failed = answer.header("x-amz-function-error").is_some();
        if failed {
            Err(answer.json())
        } else {
            Ok(answer.json())
        }
    }

    /// Hands an event to a function and does not wait. If it fails, MiniStack invokes it again after 1 s and
    /// after 2 s more, then gives the event to the function's destination for failures. Events that come from topics,
    /// rules and log groups it tries only once, unlike Lambda.
    ///
    /// # Panics
    /// If Lambda does not accept the event.
    pub async fn invoke_async(&self, output: &str, event: &Value) {
        let request = self
            .function(output, "POST", "/invocations")
            .header("x-amz-invocation-type", "Event");
        let answer = request.json(event).send().await;
        assert_eq!(answer.status, 202, "{output}: {}", answer.body);
    }

    /// A function's ARN, which rules and subscriptions ask for.
    ///
    /// # Panics
    /// If there is no such function.
    pub async fn function_arn(&self, output: &str) -> String {
        let function = self.function(output, "GET", "").send().await.json();
        let arn = function["Configuration"]["FunctionArn"].as_str();
        arn.unwrap_or_else(|| panic!("{output}: {function}")).to_owned()
    }

    fn function(&self, output: &str, method: &'static str, path: &str) -> Request {
        let path = format!("/2015-03-31/functions/{}{path}", self.output(output));
        self.request("lambda", method, &path)
    }
}
