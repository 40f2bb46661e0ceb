//! `dormouse sleep` and `dormouse keep-awake`: what somebody asks for until a moment.

use dormouse_core::ids::GroupName;
use serde_json::{Value, json};

use super::{Desk, is_in, not_done};
use crate::args::End;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view;

/// Puts a group to sleep.
pub(crate) async fn sleep<W: Function + Clock>(
    desk: &Desk<'_, W>,
    group: &GroupName,
    end: &End,
) -> Result<Report, Failure> {
    let answer = ask(desk, "sleep", group, end).await?;
    let done = is_in(&answer, &["asleep", "falling-asleep"]);
    Ok(judged(desk, answer, done, "was not put to sleep"))
}

/// Keeps a group awake.
pub(crate) async fn keep_awake<W: Function + Clock>(
    desk: &Desk<'_, W>,
    group: &GroupName,
    end: &End,
) -> Result<Report, Failure> {
    let answer = ask(desk, "keep-awake", group, end).await?;
    let done = is_in(&answer, &["waking", "awake"]) && view::text(&answer, "override_until").is_some();
    Ok(judged(desk, answer, done, "is not kept awake"))
}

async fn ask<W: Function + Clock>(
    desk: &Desk<'_, W>,
    action: &str,
    group: &GroupName,
    end: &End,
) -> Result<Value, Failure> {
    let mut event = json!({"action": action, "group": group});
    if let Some(period) = &end.period {
        event["for"] = json!(period);
    }
    if let Some(until) = &end.until {
        event["until"] = json!(until.after(desk.now(), &desk.zone)?);
    }
    desk.ask(event).await
}

fn judged<W: Function + Clock>(desk: &Desk<'_, W>, answer: Value, done: bool, failed: &str) -> Report {
    let complaint = not_done(&answer, failed);
    let report = desk.status(answer);
    if done {
        report
    } else {
        report.but(Exit::Refused, complaint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, block_on};
    use super::*;

    fn dev() -> GroupName {
        GroupName::parse("dev").expect("a name")
    }

    fn until(text: &str) -> End {
        End {
            until: Some(text.parse().expect("a moment")),
            ..End::default()
        }
    }

    #[test]
    fn a_sleep_ends_when_the_callers_clock_says_so() {
        let answer = json!({
            "group": "dev", "phase": "falling-asleep", "reason": "sleep-asked", "detail": "somebody asked for sleep",
            "override_until": "2027-01-16T07:00:00Z", "decision_reason": "sleep-asked",
            "services": [{"cluster": "dev", "name": "web", "desired": 0, "running": 2, "stage": "asleep",
                "detail": "its tasks are stopping"}],
        });
        let fake = Fake::answering([Ok(answer)]);
        let report = block_on(sleep(&fake.ordering(), &dev(), &until("2027-01-16 08:00"))).expect("a report");
        assert_eq!((report.exit, &report.complaint), (Exit::Done, &None));
        assert_eq!(
            report.text,
            "\
dev is falling asleep: somebody asked for sleep
  dev/web  2 of 0 tasks run, asleep: its tasks are stopping
  kept asleep until 2027-01-16 08:00 (in 20 h)"
        );
        assert_eq!(
            fake.calls(),
            [json!({"action": "sleep", "group": "dev", "until": "2027-01-16T07:00:00Z", "by": "arn:me"})]
        );
    }

    #[test]
    fn what_was_asked_for_and_not_done_is_refused_with_the_reason() {
        let awake = json!({"group": "dev", "phase": "awake", "decision_reason": "kept-awake"});
        let fake = Fake::answering([Ok(awake.clone())]);
        let report = block_on(sleep(&fake.ordering(), &dev(), &End::default())).expect("a report");
        assert_eq!(report.exit, Exit::Refused);
        assert_eq!(
            report.complaint.as_deref(),
            Some("dev was not put to sleep: kept-awake")
        );
        assert_eq!(report.json, awake, "the answer all the same");

        let asleep = json!({"group": "dev", "phase": "asleep", "decision_reason": "kept-asleep"});
        let fake = Fake::answering([Ok(asleep)]);
        let end = End {
            period: Some("2h".to_owned()),
            ..End::default()
        };
        let report = block_on(keep_awake(&fake.ordering(), &dev(), &end)).expect("a report");
        assert_eq!(report.exit, Exit::Refused);
        assert_eq!(
            fake.calls(),
            [json!({"action": "keep-awake", "group": "dev", "for": "2h", "by": "arn:me"})]
        );
    }

    #[test]
    fn a_group_that_is_kept_awake_says_until_when() {
        let answer = json!({"group": "dev", "phase": "waking", "override_until": "2027-01-15T13:00:00Z"});
        let fake = Fake::answering([Ok(answer)]);
        let report = block_on(keep_awake(&fake.ordering(), &dev(), &until("14:00"))).expect("a report");
        assert_eq!(report.exit, Exit::Done);
        assert_eq!(report.text, "dev is waking\n  kept awake until 14:00 (in 2 h)");
    }

    #[test]
    fn a_moment_that_is_over_is_bad_usage_and_nobody_is_asked() {
        let fake = Fake::answering([]);
        let failure =
            block_on(sleep(&fake.ordering(), &dev(), &until("2027-01-15 08:00"))).expect_err("over");
        assert_eq!((failure.exit(), fake.calls().len()), (Exit::Usage, 0));
    }
}
