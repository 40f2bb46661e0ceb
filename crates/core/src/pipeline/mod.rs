//! Jobs of a CodePipeline stage: what they ask for, and how they end.

mod outcome;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::intent::Wake;
use crate::tags::MAX_COUNT;

pub use outcome::{after_error, judge};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it asks for, or what is wrong with that.
    pub request: Result<Request, Error>,
    /// When its first invocation began, if this is a later one.
    pub began: Option<Timestamp>,
}

/// What a job asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The group.
    pub group: GroupName,
    /// How it is to wake.
    pub wake: Wake,
    /// Whether the stage stays open until the group is ready.
    pub wait: bool,
}

/// What CodePipeline is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobResult {
    /// The job is done.
    Succeeded {
        /// For people.
        summary: String,
    },
    /// The job goes on: CodePipeline calls again, with this token.
    Continues {
        /// What the next call is told.
        token: String,
        /// For people.
        summary: String,
        /// How far it is, from 0 to 100.
        percent: i32,
    },
    /// The job failed.
    Failed {
        /// Whose fault it is.
        kind: FailureKind,
        /// Why.
        message: String,
    },
}

/// Kinds of failures (AWS CodePipeline API reference, FailureDetails, `type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The parameters or the group are not right.
    Configuration,
    /// AWS denied something.
    Permission,
    /// AWS did not answer or asked to slow down.
    Unavailable,
    /// Everything else: the app does not become ready.
    Job,
}

/// How a report was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// CodePipeline took it.
    Yes,
    /// The job had ended before, so this was a repetition.
    EndedBefore,
}

#[derive(Serialize, Deserialize)]
struct Token {
    began: Timestamp,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    group: Option<String>,
    desired_count: Option<u32>,
    exact: bool,
    idle_after: Option<String>,
    wait: bool,
}

/// Whether an event is a job's.
#[must_use]
pub fn is_job(event: &Value) -> bool {
    event.get("CodePipeline.job").is_some()
}

/// Understands a job (AWS CodePipeline User Guide, "Invoke an AWS Lambda function in a pipeline").
///
/// # Errors
/// [`Code::InvalidRequest`] only if the job has no id, so that nobody could be told its result.
pub fn parse(event: &Value) -> Result<Job, Error> {
    let job = &event["CodePipeline.job"];
    let id = job["id"]
        .as_str()
        .ok_or_else(|| invalid("field `CodePipeline.job.id` is missing: there is no job to report on"))?;
    let began = job["data"]["continuationToken"]
        .as_str()
        .and_then(|token| serde_json::from_str(token).ok())
        .map(|Token { began }| began);
    let parameters = &job["data"]["actionConfiguration"]["configuration"]["UserParameters"];
    Ok(Job {
        id: id.to_owned(),
        request: request(parameters),
        began,
    })
}

/// `UserParameters`: nothing, a group's name, or `{"group","desired_count","exact","idle_after","wait"}`.
fn request(parameters: &Value) -> Result<Request, Error> {
    let text = match parameters {
        Value::Null => "",
        Value::String(text) => text.trim(),
        other => {
            return Err(invalid(&format!(
                "UserParameters, value `{other}`: must be a text"
            )));
        }
    };
    let raw = if text.is_empty() {
        Raw::default()
    } else if text.starts_with('{') {
        serde_json::from_str(text)
            .map_err(|error| invalid(&format!("UserParameters, value `{text}`: {error}")))?
    } else {
        Raw {
            group: Some(text.to_owned()),
            ..Raw::default()
        }
    };
    let group = match raw.group.as_deref() {
        None => GroupName::default_group(),
        Some(name) => GroupName::parse(name).map_err(|error| invalid(&format!("UserParameters: {error}")))?,
    };
    if let Some(count) = raw.desired_count.filter(|count| !(1..=MAX_COUNT).contains(count)) {
        let rule = "must be from 1 to 5000 to wake";
        return Err(invalid(&format!(
            "UserParameters, field `desired_count`, value `{count}`: {rule}"
        )));
    }
    if raw.exact && raw.desired_count.is_none() {
        return Err(invalid(
            "UserParameters, field `exact`, value `true`: needs `desired_count` beside it",
        ));
    }
    let idle_after = match raw.idle_after.as_deref() {
        None => None,
        Some(text) => {
            let period = duration::parse(text).filter(|period| !period.is_zero());
            let rule = duration::RULE;
            let wrong = || {
                invalid(&format!(
                    "UserParameters, field `idle_after`, value `{text}`: {rule}"
                ))
            };
            Some(period.ok_or_else(wrong)?)
        }
    };
    Ok(Request {
        group,
        wake: Wake {
            desired_count: raw.desired_count,
            exact: raw.exact,
            idle_after,
        },
        wait: raw.wait,
    })
}

fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidRequest, what)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn job(parameters: Value) -> Job {
        let configuration = json!({"FunctionName": "wake", "UserParameters": parameters});
        let data = json!({"actionConfiguration": {"configuration": configuration}});
        parse(&json!({"CodePipeline.job": {"id": "1", "data": data}})).expect("a job")
    }

    #[test]
    fn parameters_are_nothing_a_name_or_json() {
        let group = |parameters: Value| job(parameters).request.expect("a request").group.to_string();
        assert_eq!(group(json!(null)), "default");
        assert_eq!(group(json!("  ")), "default");
        assert_eq!(group(json!(" dev\n")), "dev");
        assert_eq!(group(json!("{\"wait\": true}")), "default");
        let all = r#"{"group":"dev","desired_count":2,"exact":true,"idle_after":"20m","wait":true}"#;
        assert_eq!(
            job(json!(all)).request,
            Ok(Request {
                group: GroupName::parse("dev").expect("a name"),
                wake: Wake {
                    desired_count: Some(2),
                    exact: true,
                    idle_after: Some(Duration::from_secs(1200)),
                },
                wait: true,
            })
        );
    }

    #[test]
    fn parameters_that_cannot_be_understood_name_field_value_and_rule() {
        for (parameters, part) in [
            (json!("a/b"), "`a/b`"),
            (json!("{\"group\": 7}"), "`{\"group\": 7}`"),
            (json!("{"), "`{`"),
            (json!(7), "`7`"),
            (json!("{\"desired_count\": 0}"), "`0`"),
            (json!("{\"desired_count\": 5001}"), "`5001`"),
            (json!("{\"exact\": true}"), "`desired_count`"),
            (json!("{\"idle_after\": \"soon\"}"), "`soon`"),
            (json!("{\"idle_after\": \"0s\"}"), "`0s`"),
            (json!("{\"desired\": 2}"), "`desired`"),
        ] {
            let error = job(parameters.clone()).request.expect_err("no request");
            assert_eq!(error.code, Code::InvalidRequest);
            assert!(error.message.contains(part), "{parameters}: {error}");
        }
        assert!(parse(&json!({"CodePipeline.job": {}})).is_err());
    }

    proptest! {
        #[test]
        fn no_parameters_make_it_panic(text in ".*", token in ".*") {
            let data = json!({
                "actionConfiguration": {"configuration": {"UserParameters": text}}, "continuationToken": token,
            });
            let _ = parse(&json!({"CodePipeline.job": {"id": "1", "data": data}}));
        }
    }

    #[test]
    fn a_job_is_told_by_its_field() {
        assert!(is_job(&serde_json::json!({"CodePipeline.job": {}})));
        assert!(!is_job(&serde_json::json!({"Records": []})));
    }
}
