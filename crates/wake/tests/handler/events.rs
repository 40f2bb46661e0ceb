//! EventBridge and direct calls.

use super::*;

#[tokio::test]
async fn an_eventbridge_event_whose_detail_is_a_call_does_what_it_says() {
    let world = asleep();
    let result = answer(&world, event("eventbridge-call.json")).await;
    assert_eq!(
        (&result["decision"], &result["cause"]),
        (&json!("wake"), &json!("eventbridge"))
    );
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn log_line_result_and_status_of_one_wake_agree() {
    for (event_name, cause) in [
        ("http-api-wake.json", "http"),
        ("direct-wake.json", "direct"),
        ("eventbridge-call.json", "eventbridge"),
        ("codepipeline-job.json", "pipeline"),
    ] {
        let world = asleep();
        answer(&world, event(event_name)).await;
        let status = body(&answer(&world, event("http-api-status.json")).await);
        assert_eq!(
            (&status["cause"], &status["generation"]),
            (&json!(cause), &json!(1)),
            "{event_name}"
        );
    }
}

#[tokio::test]
async fn what_is_not_understood_is_a_named_error() {
    for event in [
        json!({}),
        json!(null),
        event("sam-cloudwatch-scheduled-event.json"),
        event("sam-cloudwatch-logs.json"),
        json!({"detail-type": "Dormouse", "detail": {"group": "dev"}}),
        json!({"CodePipeline.job": {}}),
    ] {
        let error = wake::handle(&asleep(), &config(&[]), event.clone(), "r").await;
        assert_eq!(
            error.expect_err("no answer").code,
            Code::InvalidRequest,
            "{event}"
        );
    }
}
