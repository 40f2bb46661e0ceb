//! Stages of a pipeline.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::decisions;
use crate::waking::counts;

const SOON: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_stage_waits_until_the_group_is_ready() {
    let stack = Stack::connect();
    let service = Service::new("staged").sleeps_after("10m").create(&stack).await;
    let parameters = json!({"group": "staged", "desired_count": 2, "idle_after": "20m", "wait": true});
    let id = stack.start_job("WakeFunctionName", &parameters.to_string()).await;
    let job = stack.finished_job(&id, SOON).await;
    assert_eq!(job["status"], "Succeeded", "{job}");
    assert!(
        job["invocations"].as_u64().is_some_and(|n| n > 1),
        "it waited: {job}"
    );
    let status = stack.status("staged").await;
    assert_eq!(
        (&status["ready"], &status["cause"], &status["generation"]),
        (&json!(true), &json!("pipeline"), &json!(1))
    );
    assert_eq!(counts(&stack, &service).await, [json!(2)]);
    let lines = decisions(&stack, "WakeFunctionName", "staged").await;
    let wake = lines
        .iter()
        .find(|line| line["decision"] == "wake")
        .expect("a line");
    assert_eq!(
        (&wake["cause"], &wake["generation"]),
        (&json!("pipeline"), &json!(1))
    );

    // Delivered once more: the pipeline refuses the result, and the function does not take that for an error.
    stack.invoke_job(&id).await;
    let results = eventually("the repetition is answered", SOON, || async {
        let results = stack.job(&id).await["results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        results
            .last()
            .is_some_and(|last| !last["refused"].is_null())
            .then_some(results)
    })
    .await;
    assert_eq!(
        results.last().expect("a result")["refused"],
        "InvalidJobStateException"
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = stack.job(&id).await["results"].as_array().map(Vec::len);
    assert_eq!(after, Some(results.len()), "and is not tried again");
}

#[tokio::test]
async fn a_stage_that_does_not_wait_succeeds_at_once() {
    let stack = Stack::connect();
    let service = Service::new("unstaged").sleeps_after("10m").create(&stack).await;
    let id = stack.start_job("WakeFunctionName", "unstaged").await;
    let job = stack.finished_job(&id, SOON).await;
    assert_eq!(
        (&job["status"], &job["invocations"]),
        (&json!("Succeeded"), &json!(1))
    );
    assert_eq!(counts(&stack, &service).await, [json!(1)]);
}

#[tokio::test]
async fn a_broken_task_definition_fails_its_stage_in_ecs_words() {
    let stack = Stack::connect();
    Service::new("brokenstage")
        .image("example/missing:1")
        .sleeps_after("10m")
        .create(&stack)
        .await;
    let id = stack
        .start_job("WakeFunctionName", r#"{"group":"brokenstage","wait":true}"#)
        .await;
    let job = stack.finished_job(&id, SOON).await;
    assert_eq!(
        (&job["status"], &job["failure"]["type"]),
        (&json!("Failed"), &json!("JobFailed"))
    );
    let message = job["failure"]["message"].as_str().expect("a message");
    assert!(message.contains("CannotPullContainerError"), "{message}");
}

#[tokio::test]
async fn parameters_that_make_no_sense_fail_their_stage_with_the_rule() {
    let stack = Stack::connect();
    let id = stack.start_job("WakeFunctionName", r#"{"group":"a/b"}"#).await;
    let job = stack.finished_job(&id, SOON).await;
    assert_eq!(job["failure"]["type"], "ConfigurationError");
    let message = job["failure"]["message"].as_str().expect("a message");
    assert!(
        message.contains("`a/b`") && message.contains("must be"),
        "{message}"
    );
}
