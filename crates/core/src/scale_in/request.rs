//! What the state machine asks, and what it is answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Code, Error};
use crate::ids::{GroupName, ServiceId};

/// A step of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Make sure that this scale-in has the claim on the service, or take it.
    Claim,
    /// Choose tasks that nobody uses.
    Choose,
    /// Protect all others.
    Protect,
    /// Take the chosen tasks out of their target groups.
    Deregister,
    /// Look again: who of them is in use now stays.
    Check,
    /// Lower the count by as many as are left.
    Lower,
    /// See that they went.
    Confirm,
    /// Give everything back, and the claim.
    Release,
}

/// One step of one scale-in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Always `scale-in`.
    pub action: Action,
    /// What to do.
    pub step: Step,
    /// The group of the service.
    pub group: GroupName,
    /// The service.
    pub service: ServiceId,
    /// Name of the execution.
    pub execution: String,
    /// For a scale-in that somebody starts by hand: the fewest tasks to leave.
    #[serde(default)]
    pub to: Option<u32>,
}

/// The action of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Action {
    /// The only one.
    #[serde(rename = "scale-in")]
    ScaleIn,
}

impl Request {
    /// Whether an event is meant as a step.
    #[must_use]
    pub fn is_meant(event: &Value) -> bool {
        event["action"] == "scale-in"
    }

    /// Understands a step.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], naming what is wrong.
    pub fn parse(event: &Value) -> Result<Self, Error> {
        Self::deserialize(event)
            .map_err(|error| Error::new(Code::InvalidRequest, format!("step of a scale-in: {error}")))
    }
}

/// The answer to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What came of it, in one word.
    pub outcome: &'static str,
    /// How long to wait before the next step, where one waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u64>,
    /// The tasks that it was about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

impl Answer {
    /// An answer of one word.
    #[must_use]
    pub fn new(outcome: &'static str) -> Self {
        Self {
            outcome,
            wait_seconds: None,
            tasks: Vec::new(),
        }
    }

    /// With the tasks that it was about.
    #[must_use]
    pub fn about(mut self, tasks: impl IntoIterator<Item = String>) -> Self {
        self.tasks = tasks.into_iter().collect();
        self
    }

    /// With a time to wait, in whole seconds, never too short.
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait_seconds = Some(time.as_secs() + u64::from(time.subsec_nanos() > 0));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_names_group_service_and_execution() {
        let event = json!({"action": "scale-in", "step": "check", "group": "dev", "service": "dev/web",
            "execution": "dev.web-n1-1", "to": null});
        let request = Request::parse(&event).expect("a step");
        assert_eq!((request.step, request.to), (Step::Check, None));
        for (field, value, said) in [
            ("step", json!("jump"), "unknown variant `jump`"),
            ("service", json!("web"), "service `web`: must be"),
            ("group", json!("-"), "group name `-`: must be"),
            ("to", json!(-1), "-1"),
            ("more", json!(1), "unknown field `more`"),
        ] {
            let mut bad = event.clone();
            bad[field] = value;
            let error = Request::parse(&bad).expect_err(field);
            assert!(
                error.code == Code::InvalidRequest && error.message.contains(said),
                "{error}"
            );
        }
    }

    #[test]
    fn a_wait_is_never_too_short() {
        let json =
            serde_json::to_value(Answer::new("draining").wait(Duration::from_millis(1001))).expect("JSON");
        assert_eq!(json, json!({"outcome": "draining", "wait_seconds": 2}));
    }
}
