//! What functions write to their log: one line of JSON an event, as CloudWatch Logs searches it.

use std::sync::atomic::{AtomicBool, Ordering};

use dormouse_core::engine::{self, Turn};
use dormouse_core::error::{Code, Error};
use dormouse_core::intent::Intent;
use dormouse_core::report;
use dormouse_core::scale_in::request::{Answer, Request};
use dormouse_core::scaling::turn::Report;
use dormouse_core::scaling::watch::Summary;
use dormouse_core::settings::Problem;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Writes the line of a turn, if it decided something, and those of the groups that it woke because it needs them.
pub fn turn(turn: &Turn, intent: &Intent, request_id: &str) {
    if let Some(report) = report::line(turn, intent, request_id) {
        write(&json!(report));
    }
    let needed = engine::intent_of_needing(&turn.settings.name);
    for other in &turn.needed {
        self::turn(other, &needed, request_id);
    }
}

/// Writes the line of a decision about scaling.
pub fn scaling(report: &Report, request_id: &str) {
    let mut line = json!(report);
    line["event"] = json!("scaling");
    line["request_id"] = json!(request_id);
    write(&line);
}

/// Writes the line of a watch that has ended.
pub fn watch(summary: &Summary, request_id: &str) {
    let mut line = json!(summary);
    line["event"] = json!("watch");
    line["request_id"] = json!(request_id);
    write(&line);
}

/// Writes the line of a step of a scale-in, and of what stopped it.
pub fn scale_in(request: &Request, answer: &Result<Answer, Error>, request_id: &str) {
    let Request {
        step,
        group,
        service,
        execution,
        ..
    } = request;
    write(&json!({
        "event": "scale-in",
        "step": step,
        "group": group,
        "service": service,
        "execution": execution,
        "answer": answer.as_ref().ok(),
        "error": answer.as_ref().err(),
        "request_id": request_id,
    }));
}

/// Writes an error where it is handled.
pub fn error(error: &Error, group: Option<&str>, request_id: &str) {
    let Error { code, message } = error;
    write(
        &json!({"event": "error", "group": group, "code": code, "message": message, "request_id": request_id}),
    );
}

/// Writes down what arrived and was not acted upon, so that nothing vanishes without a trace.
pub fn refused(door: &str, error: &Error, request_id: &str) {
    let Error { code, message } = error;
    write(
        &json!({"event": "refused", "cause": door, "code": code, "message": message, "request_id": request_id}),
    );
}

/// Writes down what a pipeline was told about its job.
pub fn job(id: &str, result: &str, message: &str, request_id: &str) {
    write(
        &json!({"event": "job", "job": id, "result": result, "message": message, "request_id": request_id}),
    );
}

/// Writes a line and a metric for each bad tag (CloudWatch embedded metric format, namespace `Dormouse`).
pub fn bad_tags(group: &str, problems: &[Problem], now: Timestamp) {
    for problem in problems.iter().filter(|problem| problem.code == Code::InvalidTag) {
        let service = problem
            .service
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        write(&json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": "Dormouse",
                    "Dimensions": [["group", "service"]],
                    "Metrics": [{"Name": "InvalidTags", "Unit": "Count"}],
                }],
            },
            "event": "bad-tag",
            "group": group,
            "service": service,
            "code": problem.code,
            "message": problem.message,
            "InvalidTags": 1,
        }));
    }
}

/// Whether nothing is written.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Writes nothing from now on, in this process: for simulations, which live through years in a minute.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

fn write(line: &Value) {
    if !QUIET.load(Ordering::Relaxed) {
        println!("{line}");
    }
}
