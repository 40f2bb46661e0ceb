//! The local stack.

use std::path::{Path, PathBuf};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use serde_json::Value;

use crate::http::{Answer, Request};

/// The running local stack, as its `outputs.json` describes it.
#[derive(Clone, Debug)]
pub struct Stack {
    description: Value,
}

impl Stack {
    /// The stack that `DORMOUSE_LOCAL` names.
    ///
    /// # Panics
    /// If there is none: these tests mean nothing without it.
    #[must_use]
    pub fn connect() -> Self {
        let path = std::env::var("DORMOUSE_LOCAL").expect(
            "DORMOUSE_LOCAL must name the outputs.json of a local stack: run `cargo xtask test`, or start one with \
             `cargo xtask local --speed 20` and set it to target/local/outputs.json",
        );
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            description: serde_json::from_str(&text).expect("outputs.json is JSON"),
        }
    }

    /// Where the stack keeps what it writes.
    ///
    /// # Panics
    /// If there is no stack.
    #[must_use]
    pub fn directory() -> PathBuf {
        let outputs = std::env::var_os("DORMOUSE_LOCAL").expect("DORMOUSE_LOCAL");
        Path::new(&outputs)
            .parent()
            .expect("a file is in a directory")
            .to_path_buf()
    }

    /// An output of the stack.
    ///
    /// # Panics
    /// If the template has no such output.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        self.description["outputs"][name]
            .as_str()
            .unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// A variable with which SDKs reach this stack.
    pub(crate) fn env(&self, name: &str) -> &str {
        self.description["env"][name]
            .as_str()
            .unwrap_or_else(|| panic!("the stack has no variable {name}"))
    }

    /// All variables with which SDKs reach this stack.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.description["env"].as_object().into_iter().flatten();
        all.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// A request to the wake address, whose answer the OpenAPI document must describe. Its host name ends in `.localhost`,
    /// which not every resolver knows.
    #[must_use]
    pub fn wake(&self, method: &'static str, path: &str) -> Request {
        let host = self
            .output("WakeUrl")
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let port = host.rsplit(':').next().unwrap_or_default();
        Request::new(method, &format!("http://127.0.0.1:{port}{path}"))
            .header("host", host)
            .documented()
    }

    /// The status of a group.
    pub async fn status(&self, group: &str) -> Value {
        self.wake("GET", &format!("/{group}/-/status"))
            .send()
            .await
            .json()
    }

    /// The simulator's own calls, for faults and records.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn sim(&self, method: &'static str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::new(
            method,
            &format!("{}/_sim/{path}", self.env("AWS_ENDPOINT_URL_ECS")),
        );
        let request = match body {
            Some(body) => request.header("content-type", "application/json").json(&body),
            None => request,
        };
        let answer = request.send().await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer
    }

    /// All calls after the one with this number, in order. The simulator keeps the last 10,000.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub(crate) async fn calls_since(&self, seq: u64) -> Vec<Value> {
        let path = format!("calls?since={seq}");
        let calls = self.sim("GET", &path, None).await.json()["calls"].take();
        match calls {
            Value::Array(calls) => calls,
            other => panic!("{path}: {other}"),
        }
    }

    /// The calls of an operation that name this service, in order.
    pub async fn calls(&self, operation: &str, service: &str) -> Vec<Value> {
        let calls = self.calls_since(0).await;
        let names = |call: &Value| {
            call["parameters"].to_string().contains(&format!("{service}\\\""))
                || call["parameters"].to_string().contains(&format!("\"{service}\""))
        };
        calls
            .into_iter()
            .filter(|call| call["operation"] == operation && names(call))
            .collect()
    }

    /// Configuration for any SDK client of this stack.
    pub async fn sdk(&self, endpoint: &str) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.env("AWS_REGION").to_owned()))
            .credentials_provider(Credentials::new("test", "test", None, None, "the test"))
            .endpoint_url(self.env(endpoint))
            .load()
            .await
    }
}
