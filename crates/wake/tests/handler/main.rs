//! The wake function from event to answer, over a world in memory. Every event of `events/` that this function
//! understands goes through the whole handler.

mod asking;
mod failing;
mod waking;

use std::collections::HashMap;
use std::path::Path;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::observation::{Probe, TaskAddress, Trouble};
use dormouse_core::ports::Clock;
use dormouse_core::record::Phase;
use dormouse_testkit::World;
use serde_json::{Value, json};

const TAGS: &[(&str, &str)] = &[("dormouse:group", "dev")];

fn config() -> Config {
    Config::from_env(&HashMap::from([("TABLE_NAME".to_owned(), "t".to_owned())])).expect("a configuration")
}

fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

fn get(path: &str, accept: &str) -> Value {
    let mut event = event("http-api-program.json");
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!("");
    event["headers"]["accept"] = json!(accept);
    event
}

async fn answer(world: &World, event: Value) -> Value {
    wake::handle(world, &config(), event, "11111111-2222-3333-4444-555555555555")
        .await
        .expect("an answer")
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
