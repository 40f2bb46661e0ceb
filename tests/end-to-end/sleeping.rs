//! From an idle service to none.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually, faulty, status_when};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);

pub(crate) async fn asleep(stack: &Stack, group: &str, limit: Duration) -> Value {
    status_when(stack, group, "asleep", limit, |status| {
        status["phase"] == "asleep"
    })
    .await
}

/// The answer to a tick of the group.
pub(crate) async fn tick(stack: &Stack, group: &str) -> Value {
    let tick = json!({"group": group, "action": "tick"});
    let answer = stack.invoke("AutoSleepFunctionName", &tick).await;
    answer.expect("a tick")
}

/// The decision lines of a group in a function's log.
pub(crate) async fn decisions(stack: &Stack, function: &str, group: &str) -> Vec<Value> {
    let lines = stack.log(function).await;
    lines
        .into_iter()
        .filter(|line| line["event"] == "decision" && line["group"] == group)
        .collect()
}

#[tokio::test]
async fn the_timer_puts_an_idle_group_to_sleep_and_a_wake_gives_its_count_back() {
    let stack = Stack::connect();
    let service = Service::new("timed")
        .sleeps_after("12s")
        .desired(2)
        .create(&stack)
        .await;
    stack.wake("POST", "/timed/-/wake").send().await;
    ready(&stack, "timed").await;
    let status = asleep(&stack, "timed", SOON).await;
    assert_eq!(
        (&status["reason"], &status["services"][0]["running"]),
        (&json!("fixed-time-over"), &json!(0))
    );
    assert_eq!(counts(&stack, &service).await, [json!(0)]);

    stack.wake("GET", "/timed").send().await;
    let status = ready(&stack, "timed").await;
    assert_eq!(
        (&status["generation"], &status["services"][0]["desired"]),
        (&json!(2), &json!(2))
    );
    asleep(&stack, "timed", SOON).await;
    assert_eq!(counts(&stack, &service).await, [json!(0), json!(2), json!(0)]);

    let slept = eventually("the decisions' lines are in the log", SOON, || async {
        let mut lines = decisions(&stack, "AutoSleepFunctionName", "timed").await;
        lines.retain(|line| line["decision"] == "sleep");
        (lines.len() == 2).then_some(lines)
    })
    .await;
    for line in &slept {
        assert_eq!(line["reason"], "fixed-time-over", "{line}");
        assert!(
            line["request_id"].as_str().is_some_and(|id| !id.is_empty()),
            "{line}"
        );
    }
    // The minute's tick may come right between the deadline and the timer's look, but not twice. Under faults the timer may
    // have to try again, and the tick is what does not wait for it.
    assert!(
        faulty() || slept.iter().any(|line| line["cause"] == "sleep-timer"),
        "{slept:?}"
    );
}

#[tokio::test]
async fn two_ticks_at_once_do_the_work_of_one() {
    let stack = Stack::connect();
    // The tick of the schedule may come in between; it must not do the work again either.
    let service = Service::new("twice")
        .tag("signals", "none")
        .tag("idle-after", "1s")
        .tag("grace", "5s");
    let service = service.create(&stack).await;
    stack.wake("GET", "/twice").send().await;
    ready(&stack, "twice").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let tick = json!({"group": "twice", "action": "tick"});
    let (one, other) = join(
        stack.invoke("AutoSleepFunctionName", &tick),
        stack.invoke("AutoSleepFunctionName", &tick),
    )
    .await;
    one.expect("a tick");
    other.expect("a tick");
    asleep(&stack, "twice", SOON).await;
    assert_eq!(counts(&stack, &service).await, [json!(1), json!(0)]);
}

#[tokio::test]
async fn a_wake_while_falling_asleep_wins() {
    let stack = Stack::connect();
    let service = Service::new("torn").sleeps_after("10m").create(&stack).await;
    stack.wake("GET", "/torn").send().await;
    ready(&stack, "torn").await;
    let sleep = stack
        .invoke(
            "AutoSleepFunctionName",
            &json!({"group": "torn", "action": "sleep"}),
        )
        .await;
    assert_eq!(sleep.expect("an answer")["phase"], "falling-asleep");
    let woken = stack.wake("POST", "/torn/-/wake").send().await.json();
    assert_eq!(
        (&woken["phase"], &woken["generation"]),
        (&json!("waking"), &json!(2))
    );
    let status = ready(&stack, "torn").await;
    assert_eq!(
        (&status["generation"], &status["services"][0]["desired"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(counts(&stack, &service).await, [json!(1), json!(0), json!(1)]);
    let old = json!({"action": "sleep-timer", "group": "torn", "generation": 1});
    let answer = stack
        .invoke("AutoSleepFunctionName", &old)
        .await
        .expect("an answer");
    assert_eq!(answer["outcome"], "superseded");
}

#[tokio::test]
async fn keep_awake_holds() {
    let stack = Stack::connect();
    Service::new("kept").sleeps_after("5s").create(&stack).await;
    let kept = json!({"group": "kept", "action": "keep-awake", "for": "1h"});
    let answer = stack.invoke("WakeFunctionName", &kept).await.expect("an answer");
    assert!(answer["override_until"].is_string(), "{answer}");
    ready(&stack, "kept").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let answer = tick(&stack, "kept").await;
    assert_eq!(
        (&answer["phase"], &answer["decision_reason"]),
        (&json!("awake"), &json!("kept-awake"))
    );
    let forbidden = stack.wake("POST", "/kept/-/sleep").send().await;
    assert_eq!(forbidden.status, 403);
}
