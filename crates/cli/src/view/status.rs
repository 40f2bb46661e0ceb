//! The status of a group.

use serde_json::Value;

use super::time::Reader;
use super::{kept, list, plain, problem, text};

/// The phase and why, the services, where the app is, and what is to be mended.
pub(crate) fn status(answer: &Value, reader: &Reader) -> String {
    let mut lines = vec![headline(answer)];
    lines.extend(list(answer, "services").iter().map(service));
    if answer["ready"] == true
        && let Some(url) = text(answer, "url")
    {
        lines.push(format!("  ready at {url}"));
    }
    lines.extend(kept(answer, reader).map(|kept| format!("  {kept}")));
    let problems = list(answer, "errors").iter();
    lines.extend(problems.map(|one| format!("  {}", problem(one))));
    lines.join("\n")
}

fn headline(answer: &Value) -> String {
    let group = plain(&answer["group"]);
    let phase = phase(answer);
    match text(answer, "detail").or_else(|| text(answer, "reason")) {
        Some(why) => format!("{group} is {phase}: {why}"),
        None => format!("{group} is {phase}"),
    }
}

/// The phase as people say it.
pub(crate) fn phase(answer: &Value) -> String {
    text(answer, "phase").unwrap_or("in no phase").replace('-', " ")
}

/// One line: `dev/web  1 of 2 tasks run, starting: its target is not healthy`.
fn service(service: &Value) -> String {
    let name = format!("{}/{}", plain(&service["cluster"]), plain(&service["name"]));
    let counts = match (service["running"].as_u64(), service["desired"].as_u64()) {
        (Some(running), Some(desired)) => format!("{running} of {desired} tasks run"),
        _ => "tasks unknown".to_owned(),
    };
    format!("  {name}  {counts}, {}", stage(service))
}

/// How far a service is, and what it waits for.
pub(crate) fn stage(service: &Value) -> String {
    let stage = text(service, "stage").unwrap_or("unknown");
    match text(service, "detail") {
        Some(detail) => format!("{stage}: {detail}"),
        None => stage.to_owned(),
    }
}
