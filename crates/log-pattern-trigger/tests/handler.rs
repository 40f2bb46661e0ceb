//! The log-pattern-trigger function from event to record, over a world in memory. Every event of `events/` that this
//! function understands goes through the whole handler.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_core::error::Code;
use dormouse_core::intent::Cause;
use dormouse_core::ports::Clock;
use dormouse_testkit::{START, World, config, event};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

const TAGS: &[(&str, &str)] = &[
    ("dormouse:group", "dev"),
    ("dormouse:log-group", "/ecs/web"),
    ("dormouse:log-pattern", "/api/v1/"),
    ("dormouse:idle-after", "10m"),
    ("dormouse:grace", "0s"),
];

async fn call(world: &World, event: Value) -> Value {
    log_pattern_trigger::handle(world, &config(&[]), event, "request")
        .await
        .expect("an answer")
}

async fn tick(world: &World) -> Value {
    let result = auto_sleep::handle(world, &config(&[]), event("eventbridge-scheduled.json"), "tick").await;
    result.expect("a tick")["groups"][0].clone()
}

/// A group of two services, asleep and known to the table.
async fn asleep() -> World {
    let world = World::with(&["dev/api", "dev/web"], TAGS, 0);
    tick(&world).await;
    world
}

fn packed(bytes: &[u8]) -> Value {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("gzip");
    json!({"awslogs": {"data": STANDARD.encode(gzip.finish().expect("gzip"))}})
}

fn batch(log_group: &str, lines: Vec<Value>) -> Value {
    let data = json!({"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": log_group,
        "logStream": "s", "subscriptionFilters": ["f"], "logEvents": lines});
    packed(data.to_string().as_bytes())
}

/// A line at `seconds` after the beginning.
fn line(seconds: i64, message: &str) -> Value {
    json!({"id": "1", "timestamp": (START + seconds) * 1000, "message": message})
}

#[tokio::test]
async fn a_matching_line_wakes_all_services_of_a_sleeping_group() {
    let world = asleep().await;
    let result = call(&world, event("logs-subscription.json")).await;
    let group = &result["groups"][0];
    assert_eq!(
        (&group["decision"], &group["cause"], &group["generation"]),
        (&json!("wake"), &json!("logs"), &json!(1))
    );
    assert_eq!((world.desired("dev/api"), world.desired("dev/web")), (1, 1));
    let record = world.record("dev").expect("a record");
    assert_eq!(
        (record.cause.to_string(), record.generation.0),
        ("logs".to_owned(), 1)
    );
}

