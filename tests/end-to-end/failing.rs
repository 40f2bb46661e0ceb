//! When it cannot become ready.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::{Value, json};

use crate::sleeping::asleep;
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);
/// Two ticks: what the timer has handed over is done by then.
const TWO_TICKS: Duration = Duration::from_secs(150);

async fn failing(stack: &Stack, group: &str, limit: Duration) -> String {
    eventually(&format!("{group} is failing"), limit, || async {
        let service = stack.status(group).await["services"][0].clone();
        (service["stage"] == "failing").then(|| service["detail"].as_str().unwrap_or_default().to_owned())
    })
    .await
}

async fn fault(stack: &Stack, service: &str, code: &str, message: &str) {
    let fault = json!({"operation": "UpdateService", "code": code, "message": message, "status": 400, "resource": service});
    stack.sim("POST", "faults", Some(fault)).await;
}

#[tokio::test]
async fn a_denied_and_a_throttled_update_say_so_and_are_tried_again() {
    let stack = Stack::connect();
    let denied = Service::new("denied").sleeps_after("10m").create(&stack).await;
    let throttled = Service::new("throttled").sleeps_after("10m").create(&stack).await;
    fault(
        &stack,
        &denied,
        "AccessDeniedException",
        "User is not authorized to perform: ecs:UpdateService",
    )
    .await;
    fault(&stack, &throttled, "ThrottlingException", "Rate exceeded").await;

    let answer = stack.wake("GET", "/denied").send().await;
    let error = answer.json()["errors"][0].clone();
    assert_eq!((answer.status, &error["code"]), (502, &json!("AccessDenied")));
    assert!(
        error["message"]
            .as_str()
            .expect("text")
            .contains("not authorized to perform"),
        "{error}"
    );
    let page = stack.wake("GET", "/denied").browser().send().await;
    assert!(page.body.contains("not authorized to perform"), "{}", page.body);

    let answer = stack.wake("GET", "/throttled").send().await;
    assert_eq!(
        (answer.status, &answer.json()["errors"][0]["code"]),
        (503, &json!("Throttled"))
    );

    stack.sim("DELETE", "faults", None).await;
    eventually("both are tried again", SOON, || async {
        stack.wake("GET", "/denied").send().await;
        stack.wake("GET", "/throttled").send().await;
        let ready = [stack.status("denied").await, stack.status("throttled").await];
        ready.iter().all(|status| status["ready"] == true).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_crash_loop_is_reported_in_ecs_words_and_still_put_to_sleep() {
    let stack = Stack::connect();
    Service::new("crashing")
        .command("crash")
        .sleeps_after("15s")
        .create(&stack)
        .await;
    stack.wake("GET", "/crashing").send().await;
    let detail = failing(&stack, "crashing", SOON).await;
    assert!(
        detail.starts_with("Essential container in task exited"),
        "{detail}"
    );
    // A look that ECS throttles, because of the other tests, does not know why.
    eventually("the page says it too", SOON, || async {
        let page = stack.wake("GET", "/crashing").browser().send().await;
        page.body
            .contains("Essential container in task exited")
            .then_some(())
    })
    .await;
    // It answers for a moment before each crash, so either its time is over or nothing answered for as long.
    let status = asleep(&stack, "crashing", TWO_TICKS).await;
    assert!(
        matches!(
            status["reason"].as_str(),
            Some("nothing-answers" | "fixed-time-over")
        ),
        "{status}"
    );
}

#[tokio::test]
async fn a_missing_image_is_reported_in_ecs_words() {
    let stack = Stack::connect();
    Service::new("imageless")
        .image("example/missing:1")
        .sleeps_after("15s")
        .create(&stack)
        .await;
    stack.wake("GET", "/imageless").send().await;
    let detail = failing(&stack, "imageless", SOON).await;
    assert!(detail.contains("CannotPullContainerError"), "{detail}");
}

#[tokio::test]
async fn a_task_stuck_in_pending_is_failing_after_the_wake_timeout_and_still_put_to_sleep() {
    let stack = Stack::connect();
    Service::new("stuck")
        .variable("SIM_PENDING", "forever")
        .sleeps_after("10s")
        .create(&stack)
        .await;
    stack.wake("GET", "/stuck").send().await;
    let detail = failing(&stack, "stuck", TWO_TICKS).await;
    assert_eq!(detail, "not ready within 1m30s: pulling the image");
    let status = asleep(&stack, "stuck", TWO_TICKS).await;
    assert_eq!(status["reason"], "nothing-answers");
}

#[tokio::test]
async fn a_service_that_was_deleted_is_a_named_error() {
    let stack = Stack::connect();
    let service = Service::new("deleted").sleeps_after("10m").create(&stack).await;
    stack.wake("GET", "/deleted").send().await;
    ready(&stack, "deleted").await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    ecs.delete_service()
        .cluster("deleted")
        .service(&service)
        .force(true)
        .send()
        .await
        .expect("deleted");
    // Answers are shared for a second.
    let answer = eventually("the deletion is seen", SOON, || async {
        let answer = stack.wake("GET", "/deleted").send().await;
        (answer.status != 307).then_some(answer)
    })
    .await;
    let codes: Vec<Value> = answer.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|e| e["code"].clone())
        .collect();
    assert!(matches!(answer.status, 404 | 502), "{answer:?}");
    assert!(
        codes.contains(&json!("ServiceNotFound")) || codes.contains(&json!("UnknownGroup")),
        "{codes:?}"
    );
    assert_eq!(counts(&stack, &service).await, [json!(1)]);
}
