//! Schedules, buses, state machines and changes of tasks.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::{asleep, decisions};
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_schedule_puts_it_to_sleep() {
    let stack = Stack::connect();
    Service::new("scheduled").sleeps_after("10m").create(&stack).await;
    stack.wake("GET", "/scheduled").send().await;
    ready(&stack, "scheduled").await;
    let sleep = json!({"group": "scheduled", "action": "sleep"});
    stack
        .put_schedule("end-of-work", "rate(1 minute)", "WakeFunctionName", &sleep)
        .await;
    let status = asleep(&stack, "scheduled", 2 * SOON).await;
    stack.delete_rule("end-of-work").await;
    assert_eq!(
        (&status["reason"], &status["cause"]),
        (&json!("sleep-asked"), &json!("direct"))
    );
}

#[tokio::test]
async fn an_event_of_ones_own_wakes_it() {
    let stack = Stack::connect();
    Service::new("announced").sleeps_after("10m").create(&stack).await;
    let pattern = json!({"source": ["my.releases"]});
    stack.put_rule("releases", &pattern, "WakeFunctionName").await;
    let call = json!({"group": "announced", "action": "wake"});
    stack.put_event("my.releases", "Release", &call).await;
    let status = ready(&stack, "announced").await;
    assert_eq!(
        (&status["cause"], &status["generation"]),
        (&json!("eventbridge"), &json!(1))
    );
    stack.delete_rule("releases").await;
}

#[tokio::test]
async fn another_state_machine_wakes_it_and_all_reports_of_the_wake_agree() {
    let stack = Stack::connect();
    Service::new("stepped").sleeps_after("10m").create(&stack).await;
    let wake = json!({"group": "stepped", "action": "wake", "desired_count": 2});
    let answer = stack
        .invoke_from_state_machine("deploy", "WakeFunctionName", &wake)
        .await;
    let answer = answer.expect("an answer");
    assert_eq!(
        (&answer["decision"], &answer["cause"]),
        (&json!("wake"), &json!("direct"))
    );
    let status = ready(&stack, "stepped").await;
    assert_eq!(status["services"][0]["desired"], 2);
    let line = eventually("the wake's line is in the log", SOON, || async {
        let lines = decisions(&stack, "WakeFunctionName", "stepped").await;
        lines.into_iter().find(|line| line["decision"] == "wake")
    })
    .await;
    for field in ["cause", "generation"] {
        assert_eq!(
            (&answer[field], &answer[field]),
            (&status[field], &line[field]),
            "{field}"
        );
    }
    let unknown = json!({"group": "nosuchgroup", "action": "wake"});
    let refused = stack
        .invoke_from_state_machine("deploy-nothing", "WakeFunctionName", &unknown)
        .await;
    assert_eq!(
        refused.expect_err("no such group")["error"],
        "UnknownGroup",
        "a code to match"
    );
}

#[tokio::test]
async fn a_wake_that_nobody_watches_moves_on_when_its_tasks_run() {
    let stack = Stack::connect();
    Service::new("unwatched").sleeps_after("10m").create(&stack).await;
    let wake = json!({"group": "unwatched", "action": "wake"});
    stack.invoke("WakeFunctionName", &wake).await.expect("a wake");
    eventually("its task's change was heard", SOON, || async {
        let lines = decisions(&stack, "AutoSleepFunctionName", "unwatched").await;
        lines.into_iter().find(|line| line["cause"] == "task-state")
    })
    .await;
}
