//! `dormouse wake`.

use std::time::Duration;

use dormouse_core::ids::GroupName;
use serde_json::{Value, json};

use super::{Desk, is_in, not_done};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view::{self, list, plain};

/// A wake that fails this often in a row does not become ready by itself: once may be bad luck. As pipelines judge.
const FAILURES: u32 = 2;
/// Time between two looks where the function does not say.
const PAUSE: u64 = 3;
/// Longest time between two looks.
const LONGEST_PAUSE: u64 = 10;

/// What is asked of a wake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wake<'a> {
    /// The group.
    pub(crate) group: &'a GroupName,
    /// Tasks of each service, at least.
    pub(crate) count: Option<u32>,
    /// Whether to wait until it is ready.
    pub(crate) wait: bool,
}

/// Wakes a group, and waits for it if that is asked for. `progress` is told each step that differs from the one before.
///
/// Waiting repeats the call, which changes nothing while the wake goes on, and moves it on.
pub(crate) async fn run<W: Function + Clock>(
    desk: &Desk<'_, W>,
    wake: Wake<'_>,
    mut progress: impl FnMut(&str),
) -> Result<Report, Failure> {
    let mut event = json!({"action": "wake", "group": wake.group});
    if let Some(count) = wake.count {
        event["desired_count"] = json!(count);
    }
    let mut failures = 0;
    let mut told = String::new();
    loop {
        let answer = desk.ask(event.clone()).await?;
        if !is_in(&answer, &["waking", "awake"]) {
            let complaint = not_done(&answer, "was not woken");
            return Ok(desk.status(answer).but(Exit::Refused, complaint));
        }
        if !wake.wait || is_ready(&answer) {
            return Ok(desk.status(answer));
        }
        failures = if is_failing(&answer) { failures + 1 } else { 0 };
        if failures >= FAILURES {
            let complaint = format!("{} does not become ready", wake.group);
            return Ok(desk.status(answer).but(Exit::NotReady, complaint));
        }
        let step = step(&answer);
        if step != told {
            progress(&step);
            told = step;
        }
        let seconds = answer["retry_after_seconds"].as_u64().unwrap_or(PAUSE);
        desk.world
            .pause(Duration::from_secs(seconds.clamp(1, LONGEST_PAUSE)))
            .await;
    }
}

/// Whether visitors are sent to the app; or every service has a task that answers, where nobody can be sent anywhere.
fn is_ready(answer: &Value) -> bool {
    let services = list(answer, "services");
    let all = !services.is_empty() && services.iter().all(|service| service["ready"] == true);
    answer["ready"] == true || is_in(answer, &["awake"]) && all
}

/// Whether a service says that it fails.
pub(crate) fn is_failing(answer: &Value) -> bool {
    let mut services = list(answer, "services").iter();
    services.any(|service| service["stage"] == "failing")
}

/// How far the services are that are not ready.
fn step(answer: &Value) -> String {
    let open = list(answer, "services")
        .iter()
        .filter(|service| service["ready"] != true);
    let open: Vec<String> = open
        .map(|service| format!("{} {}", plain(&service["name"]), view::status::stage(service)))
        .collect();
    format!("{}: {}", view::status::phase(answer), open.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, block_on};
    use super::*;

    fn answer(phase: &str, stage: &str) -> Result<Value, Failure> {
        let ready = stage == "ready";
        Ok(json!({
            "group": "dev", "phase": phase, "ready": ready, "retry_after_seconds": 2, "decision_reason": "still-waking",
            "url": "https://dev.example.com", "detail": "somebody asked for it",
            "services": [{"cluster": "dev", "name": "web", "desired": 2, "running": 1, "ready": ready, "stage": stage}],
        }))
    }

    fn run_with(
        answers: impl IntoIterator<Item = Result<Value, Failure>>,
        wait: bool,
    ) -> (Result<Report, Failure>, Vec<String>, Fake) {
        let fake = Fake::answering(answers);
        let group = GroupName::parse("dev").expect("a name");
        let wake = Wake {
            group: &group,
            count: Some(2),
            wait,
        };
        let mut steps = Vec::new();
        let report = block_on(run(&fake.ordering(), wake, |step| steps.push(step.to_owned())));
        (report, steps, fake)
    }

    #[test]
    fn a_wake_is_asked_for_and_not_waited_for() {
        let (report, steps, fake) = run_with([answer("waking", "provisioning")], false);
        let report = report.expect("a report");
        assert_eq!((report.exit, steps.len()), (Exit::Done, 0));
        assert_eq!(
            report.text,
            "dev is waking: somebody asked for it\n  dev/web  1 of 2 tasks run, provisioning"
        );
        assert_eq!(
            fake.calls(),
            [json!({"action": "wake", "group": "dev", "desired_count": 2, "by": "arn:me"})]
        );
    }

    #[test]
    fn waiting_ends_when_it_is_ready_and_tells_each_step_once() {
        let answers = [
            answer("waking", "provisioning"),
            answer("waking", "provisioning"),
            answer("waking", "failing"),
            answer("waking", "starting"),
            answer("waking", "failing"),
            answer("waking", "starting"),
            answer("awake", "ready"),
        ];
        let (report, steps, fake) = run_with(answers, true);
        let report = report.expect("a report");
        assert_eq!(report.exit, Exit::Done);
        assert!(
            report.text.ends_with("ready at https://dev.example.com"),
            "{}",
            report.text
        );
        assert_eq!(
            steps,
            [
                "waking: web provisioning",
                "waking: web failing",
                "waking: web starting",
                "waking: web failing",
                "waking: web starting",
            ]
        );
        assert_eq!(fake.calls().len(), 7);
        assert_eq!(
            fake.now().to_string(),
            "2027-01-15T11:00:12Z",
            "as often as the function says"
        );
    }

    #[test]
    fn a_group_that_nobody_visits_is_ready_when_its_tasks_are() {
        let mut worker = answer("awake", "ready").expect("an answer");
        worker["ready"] = json!(false);
        let (report, ..) = run_with([Ok(worker.clone())], true);
        assert_eq!(report.expect("a report").exit, Exit::Done);

        worker["phase"] = json!("waking");
        let (report, ..) = run_with([Ok(worker), answer("awake", "ready")], true);
        assert_eq!(report.expect("a report").exit, Exit::Done);
    }

    #[test]
    fn waiting_ends_when_it_fails_again_and_again() {
        let (report, ..) = run_with([answer("waking", "failing"), answer("waking", "failing")], true);
        let report = report.expect("a report");
        assert_eq!(report.exit, Exit::NotReady);
        assert_eq!(report.complaint.as_deref(), Some("dev does not become ready"));
        assert_eq!(report.json["phase"], "waking");
    }

    #[test]
    fn a_wake_that_is_not_done_is_refused() {
        let (report, ..) = run_with([answer("asleep", "asleep")], true);
        let report = report.expect("a report");
        assert_eq!(report.exit, Exit::Refused);
        assert_eq!(
            report.complaint.as_deref(),
            Some("dev was not woken: still-waking")
        );
    }

    #[test]
    fn an_error_of_the_function_ends_it() {
        let error =
            Failure::of_function(&json!({"errorType": "UnknownGroup", "errorMessage": "group `dev`"}));
        let (report, ..) = run_with([Err(error)], true);
        assert_eq!(report.expect_err("no such group").exit(), Exit::UnknownGroup);
    }
}
