//! Readings for whoever asks.

use end_to_end::{Stack, eventually};
use serde_json::{Value, json};

use super::{SOON, awake, connected, load, running, sample};
use crate::waking::counts;

/// The sample of a service, once so many of its tasks have answered.
async fn sample_of(stack: &Stack, service: &str, tasks: u32) -> Value {
    eventually(&format!("{tasks} tasks of {service} answer"), SOON, || async {
        let seen = sample(stack, service).await.expect("a sample");
        (seen["sampled_tasks"] == tasks).then_some(seen)
    })
    .await
}

#[tokio::test]
async fn a_sample_tells_the_load_of_all_tasks_and_what_it_would_lead_to() {
    let stack = Stack::connect();
    let group = "sampled";
    let service = connected(group)
        .tag("target", "10")
        .tag("min", "2")
        .tag("max", "6");
    let service = service.desired(2).create(&stack).await;
    let id = format!("{group}/{service}");
    awake(&stack, group).await;
    let tasks = running(&stack, group, &service, 2).await;
    load(&tasks[0], 7).await;
    load(&tasks[1], 4).await;
    let seen = sample_of(&stack, &id, 2).await;
    assert_eq!(
        (&seen["group"], &seen["service"], &seen["from"]),
        (&json!(group), &json!(id), &json!(2))
    );
    assert_eq!(
        (&seen["total"], &seen["total_tasks"], &seen["avg"]),
        (&json!(11), &json!(2), &json!(5.5)),
        "{seen}"
    );
    assert_eq!(
        (&seen["decision"], &seen["reason"]),
        (
            &json!("hold"),
            &json!({"code": "enough", "total": 11, "needed": 2})
        ),
        "{seen}"
    );

    load(&tasks[0], 31).await;
    let seen = sample(&stack, &id).await.expect("a sample");
    assert_eq!(seen["total"], 35, "{seen}");
    // The watch may have been faster.
    let would = (&seen["decision"], &seen["from"], &seen["to"]);
    let raises = would == (&json!("scale-out"), &json!(2), &json!(4))
        && seen["reason"] == json!({"code": "target-above", "total": 35, "target": 10, "wanted": 4});
    let was_raised = would == (&json!("hold"), &json!(4), &Value::Null);
    assert!(
        raises || was_raised || seen["reason"]["code"] == "on-its-way",
        "{seen}"
    );
}

#[tokio::test]
async fn a_task_without_a_public_address_is_asked_at_its_private_one() {
    let stack = Stack::connect();
    let group = "unpublished";
    // More than one task is never wanted, so that nothing but the samples is of interest.
    let service = connected(group).private().tag("target", "10").tag("max", "1");
    let service = service.desired(1).create(&stack).await;
    let id = format!("{group}/{service}");
    stack.wake("POST", &format!("/{group}/-/wake")).send().await;
    let tasks = running(&stack, group, &service, 1).await;
    load(&tasks[0], 12).await;
    let seen = sample_of(&stack, &id, 1).await;
    assert_eq!(
        (&seen["total"], &seen["decision"], &seen["reason"]),
        (
            &json!(12),
            &json!("hold"),
            &json!({"code": "at-maximum", "max": 1})
        ),
        "{seen}"
    );
    assert_eq!(counts(&stack, &service).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_sample_that_cannot_be_taken_is_refused_with_the_reason() {
    let stack = Stack::connect();
    let group = "uncounted";
    let service = end_to_end::Service::new(group).sleeps_after("2h");
    let service = service.create(&stack).await;
    stack.status(group).await;
    let uncounted = json!({"action": "sample", "service": format!("{group}/{service}")});
    for (event, why) in [
        (uncounted, "has no tag `dormouse:connections`"),
        (
            json!({"action": "sample", "service": "nosuchcluster/web"}),
            "is not managed",
        ),
        (json!({"action": "sample", "service": "web"}), "cluster/service"),
        (json!({"action": "sample"}), "missing field `service`"),
        (
            json!({"action": "sample", "service": "a/b", "group": "a"}),
            "unknown field `group`",
        ),
    ] {
        let refusal = stack.invoke("ScalingDecisionFunctionName", &event).await;
        let refusal = refusal.expect_err("a refusal");
        assert_eq!(refusal["errorType"], "InvalidRequest", "{event}: {refusal}");
        let message = refusal["errorMessage"].as_str().unwrap_or_default();
        assert!(message.contains(why), "{event}: {refusal}");
    }
}
