//! Messages of queues and subscriptions: reports of sessions, batches of log lines, parts of a tick, alarms, parameters of
//! pipelines. The input is what stands inside of the event.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_testkit::{World, config};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Decoder, REQUEST, text, wait};

pub(super) const DECODERS: &[Decoder] = &[
    Decoder {
        name: "reports of sessions",
        folders: &["crates/fuzz/corpus/sessions"],
        decode: session,
        cases: 1000,
        longest: 256 << 10,
        memory: 120,
    },
    Decoder {
        name: "batches of log lines, packed",
        folders: &["crates/fuzz/corpus/log-batches-packed"],
        decode: packed_logs,
        cases: 500,
        longest: 64 << 10,
        // What is unpacked is limited, whatever its packed size is: see the tests of limits.
        memory: 2000,
    },
    Decoder {
        name: "batches of log lines, unpacked",
        folders: &["crates/fuzz/corpus/log-batches"],
        decode: logs,
        cases: 500,
        longest: 256 << 10,
        memory: 120,
    },
    Decoder {
        name: "parts of a tick",
        folders: &["crates/fuzz/corpus/parts"],
        decode: part,
        cases: 300,
        longest: 256 << 10,
        memory: 120,
    },
    Decoder {
        name: "messages of alarms",
        folders: &["crates/fuzz/corpus/alarms"],
        decode: alarm,
        cases: 500,
        longest: 256 << 10,
        memory: 120,
    },
    Decoder {
        name: "user parameters of pipelines",
        folders: &["crates/fuzz/corpus/pipelines"],
        decode: pipeline,
        cases: 300,
        longest: 1 << 10,
        memory: 120,
    },
];

/// One message among good ones: whatever it is, they are kept.
fn session(bytes: &[u8]) {
    let good = |id: &str| {
        let arn = format!("arn:aws:ecs:eu-west-1:123456789012:task/other/{id}");
        json!({"task_arn": arn, "session_id": "s", "event": "started", "at": "2027-01-15T08:00:00Z"})
            .to_string()
    };
    let record = |id: &str, body: String| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let event = json!({"Records": [
        record("1", good("a")),
        record("2", text(bytes)),
        record("3", good("b")),
    ]});
    let world = World::default();
    let answer = wait(session_metric_ingest::handle(
        &world,
        &config(&[]),
        event,
        REQUEST,
    ));
    assert_eq!(
        answer,
        Ok(json!({"batchItemFailures": []})),
        "each is kept or rejected"
    );
    for task in ["other/a", "other/b"] {
        assert!(world.row(task).is_some(), "{task} was lost");
    }
}

fn packed_logs(bytes: &[u8]) {
    handle_logs(&STANDARD.encode(bytes));
}

fn logs(bytes: &[u8]) {
    handle_logs(&STANDARD.encode(gzip(bytes)));
}

/// As CloudWatch Logs packs it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("memory can be written to: {error}"))
}

fn handle_logs(data: &str) {
    let tags = [
        ("dormouse:group", "dev"),
        ("dormouse:log-group", "/ecs/web"),
        ("dormouse:log-pattern", "GET /"),
    ];
    let world = World::with(&["dev/web"], &tags, 0);
    wait(async {
        discover(&world).await;
        let event = json!({"awslogs": {"data": data}});
        // What cannot be understood is refused, and what can wakes.
        let answer = log_pattern_trigger::handle(&world, &config(&[]), event, REQUEST).await;
        assert!(answer.is_ok(), "{answer:?}");
    });
}

/// Has the tick read the tags.
pub(super) async fn discover(world: &World) {
    let tick = json!({"action": "tick"});
    let answer = auto_sleep::handle(world, &config(&[]), tick, REQUEST).await;
    assert!(answer.is_ok(), "{answer:?}");
}

fn part(bytes: &[u8]) {
    let event = json!({"Records": [{"messageId": "1", "body": text(bytes), "eventSource": "aws:sqs"}]});
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    wait(async {
        discover(&world).await;
        let _ = auto_sleep::handle(&world, &config(&[]), event, REQUEST).await;
    });
}

fn alarm(bytes: &[u8]) {
    let mut event = dormouse_testkit::event("sns-alarm.json");
    if let Some(message) = event.pointer_mut("/Records/0/Sns/Message") {
        *message = Value::from(text(bytes));
    }
    wake(event);
}

fn pipeline(bytes: &[u8]) {
    let mut event = dormouse_testkit::event("codepipeline-job.json");
    let place = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
    if let Some(parameters) = event.pointer_mut(place) {
        *parameters = Value::from(text(bytes));
    }
    let world = wake(event);
    assert_eq!(
        world.job_results().len(),
        1,
        "the job gets a result, whatever it says"
    );
}

fn wake(event: Value) -> World {
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    wait(async {
        discover(&world).await;
        let _ = wake::handle(&world, &config(&[]), event, REQUEST).await;
    });
    world
}
