//! Log lines, as a door and as a sign of life.

use std::time::{Duration, Instant};

use end_to_end::{Service, Stack, eventually};
use serde_json::json;

use crate::sleeping::{asleep, decisions, tick};
use crate::waking::ready;

const NOW: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_line_in_the_templates_log_group_wakes_all_services_of_the_group() {
    let stack = Stack::connect();
    let listening = |name: &str| {
        Service::new("logged")
            .named(name)
            .tag("log-group", "/ecs/front")
            .tag("log-pattern", "/api/")
            .sleeps_after("10m")
    };
    listening("logged-api").create(&stack).await;
    listening("logged-web").create(&stack).await;
    tick(&stack, "logged").await;
    stack.create_log_stream("/ecs/front").await;
    stack.put_logs("/ecs/front", NOW, &["GET /healthz 200"]).await;
    assert_eq!(stack.status("logged").await["phase"], "asleep");
    stack
        .put_logs(
            "/ecs/front",
            NOW,
            &["GET /healthz 200", "GET /api/items 503 \u{1f9c0}"],
        )
        .await;
    let status = ready(&stack, "logged").await;
    assert_eq!(
        (&status["cause"], &status["generation"]),
        (&json!("logs"), &json!(1))
    );
    assert_eq!(status["services"].as_array().map(Vec::len), Some(2));
    let line = eventually("the wake's line is in the log", SOON, || async {
        let lines = decisions(&stack, "LogPatternTriggerFunctionName", "logged").await;
        lines.into_iter().find(|line| line["decision"] == "wake")
    })
    .await;
    assert_eq!((&line["cause"], &line["generation"]), (&json!("logs"), &json!(1)));
}

#[tokio::test]
async fn lines_keep_it_awake_and_their_absence_puts_it_to_sleep() {
    let stack = Stack::connect();
    stack.create_log_group("/ecs/busy").await;
    let service = Service::new("busy")
        .tag("log-group", "/ecs/busy")
        .tag("log-pattern", "/api/")
        .tag("idle-after", "20s")
        .tag("grace", "0s");
    service.create(&stack).await;
    stack.wake("GET", "/busy").send().await;
    ready(&stack, "busy").await;

    // Nobody is subscribed yet: only the search before sleep can know of these.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        stack.put_logs("/ecs/busy", NOW, &["GET /api/items 200"]).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let answer = tick(&stack, "busy").await;
    assert_eq!(
        (&answer["phase"], &answer["decision_reason"]),
        (&json!("awake"), &json!("in-use")),
        "{answer}"
    );

    // Lines that do not match are no use; quiet is known a minute late.
    let begun = Instant::now();
    let status = asleep(&stack, "busy", Duration::from_secs(240)).await;
    assert_eq!(status["reason"], "idle");
    assert!(begun.elapsed() > Duration::from_secs(60), "{:?}", begun.elapsed());
}
