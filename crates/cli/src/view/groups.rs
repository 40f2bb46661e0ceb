//! All groups, a line each.

use serde_json::Value;

use super::table::table;
use super::time::{Reader, task_hours};
use super::{kept, list, plain, problem, text};

/// The table of groups, and below it what keeps them from their ordinary course and what is to be mended.
pub(crate) fn groups(answer: &Value, reader: &Reader) -> String {
    let groups = list(answer, "groups");
    if groups.is_empty() {
        return "There are no groups: no service has the tag `dormouse:group`.".to_owned();
    }
    let rows: Vec<[String; 6]> = groups.iter().map(|group| row(group, reader)).collect();
    let heads = ["GROUP", "PHASE", "SINCE", "NEXT DEADLINE", "SIGNALS", "SAVED"];
    let mut lines = vec![table(heads, &rows)];
    for group in groups {
        let name = plain(&group["group"]);
        lines.extend(notes(group, reader).map(|note| format!("{name}: {note}")));
        let problems = list(group, "problems");
        lines.extend(problems.iter().map(|one| format!("{name}: {}", problem(one))));
    }
    lines.join("\n")
}

fn row(group: &Value, reader: &Reader) -> [String; 6] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let signals: Vec<String> = list(group, "signals").iter().map(plain).collect();
    [
        plain(&group["group"]),
        text(group, "phase").unwrap_or("never seen").to_owned(),
        or_dash(reader.field(group, "since")),
        or_dash(reader.field(group, "next_deadline")),
        or_dash(Some(signals.join(" ")).filter(|signals| !signals.is_empty())),
        or_dash(group["slept_task_seconds"].as_f64().map(task_hours)),
    ]
}

fn notes(group: &Value, reader: &Reader) -> impl Iterator<Item = String> {
    let observes = text(group, "mode") == Some("observe");
    [
        kept(group, reader),
        observes.then(|| "only observed: nothing is changed".to_owned()),
    ]
    .into_iter()
    .flatten()
}
