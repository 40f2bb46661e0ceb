//! Wishes of people: kept asleep, only observed, and counts that they set themselves.

use std::time::Duration;

use end_to_end::{Service, Stack};
use serde_json::{Value, json};

use crate::sleeping::{asleep, tick};
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);

async fn call(stack: &Stack, event: Value) -> Value {
    let answer = stack.invoke("WakeFunctionName", &event).await;
    answer.unwrap_or_else(|error| panic!("{event}: {error:?}"))
}

/// The oldest entry of a group's why-log with this reason: what began it, and not what came of it.
async fn told(stack: &Stack, group: &str, reason: &str) -> Value {
    let why = call(stack, json!({"group": group, "action": "why"})).await;
    let entries = why["entries"].as_array().expect("entries");
    let found = entries.iter().rfind(|entry| entry["reason"] == reason);
    found.unwrap_or_else(|| panic!("no {reason} in {why}")).clone()
}

#[tokio::test]
async fn whoever_comes_while_it_is_kept_asleep_is_told_until_when_and_it_ends_by_itself() {
    let stack = Stack::connect();
    let service = Service::new("snoozing").sleeps_after("10m").create(&stack).await;
    stack.wake("POST", "/snoozing/-/wake").send().await;
    ready(&stack, "snoozing").await;
    let kept = json!({"group": "snoozing", "action": "sleep", "for": "45s", "by": "Ada"});
    let until = call(&stack, kept).await["override_until"].clone();
    asleep(&stack, "snoozing", SOON).await;

    let program = stack.wake("GET", "/snoozing").send().await;
    let errors = program.json()["errors"].clone();
    assert_eq!((program.status, &errors[0]["code"]), (503, &json!("KeptAsleep")));
    let wait: u64 = program
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((1..=45).contains(&wait), "{wait}");
    let page = stack
        .wake("GET", "/snoozing")
        .header("accept", "text/html")
        .send()
        .await;
    let text = until
        .as_str()
        .expect("a moment")
        .split('.')
        .next()
        .unwrap_or_default();
    assert!(
        page.status == 503 && page.body.contains("kept asleep until"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains(text.trim_end_matches('Z')),
        "{text}: {}",
        page.body
    );
    assert_eq!(counts(&stack, &service).await.last(), Some(&json!(0)));
    assert_eq!(told(&stack, "snoozing", "sleep-asked").await["by"], "Ada");
    assert_eq!(told(&stack, "snoozing", "kept-asleep").await["what"], "refused");

    tokio::time::sleep(Duration::from_secs(wait + 1)).await;
    stack.wake("POST", "/snoozing/-/wake").send().await;
    ready(&stack, "snoozing").await;
}

#[tokio::test]
async fn in_observe_mode_it_says_what_it_would_do_and_does_nothing() {
    let stack = Stack::connect();
    let service = Service::new("watched-only")
        .sleeps_after("5s")
        .tag("mode", "observe")
        .desired(1)
        .create(&stack)
        .await;
    ready(&stack, "watched-only").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let would = tick(&stack, "watched-only").await;
    assert_eq!(
        (&would["decision"], &would["phase"]),
        (&json!("would-sleep"), &json!("awake")),
        "{would}"
    );
    assert_eq!(would["mode"], "observe");
    let entry = told(&stack, "watched-only", "fixed-time-over").await;
    assert_eq!(
        (&entry["what"], &entry["to"]),
        (&json!("would"), &json!("falling-asleep")),
        "{entry}"
    );
    assert_eq!(counts(&stack, &service).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_count_that_somebody_sets_while_it_is_awake_is_told_and_given_back() {
    let stack = Stack::connect();
    let group = "resized";
    let service = Service::new(group).sleeps_after("10m").create(&stack).await;
    stack.wake("POST", "/resized/-/wake").send().await;
    ready(&stack, group).await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    let update = ecs
        .update_service()
        .cluster(group)
        .service(&service)
        .desired_count(3);
    update.send().await.expect("an UpdateService of somebody else");
    tick(&stack, group).await;
    let entry = told(&stack, group, "counts-changed-outside").await;
    assert_eq!(
        (&entry["cause"], &entry["counts"]),
        (
            &json!("outside"),
            &json!([{"service": format!("{group}/{service}"), "from": 1, "to": 3}])
        )
    );
    call(&stack, json!({"group": group, "action": "sleep"})).await;
    asleep(&stack, group, SOON).await;
    stack.wake("POST", "/resized/-/wake").send().await;
    assert_eq!(ready(&stack, group).await["services"][0]["desired"], 3);
}
