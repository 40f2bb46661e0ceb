//! The wake function from event to answer, over a world in memory. Every event of `events/` that this function
//! understands goes through the whole handler.

mod alarms;
mod asking;
mod eta;
mod events;
mod failing;
mod front;
mod groups;
mod guard;
mod looks;
mod openapi;
mod order;
mod pages;
mod pipelines;
mod waking;
mod whys;

use dormouse_core::error::{Code, Error};
use dormouse_core::observation::{Probe, TaskAddress, Trouble};
use dormouse_core::ports::Clock;
use dormouse_core::record::Phase;
use dormouse_testkit::{World, config, event};
use serde_json::{Value, json};

const TAGS: &[(&str, &str)] = &[("dormouse:group", "dev")];

fn get(path: &str, accept: &str) -> Value {
    let mut event = event("http-api-program.json");
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!("");
    event["headers"]["accept"] = json!(accept);
    event
}

/// The answer to somebody who finds no look of others that is new enough to share. To HTTP requests it is nothing but what
/// the OpenAPI document says.
async fn answer(world: &World, event: Value) -> Value {
    let request = event.clone();
    world.forget_looks();
    let answer = wake::handle(world, &config(&[]), event, "11111111-2222-3333-4444-555555555555")
        .await
        .expect("an answer");
    if request.pointer("/requestContext/http").is_some() {
        openapi::assert_documented(&request, &answer);
    }
    answer
}

fn status_of(answer: &Value) -> u64 {
    answer["statusCode"].as_u64().expect("a status")
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON")
}

fn asleep() -> World {
    World::with(&["dev/web"], TAGS, 0)
}

async fn awake() -> World {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.run_tasks();
    answer(&world, event("http-api-status.json")).await;
    world.forget_changes();
    world
}
