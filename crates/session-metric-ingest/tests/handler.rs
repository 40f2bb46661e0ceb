//! The session-metric-ingest function from batch to rows, over a world in memory.

use dormouse_core::error::Code;
use dormouse_core::ports::Clock;
use dormouse_core::sessions::Row;
use dormouse_testkit::{START, World, config, event};
use serde_json::{Value, json};

const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/dev/";

fn batch(bodies: &[Value]) -> Value {
    let record = |(number, body): (usize, &Value)| {
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        json!({"messageId": format!("m{number}"), "body": body, "eventSource": "aws:sqs"})
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn report(task: &str, session: &str, event: &str, second: i64) -> Value {
    json!({"task_arn": format!("{TASK}{task}"), "session_id": session, "event": event, "at": (START + second) * 1000})
}

async fn call(world: &World, bodies: &[Value]) -> Vec<String> {
    let result = session_metric_ingest::handle(world, &config(&[]), batch(bodies), "r")
        .await
        .expect("an answer");
    let items = result["batchItemFailures"].as_array().expect("a list");
    items
        .iter()
        .filter_map(|item| Some(item["itemIdentifier"].as_str()?.to_owned()))
        .collect()
}

fn row(world: &World, task: &str) -> Row {
    world.row(task).expect("a row")
}

#[tokio::test]
async fn both_styles_of_the_sample_are_kept() {
    let world = World::default();
    let result = session_metric_ingest::handle(&world, &config(&[]), event("sqs-sessions.json"), "r").await;
    assert_eq!(result.expect("an answer")["batchItemFailures"], json!([]));
    assert_eq!(
        row(&world, "dev/c13b4cb40f1f4fe4a2971f76ae5a47ad").live(world.now()),
        1
    );
    assert!(row(&world, "dev/6fe1cb6a8e4d4c3f9d7b2a5e0c1d2e3f").in_use(world.now()));
}

#[tokio::test]
async fn a_batch_is_one_write_for_each_task_and_none_when_nothing_changes() {
    let world = World::default();
    let mut bodies: Vec<Value> = (0..500)
        .map(|n| report(if n % 2 == 0 { "a" } else { "b" }, &format!("s{n}"), "started", n))
        .collect();
    assert_eq!(call(&world, &bodies).await, [""; 0]);
    assert_eq!(world.writes(), 2);
    assert_eq!(row(&world, "dev/a").live(world.now()), 250);
    bodies.reverse();
    assert_eq!(call(&world, &bodies).await, [""; 0]);
    assert_eq!(world.writes(), 2, "delivered again, nothing changed");
}

#[tokio::test]
async fn a_late_start_does_not_raise_the_dead() {
    let world = World::default();
    call(&world, &[report("a", "s", "ended", 20)]).await;
    call(&world, &[report("a", "s", "started", 10)]).await;
    assert!(!row(&world, "dev/a").in_use(world.now()));
}

#[tokio::test]
async fn a_poison_message_costs_only_itself_and_is_kept_with_its_reason() {
    let world = World::default();
    let poison = [json!("not JSON"), json!({"task_arn": "nonsense"}), json!("")];
    let bodies = [
        poison[0].clone(),
        report("a", "s", "started", 0),
        poison[1].clone(),
        poison[2].clone(),
    ];
    assert_eq!(call(&world, &bodies).await, [""; 0]);
    assert!(row(&world, "dev/a").in_use(world.now()));
    let rejects = world.rejects();
    assert_eq!(rejects.len(), 3);
    assert!(
        rejects
            .iter()
            .all(|(_, error)| error.code == Code::InvalidRequest)
    );
    assert!(rejects[1].1.message.contains("nonsense"), "{}", rejects[1].1);
}

#[tokio::test]
async fn what_cannot_be_kept_now_is_delivered_again_and_its_neighbours_are_kept() {
    let world = World::default();
    world.break_("row dev/b", Code::Throttled);
    let bodies = [
        report("a", "s", "started", 0),
        report("b", "s", "started", 0),
        report("b", "t", "started", 0),
    ];
    assert_eq!(call(&world, &bodies).await, ["m1", "m2"]);
    assert!(row(&world, "dev/a").in_use(world.now()) && world.row("dev/b").is_none());

    world.break_("table", Code::Throttled);
    assert_eq!(call(&world, &bodies).await.len(), 3);
    world.mend("table");
    world.mend("row dev/b");
    world.break_("SendMessage", Code::AccessDenied);
    assert_eq!(
        call(&world, &[json!("poison")]).await,
        ["m0"],
        "not lost before it is kept"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_hold_up_the_others() {
    let world = World::default();
    world.break_("read dev/b", Code::CorruptRecord);
    let bodies = [report("a", "s", "started", 0), report("b", "s", "started", 0)];
    assert_eq!(call(&world, &bodies).await, ["m1"]);
    assert!(row(&world, "dev/a").in_use(world.now()));
}

#[tokio::test]
async fn functions_at_once_lose_nothing() {
    let world = World::default();
    let (world, config) = (&world, &config(&[]));
    let calls = (0..6).map(|n| async move {
        let event = batch(&[report("a", &format!("s{n}"), "started", n)]);
        session_metric_ingest::handle(world, config, event, "r")
            .await
            .expect("an answer")
    });
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer["batchItemFailures"], json!([]));
    }
    assert_eq!(row(world, "dev/a").live(world.now()), 6);
}

#[tokio::test]
async fn an_event_without_records_is_an_error() {
    for event in [json!({}), json!(null), json!({"Records": 7})] {
        let error = session_metric_ingest::handle(&World::default(), &config(&[]), event, "r").await;
        assert_eq!(error.expect_err("no batch").code, Code::InvalidRequest);
    }
}
