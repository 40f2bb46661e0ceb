//! `dormouse why`.

use dormouse_core::ids::GroupName;
use serde_json::{Value, json};

use super::Desk;
use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view;

/// The most that the function gives at once.
pub(crate) const PAGE: u32 = 100;

/// Which decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Why<'a> {
    /// Of this group.
    pub(crate) group: &'a GroupName,
    /// At most so many.
    pub(crate) limit: Option<u32>,
    /// Those before this cursor.
    pub(crate) before: Option<&'a str>,
    /// All that are kept, page after page.
    pub(crate) all: bool,
}

/// Says what was decided and why.
pub(crate) async fn run<W: Function + Clock>(desk: &Desk<'_, W>, why: Why<'_>) -> Result<Report, Failure> {
    let mut answer = page(desk, why, json!(why.before)).await?;
    while why.all && !answer["next"].is_null() {
        let older = page(desk, why, answer["next"].take()).await?;
        let more = view::list(&older, "entries").to_vec();
        // A page without entries ends it, whatever it says of others.
        answer["next"] = if more.is_empty() {
            Value::Null
        } else {
            older["next"].clone()
        };
        if let Some(entries) = answer["entries"].as_array_mut() {
            entries.extend(more);
        }
    }
    let text = view::decisions::decisions(&answer, &desk.reader());
    Ok(Report::done(answer, text))
}

async fn page<W: Function + Clock>(
    desk: &Desk<'_, W>,
    why: Why<'_>,
    before: Value,
) -> Result<Value, Failure> {
    let mut event = json!({"action": "why", "group": why.group});
    if let Some(limit) = why.limit.or(why.all.then_some(PAGE)) {
        event["limit"] = json!(limit);
    }
    if !before.is_null() {
        event["before"] = before;
    }
    desk.ask(event).await
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, block_on};
    use super::*;

    fn entry(at: &str) -> Value {
        json!({"at": at, "from": "awake", "to": "falling-asleep", "reason": "idle"})
    }

    fn of(group: &GroupName) -> Why<'_> {
        Why {
            group,
            limit: None,
            before: None,
            all: false,
        }
    }

    #[test]
    fn each_decision_says_what_why_and_who() {
        let group = GroupName::parse("dev").expect("a name");
        let answer = json!({"group": "dev", "next": "c7", "entries": [
            {
                "at": "2027-01-15T10:48:00Z", "generation": 4, "what": "phase", "from": "awake", "to": "falling-asleep",
                "cause": "sleep-timer", "reason": "idle", "detail": "every signal was quiet for 30m",
                "counts": [{"service": "dev/web", "from": 2, "to": 0}, {"service": "dev/api", "from": null, "to": 0}],
                "readings": [{"signal": "requests", "service": "dev/web", "reading": "quiet since 10:15"}, "and more"],
            },
            {
                "at": "2027-01-15T10:00:00Z", "what": "count", "service": "dev/web", "from": 2, "to": 4,
                "cause": "direct", "by": "arn:she", "reason": "too-busy",
            },
            {"at": "2027-01-15T09:00:00Z", "what": "refused", "phase": "awake", "reason": "grace"},
            {"at": "2027-01-14T09:00:00Z", "what": "phase", "from": "awake", "to": "awake"},
            {"at": "long ago", "what": "something new", "readings": {"requests": "quiet", "cpu": {"percent": 3}}},
        ]});
        let fake = Fake::answering([Ok(answer.clone())]);
        let why = Why {
            limit: Some(3),
            before: Some("c9"),
            ..of(&group)
        };
        let report = block_on(run(&fake.asking(), why)).expect("a report");
        assert_eq!(report.json, answer);
        assert_eq!(
            report.text,
            "\
11:48 (12 min ago)  awake to falling-asleep, dev/web: 2 to 0 tasks, dev/api: to 0 tasks
  idle: every signal was quiet for 30m
  asked by sleep-timer
  requests of dev/web: quiet since 10:15
  and more

11:00 (60 min ago)  dev/web: 2 to 4 tasks
  too-busy
  asked by direct, arn:she

10:00 (2 h ago)  refused, awake as before
  grace

2027-01-14 10:00 (26 h ago)  awake as before

long ago  something new
  cpu: percent 3
  requests: quiet

Older ones: dormouse why dev --before 'c7'"
        );
        assert_eq!(
            fake.calls(),
            [json!({"action": "why", "group": "dev", "limit": 3, "before": "c9"})]
        );
    }

    #[test]
    fn all_pages_are_put_together() {
        let group = GroupName::parse("dev").expect("a name");
        let page = |at: &str, next: Value| Ok(json!({"group": "dev", "entries": [entry(at)], "next": next}));
        let fake = Fake::answering([
            page("2027-01-15T10:00:00Z", json!("c1")),
            page("2027-01-15T09:00:00Z", json!("c2")),
            Ok(json!({"group": "dev", "entries": [], "next": "c3"})),
        ]);
        let why = Why {
            all: true,
            ..of(&group)
        };
        let report = block_on(run(&fake.asking(), why)).expect("a report");
        assert_eq!(
            report.json,
            json!({
                "group": "dev", "next": null,
                "entries": [entry("2027-01-15T10:00:00Z"), entry("2027-01-15T09:00:00Z")],
            })
        );
        let cursors: Vec<Value> = fake.calls().iter().map(|call| call["before"].clone()).collect();
        assert_eq!(cursors, [Value::Null, json!("c1"), json!("c2")]);
        assert_eq!(fake.calls()[0]["limit"], PAGE);
    }

    #[test]
    fn a_group_without_decisions_says_so() {
        let group = GroupName::parse("dev").expect("a name");
        let fake = Fake::answering([Ok(json!({"group": "dev", "entries": []}))]);
        let report = block_on(run(&fake.asking(), of(&group))).expect("a report");
        assert_eq!(report.text, "dev: no decisions are kept");
    }
}
