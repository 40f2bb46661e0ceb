//! Requests that a load balancer sends here while the app behind it sleeps.

mod browsers;
mod doors;
mod forms;
mod programs;
mod quiet;
mod whole;

use dormouse_core::front::{Condition, DoorId, Place, Posted};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::Doors;
use dormouse_testkit::WAKE_TARGET_GROUP;
use dormouse_testkit::openapi::Document;

use super::*;

/// The door of the events in `events/`, which leads to a group.
fn posted(group: &str) -> Posted {
    Posted {
        door: DoorId(format!("rule/{group}")),
        group: GroupName::parse(group).expect("a name"),
        wake: WAKE_TARGET_GROUP.to_owned(),
        place: Place {
            host: "lb.example".to_owned(),
            tls: true,
            port: 443,
            priority: Some(10),
            conditions: vec![Condition::Host(vec!["shop.example.com".to_owned()])],
            authenticates: false,
        },
        at: jiff::Timestamp::UNIX_EPOCH,
        left_at: None,
    }
}

async fn behind(world: World, door: &Posted) -> World {
    world.post(door).await.expect("posted");
    world
}

/// A group that sleeps, and to which the events' address leads.
async fn led_away() -> World {
    behind(asleep(), &posted("dev")).await
}

/// The same, ready again, though its load balancer still leads here.
async fn still_led_away() -> World {
    behind(awake().await, &posted("dev")).await
}

/// What is answered to an event of a load balancer.
async fn ask_with(world: &World, variables: &[(&str, &str)], event: &Value) -> Value {
    world.forget_looks();
    let id = "11111111-2222-3333-4444-555555555555";
    let answer = wake::handle(world, &config(variables), event.clone(), id).await;
    let answer = answer.expect("an answer");
    assert_fits(event, &answer);
    answer
}

async fn ask(world: &World, event: &Value) -> Value {
    ask_with(world, &[], event).await
}

/// The answer has the form that the load balancer asked for, is stored nowhere, and bears the mark of no app.
fn assert_fits(event: &Value, answer: &Value) {
    let (form, other) = match event["multiValueHeaders"].is_object() {
        true => ("multiValueHeaders", "headers"),
        false => ("headers", "multiValueHeaders"),
    };
    assert!(answer[form].is_object() && answer[other].is_null(), "{answer}");
    let description = answer["statusDescription"].as_str().expect("a description");
    assert!(
        description.starts_with(&format!("{} ", status_of(answer))) && description.len() > 4,
        "{answer}"
    );
    assert_eq!(answer["isBase64Encoded"], json!(false));
    assert_eq!(header(answer, "cache-control"), "no-store");
    assert_eq!(header(answer, "x-dormouse"), "wait");
    if status_of(answer) == 503 {
        assert!(header(answer, "retry-after").parse::<u64>().is_ok(), "{answer}");
    }
}

fn header<'a>(answer: &'a Value, name: &str) -> &'a str {
    let value = &answer["headers"][name];
    let value = value
        .as_str()
        .or_else(|| answer["multiValueHeaders"][name][0].as_str());
    value.unwrap_or_default()
}

fn html(answer: &Value) -> &str {
    assert_eq!(
        header(answer, "content-type"),
        "text/html; charset=utf-8",
        "{answer}"
    );
    answer["body"].as_str().expect("html")
}

/// A status as the document has it.
fn status_json(answer: &Value) -> Value {
    assert_eq!(header(answer, "content-type"), "application/json", "{answer}");
    let status = body(answer);
    assert_eq!(Document::read().mismatches("Status", &status), [""; 0]);
    status
}

fn with_header(mut event: Value, name: &str, value: &str) -> Value {
    event["headers"][name] = json!(value);
    event
}

fn poll(more: &str) -> Value {
    with_header(event("alb-browser.json"), "x-dormouse-poll", &format!("1{more}"))
}

const WOKEN: [&str; 2] = ["StartExecution dev g1", "UpdateService dev/web=1"];
