//! `dormouse release`: leads the listener rules and default actions back that lead to the wake function.

use std::collections::BTreeSet;
use std::time::Duration;

use dormouse_core::ids::GroupName;
use serde_json::{Value, json};

use super::wake::is_failing;
use super::{Desk, is_in};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view::{self, list, plain};

/// Time between two looks: doors lead back a few seconds after enough tasks answer.
const PAUSE: Duration = Duration::from_secs(5);
/// A group that cannot become ready is not waited for: it fails this often in a row. As `wake --wait` judges.
const FAILURES: u32 = 2;
/// Nor is one that takes longer than this. Our choice: more than the slowest wake.
const PATIENCE: u32 = 240;

/// A group whose doors are to lead back.
struct Pending {
    name: String,
    failures: u32,
    /// Why it is given up, if it is.
    gone_wrong: Option<String>,
}

/// Wakes the groups whose doors lead away, these or all, and waits until they lead back.
pub(crate) async fn run<W: Function + Clock>(
    desk: &Desk<'_, W>,
    groups: &[GroupName],
    mut progress: impl FnMut(&str),
) -> Result<Report, Failure> {
    let wanted: BTreeSet<&str> = groups.iter().map(GroupName::as_str).collect();
    let all = desk.list().await?;
    let known = names(&all);
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(**name)) {
        let error = json!({"errorType": "UnknownGroup", "errorMessage": format!("no service is tagged with group `{unknown}`")});
        return Err(Failure::of_function(&error));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(name);
    let mut pending: Vec<Pending> = list(&all, "groups")
        .iter()
        .filter(|group| is_away(group) && is_wanted(&plain(&group["group"])))
        .map(|group| Pending {
            name: plain(&group["group"]),
            failures: 0,
            gone_wrong: None,
        })
        .collect();
    let mut last = all;
    for _ in 0..PATIENCE {
        for group in pending.iter_mut().filter(|group| group.gone_wrong.is_none()) {
            group.wake(desk).await?;
        }
        last = desk.list().await?;
        pending.retain(|group| {
            let back = !find(&last, &group.name).is_some_and(is_away);
            if back {
                progress(&format!("{}: leads to the app", group.name));
            }
            !back
        });
        if pending.iter().all(|group| group.gone_wrong.is_some()) {
            break;
        }
        desk.world.pause(PAUSE).await;
    }
    Ok(report(&last, &is_wanted, &pending))
}

impl Pending {
    /// Wakes it, or moves its wake on.
    async fn wake<W: Function + Clock>(&mut self, desk: &Desk<'_, W>) -> Result<(), Failure> {
        let answer = desk.ask(json!({"action": "wake", "group": self.name})).await?;
        if !is_in(&answer, &["waking", "awake"]) {
            self.gone_wrong = Some(super::not_done(&answer, "was not woken"));
            return Ok(());
        }
        self.failures = if is_failing(&answer) { self.failures + 1 } else { 0 };
        if self.failures >= FAILURES {
            self.gone_wrong = Some(format!("{} does not become ready", self.name));
        }
        Ok(())
    }
}

impl<W: Function + Clock> Desk<'_, W> {
    /// All groups.
    async fn list(&self) -> Result<Value, Failure> {
        self.world.call(&json!({"action": "list"})).await
    }
}

fn names(all: &Value) -> BTreeSet<String> {
    let groups = list(all, "groups").iter();
    groups.map(|group| plain(&group["group"])).collect()
}

fn find<'a>(all: &'a Value, name: &str) -> Option<&'a Value> {
    let mut groups = list(all, "groups").iter();
    groups.find(|group| group["group"] == name)
}

fn led_away(group: &Value) -> u64 {
    group["led_away"].as_u64().unwrap_or(0)
}

/// Whether some of its doors lead away.
fn is_away(group: &Value) -> bool {
    led_away(group) > 0
}

