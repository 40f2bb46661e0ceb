//! State machines.

use std::time::Duration;

use serde_json::{Value, json};

use crate::eventually;
use crate::stack::Stack;

/// Longer than any function may take.
const LIMIT: Duration = Duration::from_secs(90);

impl Stack {
    /// Invokes a function from a state machine of this name, made for one execution, and gives the function's answer.
    ///
    /// # Errors
    /// The execution's `error` and `cause`, if it failed.
    ///
    /// # Panics
    /// If the execution does not end.
    pub async fn invoke_from_state_machine(
        &self,
        name: &str,
        output: &str,
        input: &Value,
    ) -> Result<Value, Value> {
        let call = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": self.output(output), "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "End": true,
        });
        let definition = json!({"StartAt": "Call", "States": {"Call": call}}).to_string();
        self.run_state_machine(name, &definition, input, LIMIT).await
    }

    /// Runs a state machine, made for one execution, in whose definition the stack's outputs stand as `${Name}`, and
    /// gives its output.
    ///
    /// # Errors
    /// The execution's `error` and `cause`, if it failed.
    ///
    /// # Panics
    /// If the execution does not end within `limit`.
    pub async fn run_state_machine(
        &self,
        name: &str,
        definition: &str,
        input: &Value,
        limit: Duration,
    ) -> Result<Value, Value> {
        let mut parts = definition.split("${");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (output, rest) = part.split_once('}').expect("the end of a placeholder");
            filled.push_str(self.output(output));
            filled.push_str(rest);
        }
        let body = json!({ "name": name, "definition": filled, "roleArn": self.role_of_machines().await });
        let machine = self.states("CreateStateMachine", &body).await["stateMachineArn"].clone();
        let start = json!({"stateMachineArn": machine, "input": input.to_string()});
        let execution = self.states("StartExecution", &start).await["executionArn"].clone();
        let ended = eventually(&format!("{name} ends"), limit, || async {
            let body = json!({"executionArn": execution});
            let seen = self.states("DescribeExecution", &body).await;
            (seen["status"] != "RUNNING").then_some(seen)
        })
        .await;
        self.states("DeleteStateMachine", &json!({"stateMachineArn": machine}))
            .await;
        if ended["status"] != "SUCCEEDED" {
            return Err(json!({"error": ended["error"], "cause": ended["cause"]}));
        }
        let answer = ended["output"].as_str().expect("an output");
        Ok(serde_json::from_str(answer).expect("an output of JSON"))
    }

    /// The role of all state machines of tests, which may invoke functions.
    async fn role_of_machines(&self) -> &'static str {
        const NAME: &str = "end-to-end";
        let policy =
            |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let trust = policy(json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "states.amazonaws.com"}}));
        let may = policy(
            json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*"}),
        );
        let create = [
            ("Action", "CreateRole"),
            ("Version", "2010-05-08"),
            ("RoleName", NAME),
            ("AssumeRolePolicyDocument", &trust),
        ];
        // Whoever comes first creates it.
        drop(self.request("iam", "POST", "/").form(&create).send().await);
        let put = [
            ("Action", "PutRolePolicy"),
            ("Version", "2010-05-08"),
            ("RoleName", NAME),
            ("PolicyName", "invoke"),
            ("PolicyDocument", &may),
        ];
        self.query_api("iam", &put).await;
        "arn:aws:iam::000000000000:role/end-to-end"
    }

    async fn states(&self, operation: &str, body: &Value) -> Value {
        self.json_api("states", &format!("AWSStepFunctions.{operation}"), body)
            .await
    }
}
