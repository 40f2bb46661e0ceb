//! Alarms, from the metric to the tasks.

use std::time::Duration;

use end_to_end::{Balancer, Metric, Request, Service, Stack, eventually};
use serde_json::{Value, json};

use crate::sleeping::{decisions, tick};
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

/// A group asleep behind a load balancer, as a tick has seen it.
async fn asleep_behind(stack: &Stack, group: &str, balancer: &Balancer) {
    Service::new(group)
        .behind(balancer)
        .sleeps_after("10m")
        .create(stack)
        .await;
    let seen = tick(stack, group).await;
    assert_eq!(seen["phase"], "asleep");
}

async fn woken_by_alarm(stack: &Stack, group: &str) {
    let status = ready(stack, group).await;
    assert_eq!(
        (&status["cause"], &status["generation"]),
        (&json!("alarm"), &json!(1))
    );
    let line: Value = eventually("the wake's line is in the log", SOON, || async {
        let lines = decisions(stack, "WakeFunctionName", group).await;
        lines.into_iter().find(|line| line["decision"] == "wake")
    })
    .await;
    assert_eq!(
        (&line["cause"], &line["generation"]),
        (&json!("alarm"), &json!(1))
    );
}

#[tokio::test]
async fn a_request_that_finds_nobody_home_wakes_the_group_through_the_templates_alarm() {
    let stack = Stack::connect();
    let balancer = Balancer::watched(&stack, "nobody-home", 9103).await;
    asleep_behind(&stack, "nobody-home", &balancer).await;
    // 503s of other tests may have raised it already: alarms of this stack look at the metric's name alone.
    let alarm = stack.template_alarm().await;
    stack.set_alarm_state(&alarm, "OK").await;
    eventually("the alarm wakes the group", SOON, || async {
        let answer = Request::new("GET", &balancer.address).send().await;
        stack.sim("POST", "metrics/flush", None).await;
        (answer.status == 503 && stack.status("nobody-home").await["generation"] == 1).then_some(())
    })
    .await;
    woken_by_alarm(&stack, "nobody-home").await;
}

#[tokio::test]
async fn an_existing_alarm_that_names_the_topic_wakes_the_group_of_its_target_group() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "watched", 9104).await;
    asleep_behind(&stack, "watched", &balancer).await;
    let target_group = balancer.target_group.rsplit(':').next().expect("a name");
    let metric = Metric {
        namespace: "AWS/ApplicationELB",
        name: "UnHealthyRoutingRequestCount",
        dimensions: &[("TargetGroup", target_group)],
    };
    stack
        .put_alarm("an-existing-one", metric, stack.output("AlarmTopicArn"))
        .await;
    stack.set_alarm_state("an-existing-one", "OK").await;
    assert_eq!(
        stack.status("watched").await["phase"],
        "asleep",
        "OK is no reason to wake"
    );
    stack.set_alarm_state("an-existing-one", "ALARM").await;
    woken_by_alarm(&stack, "watched").await;
}
