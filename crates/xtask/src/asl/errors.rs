//! The errors that a state retries and catches: each name can come, and each retrier and catcher can be reached.
//!
//! The service takes the first retrier that names an error, and the first catcher once no retrier takes it any more
//! (Amazon States Language, "Errors"; AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows").

use std::collections::BTreeSet;

use dormouse_core::error::Code;
use serde_json::Value;

use super::list;

/// Takes every error but the two that follow it in the guide, and must stand alone and last.
const ALL: &str = "States.ALL";
/// Takes what a Task fails with, but no timeout of the machine's own.
const TASK_FAILED: &str = "States.TaskFailed";
/// What `States.TaskFailed` does not take.
const TIMEOUTS: [&str; 2] = ["States.Timeout", "States.HeartbeatTimeout"];

/// Names of the service's own that a Task with a query language of JSONata can fail with. Those of Map, of Parallel and of
/// JSONPath are not among them.
const OF_STATES: [&str; 8] = [
    ALL,
    TASK_FAILED,
    "States.Timeout",
    "States.HeartbeatTimeout",
    "States.DataLimitExceeded",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.Runtime",
];

/// Names that a Task fails with that calls a Lambda function, beside those that the function says itself (the guide,
/// "Handle transient Lambda service exceptions", and "Lambda.Unknown" and "Sandbox.Timedout" for what ends without a word).
const OF_LAMBDA: [&str; 7] = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
];

/// What is wrong with a Task's `Retry` and `Catch`.
pub(super) fn problems(at: &str, state: &Value) -> Vec<String> {
    ["Retry", "Catch"]
        .iter()
        .flat_map(|field| of_list(&format!("{at}: {field}"), list(state, field), state))
        .collect()
}

fn of_list(at: &str, handlers: &[Value], state: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for (index, handler) in handlers.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let names = names(handler);
        if names.is_empty() {
            found.push(format!("{at}: ErrorEquals must name errors"));
        }
        if names.contains(&ALL) && (names.len() > 1 || index + 1 < handlers.len()) {
            found.push(format!(
                "{at}: {ALL} must stand alone and last, else what is beside or after it never is reached"
            ));
        }
        for name in names {
            let shadowed = taken.contains(TASK_FAILED) && name != ALL && !TIMEOUTS.contains(&name);
            if !taken.insert(name) || shadowed {
                found.push(format!("{at}: {name} is taken by one before it"));
            }
            if let Some(why) = unknown(name, state) {
                found.push(format!("{at}: {name} {why}"));
            }
        }
        if handler["MaxAttempts"].as_u64() == Some(0) {
            found.push(format!("{at}: it retries nothing"));
        }
    }
    found
}

fn names(handler: &Value) -> Vec<&str> {
    list(handler, "ErrorEquals")
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// Why an error with this name cannot come from a Task.
fn unknown(name: &str, state: &Value) -> Option<&'static str> {
    let calls_lambda = state["Resource"]
        .as_str()
        .is_some_and(|resource| resource.contains(":lambda:"));
    if name.starts_with("States.") {
        return (!OF_STATES.contains(&name))
            .then_some("is no error that the service documents for such a Task");
    }
    if !calls_lambda {
        return Some("cannot come from a Task that calls no Lambda function");
    }
    let is_code = serde_json::from_value::<Code>(Value::from(name)).is_ok();
    (!is_code && !OF_LAMBDA.contains(&name))
        .then_some("is neither a code of dormouse_core::error nor an error of Lambda")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(retry: &[&[&str]], catch: &[&[&str]]) -> Vec<String> {
        let handlers = |all: &[&[&str]]| {
            all.iter()
                .map(|names| json!({"ErrorEquals": names}))
                .collect::<Vec<_>>()
        };
        let resource = "arn:aws:states:::lambda:invoke";
        let state = json!({"Resource": resource, "Retry": handlers(retry), "Catch": handlers(catch)});
        problems("Work", &state)
    }

    #[track_caller]
    fn one(found: &[String], what: &str) {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(what), "{found:?}");
    }

    #[test]
    fn codes_and_documented_names_are_good_in_any_number() {
        let retry: &[&[&str]] = &[
            &["Throttled", "Contention"],
            &["Lambda.Unknown", "States.Timeout"],
            &["States.ALL"],
        ];
        assert_eq!(found(retry, &[&["TaskInUse"], &["States.ALL"]]), [""; 0]);
    }

    #[test]
    fn a_name_that_no_function_says_is_found() {
        one(
            &found(&[&["TaskIsInUse"]], &[]),
            "Retry[0]: TaskIsInUse is neither a code",
        );
        one(&found(&[], &[&["Lambda.Nonsense"]]), "Catch[0]: Lambda.Nonsense");
        one(&found(&[], &[&["States.BranchFailed"]]), "documents");
        let other =
            json!({"Resource": "arn:aws:states:::sns:publish", "Catch": [{"ErrorEquals": ["Throttled"]}]});
        one(&problems("Work", &other), "calls no Lambda function");
    }

    #[test]
    fn what_comes_after_all_errors_is_never_reached() {
        one(
            &found(&[], &[&["States.ALL"], &["TaskInUse"]]),
            "Catch[0]: States.ALL must stand alone and last",
        );
        one(
            &found(&[&["States.ALL", "Throttled"]], &[]),
            "Retry[0]: States.ALL must stand alone and last",
        );
    }

    #[test]
    fn an_error_that_one_before_takes_never_reaches_a_later_one() {
        one(
            &found(&[&["Throttled"], &["Throttled"]], &[]),
            "Retry[1]: Throttled is taken",
        );
        one(
            &found(&[&["Throttled", "Throttled"]], &[]),
            "Retry[0]: Throttled is taken",
        );
        one(
            &found(&[], &[&["States.TaskFailed"], &["TaskInUse"]]),
            "Catch[1]: TaskInUse is taken",
        );
        let timeouts: &[&[&str]] = &[&["States.TaskFailed"], &["States.Timeout"], &["States.ALL"]];
        assert_eq!(found(&[], timeouts), [""; 0], "a timeout is no failed task");
        assert_eq!(
            found(&[&["Throttled"]], &[&["Throttled"]]),
            [""; 0],
            "caught when the retries are used up"
        );
    }

    #[test]
    fn a_handler_of_nothing_is_found() {
        one(&found(&[&[]], &[]), "Retry[0]: ErrorEquals must name errors");
        let state =
            json!({"Resource": ":lambda:", "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}]});
        one(&problems("Work", &state), "retries nothing");
    }
}
