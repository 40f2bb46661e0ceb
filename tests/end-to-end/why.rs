//! Why a group did what it did.

use std::time::Duration;

use dormouse_core::ids::{Generation, GroupName};
use dormouse_core::intent::Cause;
use dormouse_core::ports::{Saved, Store, Whys};
use dormouse_core::record::{Phase, Record};
use dormouse_core::why::{Entry, What};
use end_to_end::{Service, Stack, now};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::missing::aws;
use crate::sleeping::{asleep, tick};
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

async fn why(stack: &Stack, query: &str) -> Value {
    let answer = stack.wake("GET", &format!("/asked/-/why{query}")).send().await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store")),
        "{}",
        answer.body
    );
    answer.json()
}

#[tokio::test]
async fn it_tells_newest_first_who_woke_it_who_put_it_to_sleep_and_what_others_did() {
    let stack = Stack::connect();
    let group = "asked";
    let service = Service::new(group).sleeps_after("10m").create(&stack).await;
    stack.wake("GET", "/asked").send().await;
    ready(&stack, group).await;
    let sleep = json!({"group": group, "action": "sleep", "by": "the end-to-end tests"});
    let answer = stack.invoke("WakeFunctionName", &sleep).await.expect("a sleep");
    assert_ne!(answer["phase"], "awake", "{answer}");
    asleep(&stack, group, SOON).await;
    // ECS's reads may lag behind its writes, so a count just after falling asleep says nothing yet.
    tokio::time::sleep(Duration::from_secs(16)).await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    ecs.update_service()
        .cluster(group)
        .service(&service)
        .desired_count(1)
        .send()
        .await
        .expect("an UpdateService of somebody else");
    let seen = tick(&stack, group).await;
    assert_eq!(seen["reason"], "woken-outside", "{seen}");
    ready(&stack, group).await;

    let whole = why(&stack, "").await;
    let entries = whole["entries"].as_array().expect("entries");
    // A wake that could not see ECS raises its counts with a later look, and tells so: it stays in its phase.
    let mut changes: Vec<Value> = entries
        .iter()
        .filter(|entry| entry["what"] == "phase" && entry["from"] != entry["to"])
        .filter(|entry| entry["reason"] != "became-ready")
        .map(|entry| json!([entry["from"], entry["reason"], entry["cause"], entry["by"]]))
        .collect();
    let visitor = changes.last_mut().expect("the wake")[3].take();
    assert!(visitor.is_string(), "the visitor's address: {whole}");
    let by_name = json!("the end-to-end tests");
    assert_eq!(
        json!(changes),
        json!([
            ["asleep", "woken-outside", "outside", null],
            ["falling-asleep", "sleep-asked", "direct", null],
            ["awake", "sleep-asked", "direct", by_name],
            ["asleep", "wake-asked", "http", null],
        ]),
        "{whole}"
    );
    let generations: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry["generation"].as_u64())
        .collect();
    assert!(generations.is_sorted_by(|newer, older| newer >= older), "{whole}");

    let mut paged = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = why(&stack, &query).await;
        paged.extend(page["entries"].as_array().expect("entries").clone());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=1&before={next}");
    }
    // A tick may have added one at the top meanwhile.
    let whole = why(&stack, "").await;
    let entries = whole["entries"].as_array().expect("entries");
    assert!(
        paged.len() >= 6 && entries.ends_with(&paged),
        "{paged:?}: {whole}"
    );

    let refused = stack.wake("GET", "/asked/-/why?limit=0").send().await;
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["code"]),
        (400, &json!("InvalidRequest"))
    );
    let list = stack
        .invoke("WakeFunctionName", &json!({"action": "list"}))
        .await
        .expect("a list");
    let groups = list["groups"].as_array().expect("groups");
    let ours = groups
        .iter()
        .find(|entry| entry["group"] == group)
        .expect("the group");
    assert_eq!(
        (&ours["phase"], &ours["generation"]),
        (&json!("awake"), &json!(2)),
        "{ours}"
    );
    assert!(ours["slept_task_seconds"].as_u64() >= Some(10), "{ours}");
}

#[tokio::test]
async fn an_entry_is_written_with_its_record_or_not_at_all() {
    let stack = Stack::connect();
    let aws = aws(&stack, "AWS_ENDPOINT_URL", stack.output("TableName")).await;
    let group = GroupName::parse("raced").expect("a name");
    let mut record = Record::unseen(now());
    let entry = |by: &str| Entry {
        at: now(),
        group: group.clone(),
        generation: Generation(1),
        cause: Cause::Direct,
        by: Some(by.to_owned()),
        what: What::Phase {
            from: Phase::Asleep,
            to: Phase::Waking,
        },
        reason: "wake-asked".to_owned(),
        detail: "somebody asked for it".to_owned(),
        override_until: None,
        counts: Vec::new(),
        readings: Vec::new(),
    };
    let (ada, bob) = (entry("Ada"), entry("Bob"));
    let both = join(
        aws.save_record(&group, &record, Some(&ada)),
        aws.save_record(&group, &record, Some(&bob)),
    )
    .await;
    let winner = match both {
        (Ok(Saved::Yes), Ok(Saved::Conflict)) => "Ada",
        (Ok(Saved::Conflict), Ok(Saved::Yes)) => "Bob",
        other => panic!("{other:?}"),
    };
    record.version = 1;
    let late = aws
        .save_record(&group, &Record::unseen(now()), Some(&entry("Eve")))
        .await;
    assert_eq!(late, Ok(Saved::Conflict));
    let next = aws.save_record(&group, &record, Some(&entry("Cleo"))).await;
    assert_eq!(next, Ok(Saved::Yes));
    let page = aws.why(&group, None, 10).await.expect("a page");
    let who: Vec<_> = page
        .entries
        .iter()
        .filter_map(|entry| entry.by.as_deref())
        .collect();
    assert_eq!((who, page.next), (vec!["Cleo", winner], None));
}
