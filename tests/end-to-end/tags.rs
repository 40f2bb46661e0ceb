//! Tags that are changed while a group is awake.

use std::time::Duration;

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::asleep;
use crate::waking::ready;

/// A tick a minute reads all tags.
const WITHIN: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_bad_tag_is_named_and_changes_nothing_and_a_good_one_holds_within_two_minutes() {
    let stack = Stack::connect();
    let group = "retagged";
    let service = Service::new(group).sleeps_after("1h").create(&stack).await;
    stack.wake("GET", "/retagged").send().await;
    ready(&stack, group).await;

    stack.tag(group, &service, "idle-after", "soon").await;
    let status = eventually("the bad tag shows in the status", WITHIN, || async {
        let status = stack.status(group).await;
        (status["errors"][0]["code"] == "InvalidTag").then_some(status)
    })
    .await;
    let message = status["errors"][0]["message"].as_str().expect("a message");
    for part in [
        "service `retagged/retagged-web`",
        "tag `dormouse:idle-after`",
        "value `soon`",
        "must be whole numbers with a unit",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(
        (&status["phase"], &status["services"][0]["ready"]),
        (&json!("awake"), &json!(true)),
        "its last good settings hold: {status}"
    );

    stack.tag(group, &service, "idle-after", "1s").await;
    let status = asleep(&stack, group, WITHIN).await;
    assert_eq!(
        (&status["reason"], &status["errors"]),
        (&json!("fixed-time-over"), &json!([])),
        "{status}"
    );
}
