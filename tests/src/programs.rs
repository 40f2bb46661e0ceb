//! The functions as programs of their own, beside a tap.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use wiretap::{Program, Tap};

use crate::stack::Stack;

/// The endpoints that have two servers between them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"];

impl Stack {
    /// The two servers that all calls to AWS go to, as `host:port`.
    fn endpoints(&self) -> Vec<String> {
        let host = |name: &&str| self.env(name).trim_start_matches("http://").to_owned();
        ENDPOINTS.iter().map(host).collect()
    }

    /// A function as it was built, with the environment that it was deployed with, but AWS is at a tap, at which each call
    /// takes so much longer. The function is given by its name in the template and that of the output that names it.
    ///
    /// # Panics
    /// If there is no such function.
    pub async fn tapped(&self, (resource, output): (&str, &str), delay: Duration) -> (Tap, Program) {
        let tap = Tap::record(&self.endpoints(), delay).await.expect("a tap");
        let deployed = self.function_configuration(output).await;
        let variables = deployed["Environment"]["Variables"].as_object();
        let variables = variables.unwrap_or_else(|| panic!("{output}: {deployed}"));
        let taps: BTreeMap<String, String> = self
            .endpoints()
            .into_iter()
            .zip(tap.addresses())
            .map(|(endpoint, tap)| (format!("http://{endpoint}"), format!("http://{tap}")))
            .collect();
        let mut env: BTreeMap<String, String> = variables
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        for (name, value) in self.variables() {
            let value = taps.get(value).map_or(value, String::as_str);
            env.insert(name.to_owned(), value.to_owned());
        }
        env.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned());
        env.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), "INFO".to_owned());
        let program = Program {
            name: self.output(output).to_owned(),
            file: Self::program_file(resource),
            env,
        };
        (tap, program)
    }

    /// The program of a function, by its name in the template.
    #[must_use]
    pub fn program_file(resource: &str) -> PathBuf {
        Self::directory().join("build").join(resource).join("bootstrap")
    }

    /// A function's configuration, as Lambda has it.
    pub async fn function_configuration(&self, output: &str) -> Value {
        self.function(output, "GET", "").send().await.json()["Configuration"].take()
    }
}