#[tokio::test]
async fn lines_that_do_not_match_and_control_messages_wake_nothing() {
    let world = asleep().await;
    let result = call(
        &world,
        batch("/ecs/web", vec![line(0, "GET /healthz"), line(0, "")]),
    )
    .await;
    assert_eq!((&result["lines"], &result["groups"]), (&json!(2), &json!([])));
    assert_eq!(
        call(&world, event("logs-control-message.json")).await["ignored"],
        "a control message"
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_line_counts_as_use_at_its_own_moment() {
    let world = asleep().await;
    call(&world, batch("/ecs/web", vec![line(0, "GET /api/v1/a")])).await;
    world.run_tasks();
    tick(&world).await;
    world.advance(700);
    call(
        &world,
        batch(
            "/ecs/web",
            vec![line(650, "GET /api/v1/b"), line(100, "GET /api/v1/a")],
        ),
    )
    .await;
    assert_eq!(tick(&world).await["reason"], "in-use");
    world.advance(549);
    assert_eq!(
        tick(&world).await["reason"],
        "in-use",
        "10 minutes after 650 s begin at 1250 s"
    );
}

#[tokio::test]
async fn ten_thousand_lines_are_one_write_and_a_burst_of_batches_few() {
    let world = asleep().await;
    let lines = (0..10_000)
        .map(|n| line(n / 100, &format!("GET /api/v1/items/{n} \u{1f9c0}")))
        .collect();
    world.advance(100);
    let before = world.writes();
    let result = call(&world, batch("/ecs/web", lines)).await;
    assert_eq!((&result["lines"], world.writes() - before), (&json!(10_000), 1));

    world.run_tasks();
    tick(&world).await;
    let (writes, looks) = (world.writes(), world.looks());
    for n in 0..200 {
        if n % 20 == 0 {
            world.advance(1);
        }
        let now = 100 + n / 20 + 1;
        call(&world, batch("/ecs/web", vec![line(now, "GET /api/v1/x")])).await;
    }
    assert_eq!(
        (world.writes() - writes, world.looks() - looks),
        (2, 0),
        "200 batches in 10 s: one write in 5 s, and no look at ECS"
    );
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_neither_holds_it_awake_nor_wakes_it_for_the_past() {
    let world = asleep().await;
    world.advance(7200);
    let woken = call(
        &world,
        batch("/ecs/web", vec![line(7200 + 3600, "GET /api/v1/ahead")]),
    )
    .await;
    assert_eq!(woken["groups"][0]["decision"], "wake");
    let active_at = world
        .record("dev")
        .expect("a record")
        .services
        .values()
        .filter_map(|s| s.active_at)
        .max();
    assert_eq!(active_at, Some(world.now()), "never later than now");

    world.run_tasks();
    tick(&world).await;
    auto_sleep::handle(&world, &config(&[]), event("direct-sleep.json"), "r")
        .await
        .expect("asleep");
    world.run_tasks();
    tick(&world).await;
    let late = call(&world, batch("/ecs/web", vec![line(3600, "GET /api/v1/behind")])).await;
    assert_eq!(late["groups"][0]["phase"], "asleep");
}

#[tokio::test]
async fn a_lookup_of_a_listed_name_wakes_and_a_scanners_does_not() {
    let tags = [
        ("dormouse:group", "dev"),
        ("dormouse:log-group", "/aws/route53/example.com"),
        ("dormouse:dns-names", "dev.example.com"),
    ];
    let world = World::with(&["dev/web"], &tags, 0);
    tick(&world).await;
    let scan = "1.0 2027-01-15T08:00:00Z Z1 www.example.com ANY NOERROR UDP FRA6 192.0.2.1 -";
    call(&world, batch("/aws/route53/example.com", vec![line(0, scan)])).await;
    assert_eq!(world.changes(), [""; 0]);
    call(&world, event("logs-route53.json")).await;
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn what_cannot_be_understood_is_reported_and_dropped() {
    let world = asleep().await;
    let bomb = packed(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.to_string().len() < 100_000, "64 MiB in a small payload");
    let many = format!(
        "{{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[{}1]}}",
        "{},".repeat(3_000_000)
    );
    for (event, code) in [
        (bomb, "TooLarge"),
        (packed(many.as_bytes()), "TooLarge"),
        (packed(b"hello"), "InvalidRequest"),
        (packed(b""), "InvalidRequest"),
        (packed(b"{\"messageType\":\"OTHER\"}"), "InvalidRequest"),
        (json!({"awslogs": {"data": "not base64"}}), "InvalidRequest"),
        (json!({"awslogs": {"data": "aGVsbG8="}}), "InvalidRequest"),
        (json!({"awslogs": {"data": ""}}), "InvalidRequest"),
        (json!({}), "InvalidRequest"),
        (event("sns-alarm.json"), "InvalidRequest"),
        (event("sam-cloudwatch-logs.json"), "UnknownLogGroup"),
        (
            batch("/ecs/gone", vec![line(0, "GET /api/v1/x")]),
            "UnknownLogGroup",
        ),
    ] {
        let result = call(&world, event).await;
        assert_eq!(result["refused"]["code"], code, "{result}");
    }
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn one_bad_line_does_not_harm_its_neighbours() {
    let world = asleep().await;
    let lines = vec![
        json!(null),
        json!({"timestamp": "soon", "message": "GET /api/v1/x"}),
        json!({"timestamp": i64::MAX, "message": "GET /api/v1/x"}),
        json!({"timestamp": START * 1000}),
        line(0, "GET /api/v1/x"),
    ];
    let result = call(&world, batch("/ecs/web", lines)).await;
    assert_eq!((&result["lines"], &result["skipped"]), (&json!(1), &json!(4)));
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn a_batch_that_could_not_be_counted_fails_the_invocation_so_that_it_comes_again() {
    let world = asleep().await;
    world.break_("table", Code::Throttled);
    let event = batch("/ecs/web", vec![line(0, "GET /api/v1/x")]);
    let failed = log_pattern_trigger::handle(&world, &config(&[]), event.clone(), "r").await;
    assert_eq!(failed.expect_err("it comes again").code, Code::Throttled);
    world.mend("table");
    call(&world, event).await;
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn ten_batches_at_once_wake_once() {
    let world = asleep().await;
    let calls = (0..10).map(|_| call(&world, event("logs-subscription.json")));
    futures_util::future::join_all(calls).await;
    assert_eq!(
        world.changes(),
        [
            "StartExecution dev g1",
            "UpdateService dev/api=1",
            "UpdateService dev/web=1"
        ]
    );
    let kept = world.whys("dev");
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(
        (kept[0].cause, kept[0].by.as_deref()),
        (Cause::Logs, Some("/ecs/web"))
    );
}
