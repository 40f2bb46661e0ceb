//! How a job stands.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::engine::Turn;
use crate::error::{Code, Error};
use crate::ids::ServiceId;
use crate::observation::{Seen, ServiceState};
use crate::record::Phase;
use crate::settings::{Defaults, GroupSettings, Problem};
use crate::status::{self, ServiceStatus};

use super::{FailureKind, JobResult, Request, Token};

/// A wake that ECS says failed this often does not become ready by itself: once may be bad luck. Our choice.
const FAILURES: usize = 2;
/// Longest message of a failure (AWS CodePipeline API reference, FailureDetails).
const LONGEST_MESSAGE: usize = 5000;
/// Longest summary (AWS CodePipeline API reference, ExecutionDetails).
const LONGEST_SUMMARY: usize = 2048;

/// How a job stands after a turn. `began` is the moment of its first invocation.
#[must_use]
pub fn judge(turn: &Turn, request: &Request, began: Timestamp) -> JobResult {
    let group = &turn.settings;
    if group.services.is_empty() {
        return failed(FailureKind::Configuration, &without_services(group));
    }
    let mut refusals = std::iter::once(turn)
        .chain(&turn.needed)
        .filter_map(Turn::refusal);
    if let Some(refusal) = refusals.next() {
        return failed(kind(refusal.code), &refusal.to_string());
    }
    let mut mistakes = group.services.iter().filter_map(|s| mistake(turn, &s.id));
    if let Some((code, why)) = mistakes.find(|(code, _)| !code.is_transient()) {
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
        let mistakes = group.services.iter().filter_map(|s| mistake(turn, &s.id));
        mistakes.map(|(_, why)| why).collect()
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
    limit: Duration,
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

/// What keeps a service from being woken: it could not be looked at, so that nothing was asked of it, or what was asked
/// was refused.
fn mistake(turn: &Turn, id: &ServiceId) -> Option<(Code, String)> {
    let unseen = match turn.seen.services.get(id) {
        Some(Seen::Unknown(error)) => Some(error),
        Some(Seen::Known(_)) | None => None,
    };
    let record = turn.record.services.get(id);
    let failure = record.and_then(|record| record.failure.as_ref());
    let error = unseen.or(failure.map(|failure| &failure.error))?;
    Some((error.code, format!("{id}: {error}")))
}

/// What a service still waits for; a rollout counts, so that nobody tests the version before.
fn waits_for(turn: &Turn, service: &ServiceStatus) -> Option<String> {
    let id = id(service);
    if !service.ready {
        let detail = service.detail.as_deref().unwrap_or("not ready");
        return Some(format!("{id}: {detail}"));
    }
    let state = state(turn, &id)?;
    let since = state.rollout_since?;
    let mut fresh = state.troubles.iter().filter(|trouble| trouble.at >= since);
    let trouble = fresh
        .next()
        .map_or("tasks of the version before still run", |t| &t.message);
    Some(format!("{id}: a rollout is under way: {trouble}"))
}

fn fails_again_and_again(turn: &Turn, service: &ServiceStatus) -> bool {
    let Some(state) = state(turn, &id(service)).filter(|_| !service.ready) else {
        return false;
    };
    let fresh = |at: Timestamp| turn.record.woken_at.is_some_and(|woken_at| at >= woken_at);
    state.troubles.iter().filter(|trouble| fresh(trouble.at)).count() >= FAILURES
}

fn state<'a>(turn: &'a Turn, id: &ServiceId) -> Option<&'a ServiceState> {
    match turn.seen.services.get(id)? {
        Seen::Known(state) => Some(state),
        Seen::Unknown(_) => None,
    }
}

fn id(service: &ServiceStatus) -> ServiceId {
    ServiceId::new(&service.cluster, &service.name)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

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
}
