//! Signs of life that tasks give themselves.

use std::time::Duration;

use end_to_end::{Request, Service, Stack, eventually};
use serde_json::{Value, json};

use crate::sleeping::{asleep, tick};
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

/// Tells the app of the group's only task what to claim.
async fn claim(url: &str, what: Value) {
    let answer = Request::new("POST", &format!("{url}/_app/set"))
        .header("content-type", "application/json")
        .json(&what)
        .send()
        .await;
    assert!(answer.status < 300, "{answer:?}");
}

#[tokio::test]
async fn open_connections_keep_it_awake_and_their_absence_puts_it_to_sleep() {
    let stack = Stack::connect();
    let service = Service::new("connected")
        .tag("connections", ":8080/nginx_status")
        .tag("idle-after", "15s")
        .tag("grace", "0s");
    service.create(&stack).await;
    stack.wake("GET", "/connected").send().await;
    let url = ready(&stack, "connected").await["url"]
        .as_str()
        .expect("a url")
        .to_owned();
    claim(&url, json!({"connections": 1})).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(tick(&stack, "connected").await["decision_reason"], "in-use");
    claim(&url, json!({"connections": 0})).await;
    assert_eq!(
        tick(&stack, "connected").await["decision_reason"],
        "quiet-too-short"
    );
    assert_eq!(asleep(&stack, "connected", 2 * SOON).await["reason"], "idle");
}

#[tokio::test]
async fn a_task_that_computes_is_kept_awake_and_one_that_idles_is_not() {
    let stack = Stack::connect();
    let service = Service::new("computing")
        .tag("signals", "cpu")
        .tag("idle-after", "1m")
        .tag("grace", "0s");
    service.create(&stack).await;
    stack.wake("GET", "/computing").send().await;
    let url = ready(&stack, "computing").await["url"]
        .as_str()
        .expect("a url")
        .to_owned();
    claim(&url, json!({"cpu": 60.0})).await;
    eventually("its CPU shows use", 3 * SOON, || async {
        (tick(&stack, "computing").await["decision_reason"] == "in-use").then_some(())
    })
    .await;
    claim(&url, json!({"cpu": 1.0})).await;
    assert_eq!(asleep(&stack, "computing", 5 * SOON).await["reason"], "idle");
}

#[tokio::test]
async fn a_task_that_its_app_protects_is_in_use_until_it_no_longer_does() {
    let stack = Stack::connect();
    let service = Service::new("protected")
        .tag("signals", "protection")
        .tag("idle-after", "15s")
        .tag("grace", "0s");
    let service = service.create(&stack).await;
    stack.wake("GET", "/protected").send().await;
    ready(&stack, "protected").await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    let tasks = ecs
        .list_tasks()
        .cluster("protected")
        .service_name(service)
        .send()
        .await;
    let task = tasks.expect("tasks").task_arns()[0].clone();
    let protect = async |enabled| {
        let call = ecs.update_task_protection().cluster("protected").tasks(&task);
        call.protection_enabled(enabled).send().await.expect("protection");
    };
    protect(true).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(tick(&stack, "protected").await["decision_reason"], "in-use");
    protect(false).await;
    assert_eq!(asleep(&stack, "protected", 2 * SOON).await["reason"], "idle");
}

#[tokio::test]
async fn a_signal_that_cannot_be_read_never_puts_to_sleep() {
    let stack = Stack::connect();
    for (group, tag, value) in [
        ("unread-connections", "connections", ":8080/healthz"),
        ("unread-logs", "log-group", "/ecs/nosuchloggroup"),
    ] {
        let service = Service::new(group)
            .tag(tag, value)
            .tag("idle-after", "1s")
            .tag("grace", "0s");
        service.create(&stack).await;
        stack.wake("GET", &format!("/{group}")).send().await;
        ready(&stack, group).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let answer = tick(&stack, group).await;
        assert_eq!(
            (&answer["phase"], &answer["decision_reason"]),
            (&json!("awake"), &json!("signal-unknown")),
            "{answer}"
        );
    }
}
