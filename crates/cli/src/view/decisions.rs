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

/// What happened: from phase to phase, else in the entry's own words, with the counts that were set.
fn what(entry: &Value) -> Option<String> {
    let change = match (text(entry, "from"), text(entry, "to")) {
        (Some(from), Some(to)) if from == to => Some(format!("{to} as before")),
        (Some(from), Some(to)) => Some(format!("{from} to {to}")),
        _ => None,
    };
    let words = Some(plain(&entry["what"])).filter(|words| !words.is_empty());
    let counts = Some(plain(&entry["counts"])).filter(|counts| !counts.is_empty());
    let parts: Vec<String> = [change, words, counts].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
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

fn reading(value: &Value) -> String {
    let Some(fields) = value.as_object() else {
        return plain(value);
    };
    let given = fields.iter().filter(|(_, value)| !value.is_null());
    let parts: Vec<String> = given
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    parts.join(", ")
}
