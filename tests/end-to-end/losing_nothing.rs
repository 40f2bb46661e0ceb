//! Nothing accepted is lost.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::{Value, json};

use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_event_that_fails_is_tried_again_and_at_last_kept_with_its_cause() {
    let stack = Stack::connect();
    let event = json!({"group": "kept-for-later", "action": "wake"});
    stack.invoke_async("WakeFunctionName", &event).await;
    let letter: Value = eventually("the event lies in the dead-letter queue", SOON, || async {
        let letters = stack.dead_letters().await;
        let bodies = letters.iter().map(|letter| letter.json());
        bodies.into_iter().find(|body| body["requestPayload"] == event)
    })
    .await;
    assert_eq!(letter["responsePayload"]["errorType"], "UnknownGroup", "{letter}");
    let cause = letter["responsePayload"]["errorMessage"]
        .as_str()
        .expect("a cause");
    assert!(cause.contains("`kept-for-later`"), "{cause}");
    let lines = stack.log("WakeFunctionName").await;
    let tries = lines
        .iter()
        .filter(|line| line.to_string().contains("`kept-for-later`"))
        .count();
    assert_eq!(tries, 3, "twice again after the first");
}

#[tokio::test]
async fn an_event_that_comes_too_early_is_tried_again_until_it_works() {
    let stack = Stack::connect();
    let event = json!({"group": "late", "action": "wake"});
    stack.invoke_async("WakeFunctionName", &event).await;
    eventually("the first try has failed", SOON, || async {
        let lines = stack.log("WakeFunctionName").await;
        lines.into_iter().find(|line| line.to_string().contains("`late`"))
    })
    .await;
    Service::new("late").sleeps_after("10m").create(&stack).await;
    let status = ready(&stack, "late").await;
    assert_eq!(
        (&status["cause"], &status["generation"]),
        (&json!("direct"), &json!(1))
    );
}

#[tokio::test]
async fn one_of_five_services_denied_wakes_four_and_the_tick_wakes_the_fifth() {
    let stack = Stack::connect();
    for n in 1..=5 {
        let service = Service::new("five")
            .named(&format!("five-{n}"))
            .sleeps_after("10m");
        service.create(&stack).await;
    }
    let fault = json!({
        "operation": "UpdateService", "code": "AccessDeniedException", "resource": "five-3", "times": 1,
        "message": "User is not authorized to perform: ecs:UpdateService",
    });
    stack.sim("POST", "faults", Some(fault)).await;
    let wake = json!({"group": "five", "action": "wake"});
    let answer = stack.invoke("WakeFunctionName", &wake).await.expect("an answer");
    assert_eq!(answer["decision"], "wake", "{answer}");
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        (&errors[0]["service"], &errors[0]["code"]),
        (&json!("five/five-3"), &json!("AccessDenied"))
    );
    assert!(
        errors[0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("not authorized")),
        "{errors:?}"
    );
    for n in [1, 2, 4, 5] {
        assert_eq!(stack.calls("UpdateService", &format!("five-{n}")).await.len(), 1);
    }
    // Nobody asks; ticks and changes of tasks alone try again.
    eventually("the fifth is woken too", 2 * SOON, || async {
        let calls = stack.calls("UpdateService", "five-3").await;
        (calls.len() == 2).then_some(())
    })
    .await;
    ready(&stack, "five").await;
}
