//! The command line over the real stack.

use std::time::Duration;

use end_to_end::{Service, Stack};
use serde_json::{Value, json};

use crate::sleeping::asleep;

const SOON: Duration = Duration::from_secs(60);

/// The element of a list that has this name in a field.
fn named<'a>(list: &'a Value, field: &str, name: &str) -> &'a Value {
    let mut found = list.as_array().into_iter().flatten();
    let found = found.find(|element| element[field] == name);
    found.unwrap_or_else(|| panic!("no {field} {name} in {list}"))
}

#[tokio::test]
async fn a_person_wakes_a_group_sees_why_and_puts_it_to_sleep() {
    let stack = Stack::connect();
    Service::new("typed").sleeps_after("10m").create(&stack).await;

    let woken = stack.dormouse(&["wake", "typed", "--count", "2", "--wait"]).await;
    assert_eq!(woken.code, Some(0), "{woken:?}");
    assert!(woken.stdout.contains("  ready at http://"), "{woken:?}");
    assert!(
        woken.stderr.contains("waking: typed-web "),
        "it tells how far it is: {woken:?}"
    );

    let listed = stack.dormouse(&["ls", "--json"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let listed = listed.json();
    let group = named(&listed["groups"], "group", "typed");
    assert_eq!(group["phase"], "awake", "{group}");
    assert!(group["since"].is_string(), "{group}");
    let table = stack.dormouse(&["ls"]).await;
    let mut rows = table.stdout.lines();
    assert!(
        rows.next().is_some_and(|heads| heads.starts_with("GROUP ")),
        "{table:?}"
    );
    let row = rows.find(|row| row.starts_with("typed ")).expect("its row");
    assert!(row.contains("awake") && row.contains(" ago)"), "{row}");

    let kept = stack
        .dormouse(&["keep-awake", "typed", "--for", "1h", "--json"])
        .await;
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert!(kept.json()["override_until"].is_string(), "{kept:?}");

    let slept = stack.dormouse(&["sleep", "typed"]).await;
    assert_eq!(slept.code, Some(0), "{slept:?}");
    assert!(slept.stdout.starts_with("typed is falling asleep"), "{slept:?}");
    asleep(&stack, "typed", SOON).await;

    let why = stack.dormouse(&["why", "typed", "--all", "--json"]).await;
    assert_eq!(why.code, Some(0), "{why:?}");
    let why = why.json();
    let entries = why["entries"].as_array().expect("entries");
    for reason in ["wake-asked", "sleep-asked"] {
        let asked = |entry: &&Value| {
            let by = entry["by"].as_str().is_some_and(|by| !by.is_empty());
            entry["reason"] == reason && entry["cause"] == "direct" && by
        };
        assert!(
            entries.iter().any(|entry| asked(&entry)),
            "who asked is remembered: {reason}: {why}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_has_an_exit_code_of_its_own() {
    let stack = Stack::connect();
    let unknown = stack.dormouse(&["wake", "nosuchgroup", "--wait", "--json"]).await;
    assert_eq!(
        (unknown.code, &unknown.json()["errorType"]),
        (Some(4), &json!("UnknownGroup")),
        "{unknown:?}"
    );
    assert!(unknown.stderr.contains("`nosuchgroup`"), "{unknown:?}");

    let nameless = stack.dormouse(&["sleep", "no/group"]).await;
    assert_eq!(
        (nameless.code, nameless.stdout.as_str()),
        (Some(2), ""),
        "{nameless:?}"
    );

    let elsewhere = stack.dormouse(&["ls", "--stack", "nosuchstack"]).await;
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    assert!(elsewhere.stderr.contains("`nosuchstack-wake`"), "{elsewhere:?}");
}

#[tokio::test]
async fn a_check_names_bad_tags_and_tries_permissions() {
    let stack = Stack::connect();
    // Once: it looks at every service of every test, and the read buckets of ECS are everybody's.
    let service = Service::new("checked")
        .tag("idle-after", "soon")
        .create(&stack)
        .await;
    let check = stack.dormouse(&["check", "--json"]).await;
    assert_eq!(check.code, Some(5), "{check:?}");
    let found = check.json();
    let group = named(&found["groups"], "name", "checked");
    assert_eq!(
        group["services"],
        json!([{"id": format!("checked/{service}"), "desired": 0, "running": 0}])
    );
    let problem = group["problems"][0]["message"].as_str().unwrap_or_default();
    for part in [service.as_str(), "`dormouse:idle-after`", "`soon`"] {
        assert!(problem.contains(part), "{problem}");
    }
    for action in [
        "tag:GetResources",
        "ecs:DescribeServices",
        "ecs:ListTasks",
        "ec2:DescribeNetworkInterfaces",
    ] {
        let permission = named(&found["permissions"], "action", action);
        assert_eq!(permission["outcome"], "ok", "{permission}");
    }
}
