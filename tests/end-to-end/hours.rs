//! Hours in which a group is kept awake.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::{asleep, tick};
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn it_is_woken_and_kept_awake_in_its_hours_and_stays_asleep_for_whoever_wants_it_asleep() {
    let stack = Stack::connect();
    let group = "hours";
    let service = Service::new(group)
        .sleeps_after("1s")
        .tag("awake", "Daily 00:00-24:00 Europe/Warsaw");
    let service = service.create(&stack).await;
    // Nobody asks for it but its hours. The first tick that knows its tags wakes it.
    let woken = eventually("its hours wake it", SOON, || async {
        let seen = tick(&stack, group).await;
        (seen["phase"] != "asleep").then_some(seen)
    })
    .await;
    assert_eq!(woken["reason"], "in-hours", "{woken}");
    ready(&stack, group).await;
    // Its idle time is long over.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let seen = tick(&stack, group).await;
    assert_eq!(
        (&seen["phase"], &seen["decision_reason"]),
        (&json!("awake"), &json!("in-hours")),
        "{seen}"
    );

    let sleep = json!({"group": group, "action": "sleep"});
    stack
        .invoke("AutoSleepFunctionName", &sleep)
        .await
        .expect("a sleep");
    asleep(&stack, group, SOON).await;
    let seen = tick(&stack, group).await;
    assert_eq!(
        (&seen["phase"], &seen["reason"]),
        (&json!("asleep"), &json!("sleep-asked")),
        "{seen}"
    );
    assert_eq!(
        counts(&stack, &service).await,
        [json!(1), json!(0)],
        "it is not woken again"
    );
}
