//! The most that AWS lets in, in its worst shape, fits into the memory of the function that gets it.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_fuzz::Watchdog;
use dormouse_testkit::{World, config};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::meter::{peak, turn};

const MB: usize = 1 << 20;
/// Half of what the functions of queues and subscriptions have (`MemorySize` in template.yaml): the other half is for the
/// program, the runtime and the event itself.
const HALF: usize = 128 * MB;

/// What takes the most memory for its length once it is understood as JSON.
const SHAPES: [(&str, &str, &str, &str); 7] = [
    ("numbers", "[", "0,", "0]"),
    ("lists", "[", "[],", "0]"),
    ("nested lists", "[", "[[[0]]],", "0]"),
    ("objects", "[", "{\"\":0},", "0]"),
    ("texts", "[", "\"\",", "0]"),
    ("escapes", "\"", "\\u0000", "\""),
    ("text", "\"", "x", "\""),
];

fn json_of(shape: &(&str, &str, &str, &str), length: usize) -> String {
    let (_, begin, part, end) = shape;
    format!("{begin}{}{end}", part.repeat(length / part.len()))
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

#[track_caller]
fn fits(what: &str, work: impl FnOnce()) {
    let used = Watchdog::start().watch(what, b"", || peak(work));
    eprintln!("{what}: {} MB", used / MB);
    assert!(used <= HALF, "{what}: {} MB", used / MB);
}

fn pack(text: &str) -> Value {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).expect("memory");
    json!({"awslogs": {"data": STANDARD.encode(gzip.finish().expect("memory"))}})
}

/// The most that is unpacked, see `log-pattern-trigger`'s `payload.rs`.
#[test]
fn the_largest_batch_of_log_lines_fits_whatever_is_in_it() {
    let _turn = turn();
    let world = World::default();
    let handle = |event: Value| {
        let answer = wait(log_pattern_trigger::handle(&world, &config(&[]), event, "r"));
        assert!(answer.is_ok(), "{answer:?}");
    };
    let head = r#"{"messageType":"DATA_MESSAGE","logGroup":"/ecs/web","logEvents":"#;
    for shape in &SHAPES {
        let body = json_of(shape, 8 * MB - 200);
        for (place, text) in [
            ("as the lines", format!("{head}{body}}}")),
            ("as one line", format!("{head}[{body}]}}")),
            ("as a field that nobody knows", format!("{head}[],\"x\":{body}}}")),
        ] {
            let event = pack(&text);
            drop(text);
            fits(&format!("log batch of {} {place}", shape.0), || handle(event));
        }
    }
    let line = r#"{"id":"","timestamp":1799999990000,"message":""},"#;
    let lines = format!("{head}[{}{{}}]}}", line.repeat((8 * MB - 200) / line.len()));
    fits("log batch of short lines", || handle(pack(&lines)));
}

/// A gigabyte of zeros is a megabyte when it is packed, which CloudWatch Logs would never send.
#[test]
fn a_batch_that_unpacks_to_a_gigabyte_is_refused_in_little_memory() {
    let _turn = turn();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![b'0'; MB];
    for _ in 0..1024 {
        gzip.write_all(&zeros).expect("memory");
    }
    let event = json!({"awslogs": {"data": STANDARD.encode(gzip.finish().expect("memory"))}});
    let world = World::default();
    fits("a gigabyte of zeros", || {
        let answer = wait(log_pattern_trigger::handle(&world, &config(&[]), event, "r"));
        assert_eq!(answer.expect("a refusal")["refused"]["code"], "TooLarge");
    });
}

/// A message of a queue has at most 1 MiB (Amazon SQS Developer Guide, "Message quotas"), and an event of a function 6 MB
/// (AWS Lambda Developer Guide, "Lambda quotas").
#[test]
fn the_largest_reports_of_sessions_fit_whatever_is_in_them() {
    let _turn = turn();
    for shape in &SHAPES {
        let body = json_of(shape, MB - 100);
        for (place, body) in [
            ("alone", body.clone()),
            ("as a field that nobody knows", format!("{{\"x\":{body}}}")),
            ("as a task", format!("{{\"task_arn\":{body}}}")),
        ] {
            // A text in a text is longer, so fewer fit.
            let records = (6 * MB / json!(body).to_string().len()).max(1);
            let record = |n: usize| json!({"messageId": n.to_string(), "body": body});
            let event = json!({"Records": (0..records).map(record).collect::<Vec<_>>()});
            let world = World::default();
            fits(&format!("{records} reports of {} {place}", shape.0), || {
                let answer = wait(session_metric_ingest::handle(&world, &config(&[]), event, "r"));
                assert_eq!(answer.expect("an answer")["batchItemFailures"], json!([]));
            });
            assert_eq!(world.rejects().len(), records, "each is kept with its reason");
        }
    }
}
