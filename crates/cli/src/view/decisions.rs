//! Why a group is where it is.

use serde_json::Value;

use super::time::Reader;
use super::{list, plain, text};

/// The decisions, a paragraph each, and how to see older ones.
pub(crate) fn decisions(answer: &Value, reader: &Reader) -> String {
    let group = plain(&answer["group"]);
    let entries = list(answer, "entries");
    let mut paragraphs: Vec<String> = entries.iter().map(|entry| decision(entry, reader)).collect();
    if paragraphs.is_empty() {
        paragraphs.push(format!("{group}: no decisions are kept"));
    }
    let next = plain(&answer["next"]);
    if !next.is_empty() {
        paragraphs.push(format!("Older ones: dormouse why {group} --before '{next}'"));
    }
    paragraphs.join("\n\n")
}

fn decision(entry: &Value, reader: &Reader) -> String {
    let at = reader
        .field(entry, "at")
        .unwrap_or_else(|| "at some time".to_owned());
    let mut lines = vec![match what(entry) {
        Some(what) => format!("{at}  {what}"),
        None => at,
    }];
    let why = [text(entry, "reason"), text(entry, "detail")];
    let why: Vec<&str> = why.into_iter().flatten().collect();
    if !why.is_empty() {
        lines.push(format!("  {}", why.join(": ")));
    }
    let who = [text(entry, "cause").map(str::to_owned), by(entry)];
    let who: Vec<String> = who.into_iter().flatten().collect();
    if !who.is_empty() {
        lines.push(format!("  asked by {}", who.join(", ")));
    }
    lines.extend(readings(&entry["readings"]).map(|reading| format!("  {reading}")));
    lines.join("\n")
}

/// What happened to the phase or to a count, else in the entry's own words; and the counts that were set.
fn what(entry: &Value) -> Option<String> {
    let words = Some(plain(&entry["what"])).filter(|words| !words.is_empty());
    let change = match (words.as_deref(), change(entry)) {
        // That it is the phase shows.
        (None | Some("phase"), Some(change)) => Some(change),
        (Some("count"), Some(change)) => Some(format!("{}: {change} tasks", plain(&entry["service"]))),
        (Some("refused"), None) => Some(match text(entry, "phase") {
            Some(phase) => format!("refused, {phase} as before"),
            None => "refused".to_owned(),
        }),
        (Some(words), Some(change)) => Some(format!("{words}: {change}")),
        (words, None) => words.map(str::to_owned),
    };
    let counts = list(entry, "counts").iter().map(count);
    let parts: Vec<String> = change.into_iter().chain(counts).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `awake to falling-asleep`, `2 to 4`.
fn change(object: &Value) -> Option<String> {
    let [from, to] = ["from", "to"].map(|end| plain(&object[end]));
    match (from.is_empty(), to.is_empty()) {
        (_, true) => None,
        (true, false) => Some(format!("to {to}")),
        (false, false) if from == to => Some(format!("{to} as before")),
        (false, false) => Some(format!("{from} to {to}")),
    }
}

/// `dev/web: 2 to 0 tasks`.
fn count(count: &Value) -> String {
    match change(count) {
        Some(change) => format!("{}: {change} tasks", plain(&count["service"])),
        None => plain(count),
    }
}

fn by(entry: &Value) -> Option<String> {
    Some(plain(&entry["by"])).filter(|by| !by.is_empty())
}

/// What was read: a list of texts or objects, or an object of them by name.
fn readings(readings: &Value) -> impl Iterator<Item = String> {
    let listed = readings.as_array().into_iter().flatten().map(reading);
    let named = readings.as_object().into_iter().flatten();
    let named = named.map(|(name, value)| format!("{name}: {}", reading(value)));
    listed.chain(named)
}

/// `requests of dev/web: quiet since 10:15`; else field by field.
fn reading(value: &Value) -> String {
    if let (Some(signal), Some(service)) = (text(value, "signal"), text(value, "service")) {
        return format!("{signal} of {service}: {}", plain(&value["reading"]));
    }
    let Some(fields) = value.as_object() else {
        return plain(value);
    };
    let given = fields.iter().filter(|(_, value)| !value.is_null());
    let parts: Vec<String> = given
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    parts.join(", ")
}
