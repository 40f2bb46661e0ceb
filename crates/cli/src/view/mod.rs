//! Answers for people.
//!
//! They come from functions that may be of another version than this command, so every field may be absent, and what is
//! absent is left out.

pub(crate) mod decisions;
pub(crate) mod groups;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod time;

use serde_json::Value;

/// The text of a field; none if there is none.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object[field].as_str().filter(|text| !text.is_empty())
}

/// The elements of a list; none if it is no list.
pub(crate) fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

/// Any value in one line: texts and numbers as they are, lists with commas, the rest as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Until when somebody wants the group to be as it is.
pub(crate) fn kept(group: &Value, reader: &time::Reader) -> Option<String> {
    let asleep = matches!(text(group, "phase"), Some("asleep" | "falling-asleep"));
    let how = if asleep { "asleep" } else { "awake" };
    let until = reader.field(group, "override_until")?;
    Some(format!("kept {how} until {until}"))
}

/// A problem of a list of problems.
pub(crate) fn problem(problem: &Value) -> String {
    let message = text(problem, "message").map_or_else(|| plain(problem), str::to_owned);
    match text(problem, "service").filter(|service| !message.contains(*service)) {
        Some(service) => format!("! {service}: {message}"),
        None => format!("! {message}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_names_its_service_once() {
        let of = |message: &str| problem(&json!({"code": "X", "service": "dev/web", "message": message}));
        assert_eq!(
            of("service `dev/web`, tag `t`: bad"),
            "! service `dev/web`, tag `t`: bad"
        );
        assert_eq!(of("no answer"), "! dev/web: no answer");
        assert_eq!(problem(&json!("odd")), "! odd");
    }
}
