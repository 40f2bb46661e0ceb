//! Events of any JSON, for each function. Every function gets the events of all of them too.

use dormouse_core::scaling::watch::Memory;
use dormouse_testkit::{World, config};
use serde_json::Value;

use super::account::Canned;
use super::messages::discover;
use super::{Decoder, REQUEST, wait};

const EVENTS: &[&str] = &["events", "crates/fuzz/corpus/events"];

pub(super) const DECODERS: &[Decoder] = &[
    Decoder {
        name: "events of wake",
        folders: EVENTS,
        decode: wake_events,
        cases: 600,
        longest: 64 << 10,
        // Each record of an SNS event, of which there is one, gets an answer of its own, also one that is a number.
        memory: 700,
    },
    Decoder {
        name: "events of auto-sleep",
        folders: EVENTS,
        decode: auto_sleep_events,
        cases: 400,
        longest: 64 << 10,
        memory: 200,
    },
    Decoder {
        name: "events of scaling-decision",
        folders: EVENTS,
        decode: scaling_events,
        cases: 200,
        longest: 64 << 10,
        memory: 200,
    },
    Decoder {
        name: "events of session-metric-ingest",
        folders: EVENTS,
        decode: session_events,
        cases: 400,
        longest: 64 << 10,
        memory: 200,
    },
    Decoder {
        name: "events of log-pattern-trigger",
        folders: EVENTS,
        decode: log_events,
        cases: 400,
        longest: 64 << 10,
        memory: 200,
    },
];

/// Lambda's runtime reads the JSON; what is none never reaches a handler.
fn read(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

fn world() -> World {
    let tags = [("dormouse:group", "dev"), ("dormouse:idle-after", "10m")];
    World::with(&["dev/web", "dev/db"], &tags, 0)
}

fn wake_events(bytes: &[u8]) {
    let Some(event) = read(bytes) else { return };
    let is_http = event.pointer("/requestContext/http").is_some();
    let world = world();
    let answer = wait(async {
        discover(&world).await;
        wake::handle(&world, &config(&[]), event, REQUEST).await
    });
    if is_http && let Ok(answer) = &answer {
        assert!(
            answer["statusCode"].is_u64(),
            "an HTTP request gets a status: {answer}"
        );
        assert_ne!(answer["statusCode"], 500, "{answer}");
    }
}

fn auto_sleep_events(bytes: &[u8]) {
    let Some(event) = read(bytes) else { return };
    let world = world();
    wait(async {
        discover(&world).await;
        let _ = auto_sleep::handle(&world, &config(&[]), event, REQUEST).await;
    });
}

fn scaling_events(bytes: &[u8]) {
    let Some(event) = read(bytes) else { return };
    wait(async {
        let world = Canned::answering(b"{}").aws();
        let _ = scaling_decision::handle(&world, &config(&[]), &Memory::default(), event, REQUEST).await;
    });
}

fn session_events(bytes: &[u8]) {
    let Some(event) = read(bytes) else { return };
    let _ = wait(session_metric_ingest::handle(
        &World::default(),
        &config(&[]),
        event,
        REQUEST,
    ));
}

fn log_events(bytes: &[u8]) {
    let Some(event) = read(bytes) else { return };
    let world = world();
    wait(async {
        discover(&world).await;
        let _ = log_pattern_trigger::handle(&world, &config(&[]), event, REQUEST).await;
    });
}
