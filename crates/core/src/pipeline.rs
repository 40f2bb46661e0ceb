//! Jobs of a CodePipeline stage: what they ask for, and how they end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;
use crate::engine::Turn;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::intent::Wake;
use crate::observation::Seen;
use crate::record::Phase;
use crate::settings::{Defaults, GroupSettings, Problem};
use crate::status::{self, ServiceStatus};
use crate::tags::MAX_COUNT;

/// A wake that ECS says failed this often does not become ready by itself: once may be bad luck. Our choice.
const FAILURES: usize = 2;
/// Longest message of a failure (AWS CodePipeline API reference, FailureDetails).
const LONGEST_MESSAGE: usize = 5000;
/// Longest summary (AWS CodePipeline API reference, ExecutionDetails).
const LONGEST_SUMMARY: usize = 2048;

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

/// How a job stands after a turn. `began` is the moment of its first invocation.
#[must_use]
pub fn judge(turn: &Turn, request: &Request, began: Timestamp) -> JobResult {
    let group = &turn.settings;
    if group.services.is_empty() {
        return failed(FailureKind::Configuration, &without_services(group));
    }
    if let Some((code, why)) = refusal(turn) {
        return failed(kind(code), &why);
    }
    let status = status::of(turn);
    let open: Vec<String> = if request.wait {
        status
            .services
            .iter()
            .filter_map(|service| waits_for(turn, service))
            .collect()
    } else {
        turn.problems
            .iter()
            .filter(|problem| problem.code.is_transient())
            .map(describe)
            .collect()
    };
    let awake = !request.wait || turn.record.phase == Phase::Awake;
    if open.is_empty() && awake {
        let phase = turn.record.phase.as_str();
        let summary = format!(
            "group `{}` is {phase}, generation {}",
            group.name, turn.record.generation
        );
        return JobResult::Succeeded { summary };
    }
    let why = open.join("; ");
    let hopeless = request.wait
        && status
            .services
            .iter()
            .any(|service| fails_again_and_again(turn, service));
    if hopeless {
        return failed(FailureKind::Job, &why);
    }
    carry_on(
        began,
        turn.now,
        group.wake_timeout,
        (status.progress * 100.0) as i32,
        &why,
        FailureKind::Job,
    )
}

/// How a job stands after an error: it is tried again where that may help.
#[must_use]
pub fn after_error(error: &Error, began: Timestamp, now: Timestamp, defaults: &Defaults) -> JobResult {
    if error.code.is_transient() {
        let kind = FailureKind::Unavailable;
        carry_on(began, now, defaults.wake_timeout, 0, &error.to_string(), kind)
    } else {
        failed(kind(error.code), &error.to_string())
    }
}

fn carry_on(
    began: Timestamp,
    now: Timestamp,
    limit: std::time::Duration,
    percent: i32,
    why: &str,
    kind: FailureKind,
) -> JobResult {
    if duration::between(began, now) >= limit {
        return failed(
            kind,
            &format!("not ready within {}: {why}", duration::format(limit)),
        );
    }
    JobResult::Continues {
        // A timestamp always has a JSON form; without a token the job would count as done.
        token: serde_json::to_string(&Token { began }).unwrap_or_else(|_| "again".to_owned()),
        summary: shorten(&format!("not ready yet: {why}"), LONGEST_SUMMARY),
        percent,
    }
}

/// What AWS refused in a way that waiting will not mend.
fn refusal(turn: &Turn) -> Option<(Code, String)> {
    let lasting = |code: Code| !code.is_transient();
    turn.settings.services.iter().find_map(|settings| {
        let id = &settings.id;
        let unseen = match turn.seen.services.get(id) {
            Some(Seen::Unknown(error)) => Some(error),
            Some(Seen::Known(_)) | None => None,
        };
        let failure = turn
            .record
            .services
            .get(id)
            .and_then(|record| record.failure.as_ref());
        let error = unseen
            .or(failure.map(|failure| &failure.error))
            .filter(|error| lasting(error.code))?;
        Some((error.code, format!("{id}: {error}")))
    })
}

