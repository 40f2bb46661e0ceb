//! `dormouse ls`.

use serde_json::json;

use super::Desk;
use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view;

/// Lists all groups.
pub(crate) async fn run<W: Function + Clock>(desk: &Desk<'_, W>) -> Result<Report, Failure> {
    let answer = desk.ask(json!({"action": "list"})).await?;
    let text = view::groups::groups(&answer, &desk.reader());
    Ok(Report::done(answer, text))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, block_on};
    use super::*;

    #[test]
    fn groups_are_a_table_with_what_is_to_be_known_below() {
        let answer = json!({"groups": [
            {
                "group": "dev", "phase": "awake", "since": "2027-01-15T10:48:00Z", "generation": 4,
                "next_deadline": "2027-01-15T11:20:00Z", "signals": ["requests", "logs"], "mode": "act",
                "slept_task_seconds": 99000, "override_until": "2027-01-15T13:00:00Z",
                "problems": [{"code": "InvalidTag", "service": "dev/web", "message": "service `dev/web`, tag \
                    `dormouse:grace`, value `soon`: must be a duration"}],
            },
            {"group": "night-shift", "phase": null, "mode": "observe"},
            {"group": "x", "phase": "asleep", "override_until": "2027-01-16T05:00:00Z", "slept_task_seconds": 1800.0},
        ]});
        let fake = Fake::answering([Ok(answer.clone())]);
        let report = block_on(run(&fake.asking())).expect("a report");
        assert_eq!(report, Report::done(answer, report.text.clone()));
        assert_eq!(
            report.text,
            "\
GROUP        PHASE       SINCE               NEXT DEADLINE      SIGNALS        SAVED
dev          awake       11:48 (12 min ago)  12:20 (in 20 min)  requests logs  28 task-hours
night-shift  never seen  -                   -                  -              -
x            asleep      -                   -                  -              0.5 task-hours
dev: kept awake until 14:00 (in 2 h)
dev: ! service `dev/web`, tag `dormouse:grace`, value `soon`: must be a duration
night-shift: only observed: nothing is changed
x: kept asleep until 2027-01-16 06:00 (in 18 h)"
        );
        assert_eq!(fake.calls(), [json!({"action": "list"})]);
    }

    #[test]
    fn a_stack_without_groups_says_how_to_make_one() {
        let fake = Fake::answering([Ok(json!({"groups": []}))]);
        let report = block_on(run(&fake.asking())).expect("a report");
        assert!(report.text.contains("`dormouse:group`"), "{}", report.text);
    }
}
