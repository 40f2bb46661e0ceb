//! Functions, by the stack outputs that name them.

use std::time::Duration;

use dormouse_core::error::Code;
use serde_json::Value;

use crate::faulty;
use crate::http::Request;
use crate::stack::Stack;

/// How often who calls tries again, as Lambda itself does it for events.
const MORE_TRIES: u32 = 2;

impl Stack {
    /// Invokes a function and waits for its answer; an error if the function reported one. Under faults one that says
    /// that something did not answer is invoked again.
    ///
    /// # Errors
    /// The function's error report.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn invoke(&self, output: &str, event: &Value) -> Result<Value, Value> {
        let mut left = if faulty() { MORE_TRIES } else { 0 };
        loop {
            let answer = self.invoke_once(output, event).await;
            let code = answer.as_ref().err().map(|error| &error["errorType"]);
            let code: Option<Code> = code.and_then(|code| serde_json::from_value(code.clone()).ok());
            if left == 0 || !code.is_some_and(Code::is_transient) {
                return answer;
            }
            left -= 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn invoke_once(&self, output: &str, event: &Value) -> Result<Value, Value> {
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

    pub(crate) fn function(&self, output: &str, method: &'static str, path: &str) -> Request {
        let path = format!("/2015-03-31/functions/{}{path}", self.output(output));
        self.request("lambda", method, &path)
    }
}