/// What a service still waits for; a rollout counts, so that nobody tests the version before.
fn waits_for(turn: &Turn, service: &ServiceStatus) -> Option<String> {
    let name = format!("{}/{}", service.cluster, service.name);
    if !service.ready {
        let detail = service.detail.as_deref().unwrap_or("not ready");
        return Some(format!("{name}: {detail}"));
    }
    let (id, state) = state(turn, service)?;
    state.rollout_since?;
    let trouble = state
        .troubles
        .first()
        .map_or("tasks of the version before still run", |t| &t.message);
    Some(format!("{id}: a rollout is under way: {trouble}"))
}

fn fails_again_and_again(turn: &Turn, service: &ServiceStatus) -> bool {
    let Some((_, state)) = state(turn, service).filter(|_| !service.ready) else {
        return false;
    };
    let fresh = |at: Timestamp| turn.record.woken_at.is_some_and(|woken_at| at >= woken_at);
    state.troubles.iter().filter(|trouble| fresh(trouble.at)).count() >= FAILURES
}

fn state<'a>(
    turn: &'a Turn,
    service: &ServiceStatus,
) -> Option<(&'a crate::ids::ServiceId, &'a crate::observation::ServiceState)> {
    let mut services = turn.seen.services.iter();
    let (id, seen) = services.find(|(id, _)| id.cluster == service.cluster && id.name == service.name)?;
    match seen {
        Seen::Known(state) => Some((id, state)),
        Seen::Unknown(_) => None,
    }
}

fn without_services(group: &GroupSettings) -> String {
    let problems: Vec<String> = group.problems.iter().map(describe).collect();
    format!(
        "group `{}` has no service that can be managed: {}",
        group.name,
        problems.join("; ")
    )
}

fn describe(problem: &Problem) -> String {
    match &problem.service {
        Some(service) => format!("{service}: {}: {}", problem.code, problem.message),
        None => format!("{}: {}", problem.code, problem.message),
    }
}

fn kind(code: Code) -> FailureKind {
    match code {
        Code::AccessDenied | Code::Forbidden => FailureKind::Permission,
        Code::Throttled | Code::Unavailable | Code::Contention => FailureKind::Unavailable,
        Code::InvalidRequest
        | Code::InvalidTag
        | Code::InvalidConfig
        | Code::UnknownGroup
        | Code::ServiceNotFound
        | Code::ClusterNotFound
        | Code::TableNotFound => FailureKind::Configuration,
        _ => FailureKind::Job,
    }
}

fn failed(kind: FailureKind, message: &str) -> JobResult {
    JobResult::Failed {
        kind,
        message: shorten(message, LONGEST_MESSAGE),
    }
}

fn shorten(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
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

    #[test]
    fn what_fails_for_now_goes_on_until_the_time_is_over() {
        let (began, defaults) = (Timestamp::UNIX_EPOCH, Defaults::default());
        let after = |code, seconds| {
            let now = Timestamp::from_second(seconds).expect("a moment");
            after_error(&Error::new(code, "why"), began, now, &defaults)
        };
        let JobResult::Continues { token, summary, .. } = after(Code::Throttled, 299) else {
            panic!("it goes on");
        };
        assert!(summary.contains("Throttled: why"), "{summary}");
        let continued = json!({"CodePipeline.job": {"id": "1", "data": {"continuationToken": token}}});
        assert_eq!(parse(&continued).expect("a job").began, Some(began));
        let failed = |result: JobResult, expected| match result {
            JobResult::Failed { kind, message } => kind == expected && message.contains("why"),
            _ => false,
        };
        assert!(failed(after(Code::Throttled, 300), FailureKind::Unavailable));
        assert!(failed(after(Code::AccessDenied, 0), FailureKind::Permission));
        assert!(failed(after(Code::UnknownGroup, 0), FailureKind::Configuration));
        assert!(failed(after(Code::Internal, 0), FailureKind::Job));
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
}
