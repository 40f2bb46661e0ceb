//! From less load to fewer tasks: late and told once, or never.

use std::time::Duration;

use end_to_end::{Notices, Service, Stack, Updates, eventually, now};
use serde_json::{Value, json};

use super::{SOON, WATCHED, awake, connected, load, running, sample};

const GROUP: &str = "lulls";
/// A load must have been low for so long before tasks may leave: the policy's stable window.
const STABLE_WINDOW: Duration = Duration::from_secs(5 * 60);
/// Seldom enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// From two to six tasks, with at most ten connections each.
fn service(name: &str) -> Service {
    connected(GROUP)
        .named(name)
        .desired(2)
        .tag("target", "10")
        .tag("min", "2")
        .tag("max", "6")
}

/// What people were told about a service: event and counts.
async fn told(stack: &Stack, notices: &Notices, service: &str) -> Vec<Value> {
    let mut told = notices.of(stack, GROUP).await;
    told.retain(|notice| notice["service"] == format!("{GROUP}/{service}"));
    let brief = |n: &Value| json!([n["event"], n["from"], n["to"], n["reason"]["code"]]);
    told.iter().map(brief).collect()
}

#[tokio::test]
async fn tasks_leave_after_five_quiet_minutes_and_with_scale_in_off_never() {
    let stack = Stack::connect();
    let (shrinks, stays) = ("lulls-shrinks", "lulls-stays");
    let both = [shrinks, stays];
    service(shrinks).create(&stack).await;
    service(stays).tag("scale-in", "off").create(&stack).await;
    let notices = Notices::listen(&stack, GROUP).await;
    awake(&stack, GROUP).await;
    let updates = Updates::from_now(&stack).await;
    let counts = |service| updates.known(service).iter().map(|u| u.count).collect::<Vec<_>>();

    // 42 connections are five tasks' work.
    for name in both {
        let tasks = running(&stack, GROUP, name, 2).await;
        load(&tasks[0], 42).await;
    }
    for name in both {
        eventually(&format!("{name} is scaled out"), WATCHED, || async {
            (!updates.of(&stack, name).await.is_empty()).then_some(())
        })
        .await;
        running(&stack, GROUP, name, 5).await;
    }

    let quiet = now();
    for task in stack.running(GROUP).await {
        load(&task, 0).await;
    }
    while now().duration_since(quiet).unsigned_abs() < STABLE_WINDOW {
        tokio::time::sleep(LOOK_EVERY).await;
        updates.look(&stack).await;
        let running = stack.running(GROUP).await.len();
        let left = now().duration_since(quiet).unsigned_abs();
        assert!(
            running == 10 || left >= STABLE_WINDOW,
            "{running} of 10 tasks run, {left:?} after the load has gone"
        );
    }
    eventually("three tasks of five are to leave", 2 * SOON, || async {
        (updates.of(&stack, shrinks).await.len() > 1).then_some(())
    })
    .await;
    let lowered = updates.known(shrinks)[1].at;
    assert!(
        lowered.duration_since(quiet).unsigned_abs() >= STABLE_WINDOW,
        "the load has gone at {quiet}, and the count was lowered at {lowered}"
    );
    running(&stack, GROUP, shrinks, 2).await;
    running(&stack, GROUP, stays, 5).await;

    eventually("people are told", SOON, || async {
        (told(&stack, &notices, shrinks).await.len() > 1).then_some(())
    })
    .await;
    let seen = sample(&stack, &format!("{GROUP}/{stays}"))
        .await
        .expect("a sample");
    assert_eq!(
        (&seen["decision"], &seen["reason"], &seen["total"]),
        (&json!("hold"), &json!({"code": "scale-in-off"}), &json!(0)),
        "{seen}"
    );
    updates.look(&stack).await;
    assert_eq!((counts(shrinks), counts(stays)), (vec![5, 2], vec![5]));
    let out = json!(["scaled-out", 2, 5, "target-above"]);
    let r#in = json!(["scaled-in", 5, 2, "low-for-stable-window"]);
    assert_eq!(
        told(&stack, &notices, shrinks).await,
        [out.clone(), r#in],
        "once each"
    );
    assert_eq!(told(&stack, &notices, stays).await, [out], "once");
}
