//! A service that Application Auto Scaling scales.

use std::time::Duration;

use aws_sdk_applicationautoscaling::types::SuspendedState;
use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::{asleep, decisions};
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);
/// The first tick after two minutes, in which a late sleep might still land, gives it back.
const TICKS_LATER: Duration = Duration::from_secs(210);

#[tokio::test]
async fn a_scaled_service_sleeps_at_0_and_is_scaled_as_before_when_it_is_awake() {
    let stack = Stack::connect();
    let service = Service::new("bounded")
        .sleeps_after("10m")
        .desired(3)
        .create(&stack)
        .await;
    let id = format!("bounded/{service}");
    let suspended = SuspendedState::builder()
        .dynamic_scaling_in_suspended(true)
        .dynamic_scaling_out_suspended(false)
        .scheduled_scaling_suspended(false)
        .build();
    stack.scale_by_policy(&id, 2, 6, suspended).await;
    let before = stack.scalable_target(&id).await;
    stack.wake("POST", "/bounded/-/wake").send().await;
    ready(&stack, "bounded").await;

    let sleep = json!({"group": "bounded", "action": "sleep"});
    let answer = stack.invoke("AutoSleepFunctionName", &sleep).await;
    assert_eq!(answer.expect("an answer")["phase"], "falling-asleep");
    asleep(&stack, "bounded", SOON).await;
    let held = stack.scalable_target(&id).await;
    assert_eq!((held.min_capacity(), held.max_capacity()), (2, 6));
    let all = SuspendedState::builder()
        .dynamic_scaling_in_suspended(true)
        .dynamic_scaling_out_suspended(true)
        .scheduled_scaling_suspended(true)
        .build();
    assert_eq!(held.suspended_state(), Some(&all));
    // Were it not for that, it would be scaled out to 2 within a second.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let status = stack.status("bounded").await;
    assert_eq!(
        (&status["phase"], &status["services"][0]["desired"]),
        (&json!("asleep"), &json!(0))
    );

    stack.wake("POST", "/bounded/-/wake").send().await;
    let status = ready(&stack, "bounded").await;
    assert_eq!(status["services"][0]["desired"], 3);
    eventually("the target is as before", TICKS_LATER, || async {
        (stack.scalable_target(&id).await == before).then_some(())
    })
    .await;
    assert_eq!(counts(&stack, &service).await, [json!(0), json!(3)]);

    let line = eventually("the sleep's line is in the log", SOON, || async {
        let lines = decisions(&stack, "AutoSleepFunctionName", "bounded").await;
        lines.into_iter().find(|line| line["decision"] == "sleep")
    })
    .await;
    assert_eq!(
        line["bounds"],
        json!([format!("{id} suspended: min 2, max 6")]),
        "{line}"
    );
}