fn report(all: &Value, is_wanted: &impl Fn(&str) -> bool, pending: &[Pending]) -> Report {
    let still: Vec<&Value> = list(all, "groups")
        .iter()
        .filter(|group| is_away(group) && is_wanted(&plain(&group["group"])))
        .collect();
    let lines = still.iter().flat_map(|group| {
        let name = plain(&group["group"]);
        let wrong = pending.iter().find(|one| one.name == name);
        let why = wrong.and_then(|one| one.gone_wrong.clone());
        let count = led_away(group);
        let head =
            format!("{name}: {count} of its listener rules and default actions lead to the wake function");
        let why = why.map(|why| format!("  {why}"));
        let problems = list(group, "problems")
            .iter()
            .map(|one| format!("  {}", view::problem(one)));
        std::iter::once(head)
            .chain(why)
            .chain(problems)
            .collect::<Vec<_>>()
    });
    let lines: Vec<String> = lines.collect();
    let json = json!({
        "led_away": still.iter().map(|group| json!({
            "group": group["group"], "phase": group["phase"], "led_away": led_away(group), "problems": group["problems"],
        })).collect::<Vec<_>>(),
    });
    if still.is_empty() {
        let text = "No listener rule or default action leads to the wake function.";
        return Report::done(json, text.to_owned());
    }
    let complaint = format!("{} groups still lead to the wake function", still.len());
    Report::done(json, lines.join("\n")).but(Exit::NotReady, complaint)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, block_on};
    use super::*;

    fn groups(groups: &[(&str, &str, u64)]) -> Result<Value, Failure> {
        let groups = groups.iter().map(|(name, phase, led_away)| {
            json!({"group": name, "phase": phase, "led_away": led_away, "problems": []})
        });
        Ok(json!({"groups": groups.collect::<Vec<_>>()}))
    }

    fn woken(name: &str, stage: &str) -> Result<Value, Failure> {
        Ok(
            json!({"group": name, "phase": "waking", "ready": false, "services": [{"name": "web", "stage": stage}]}),
        )
    }

    fn release(
        answers: impl IntoIterator<Item = Result<Value, Failure>>,
        names: &[&str],
    ) -> (Result<Report, Failure>, Fake) {
        let fake = Fake::answering(answers);
        let names: Vec<GroupName> = names
            .iter()
            .map(|name| GroupName::parse(name).expect("a name"))
            .collect();
        let report = block_on(run(&fake.ordering(), &names, |_| {}));
        (report, fake)
    }

    #[test]
    fn each_group_that_is_led_away_is_woken_until_it_is_not() {
        let (report, fake) = release(
            [
                groups(&[("a", "asleep", 2), ("b", "awake", 0)]),
                woken("a", "starting"),
                groups(&[("a", "waking", 2), ("b", "awake", 0)]),
                woken("a", "ready"),
                groups(&[("a", "awake", 0), ("b", "awake", 0)]),
            ],
            &[],
        );
        let report = report.expect("a report");
        assert_eq!((report.exit, report.json), (Exit::Done, json!({"led_away": []})));
        let wakes = fake.calls();
        let wakes: Vec<_> = wakes.iter().filter(|call| call["action"] == "wake").collect();
        assert_eq!(wakes.len(), 2);
        assert!(
            wakes
                .iter()
                .all(|call| call["group"] == "a" && call["by"] == "arn:me")
        );
    }

    #[test]
    fn a_group_that_does_not_become_ready_is_named_with_what_is_left() {
        let (report, _) = release(
            [
                groups(&[("a", "asleep", 1)]),
                woken("a", "failing"),
                groups(&[("a", "waking", 1)]),
                woken("a", "failing"),
                groups(&[("a", "waking", 1)]),
            ],
            &["a"],
        );
        let report = report.expect("a report");
        assert_eq!(report.exit, Exit::NotReady);
        assert_eq!(
            report.text,
            "a: 1 of its listener rules and default actions lead to the wake function\n  a does not become ready"
        );
        assert_eq!(report.json["led_away"][0]["led_away"], 1);
    }

    #[test]
    fn only_the_named_groups_are_released() {
        let (report, fake) = release(
            [
                groups(&[("a", "asleep", 1), ("b", "awake", 0)]),
                groups(&[("a", "asleep", 1), ("b", "awake", 0)]),
            ],
            &["b"],
        );
        assert_eq!(report.expect("a report").exit, Exit::Done);
        assert!(fake.calls().iter().all(|call| call["action"] == "list"));
        let (report, _) = release([groups(&[("a", "asleep", 1)])], &["c"]);
        assert_eq!(report.expect_err("no such group").exit(), Exit::UnknownGroup);
    }
}
