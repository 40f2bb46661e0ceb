//! The JSONata of the state machine: exactly the forms that it uses. Any other makes the test fail.

use serde_json::{Value, json};

/// Evaluates every `{% … %}` in a value; the rest stays as it is. `variables` is an object: `states` and what the
/// machine has assigned.
pub(super) fn evaluate(value: &Value, variables: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}")) {
            Some(expression) => one(expression.trim(), variables),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| evaluate(item, variables)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), evaluate(field, variables)))
            .collect(),
        _ => value.clone(),
    }
}

/// The only pattern that is known: a moment in UTC.
const MOMENT: &str = "/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$/";

fn one(expression: &str, variables: &Value) -> Value {
    let path = |text: &str| {
        let undefined = || panic!("`{text}` in `{expression}` is undefined: {variables}");
        find(text, variables).unwrap_or_else(undefined)
    };
    if let Some((left, right)) = expression.split_once(" and ") {
        return json!(one(left, variables) == json!(true) && one(right, variables) == json!(true));
    }
    if let Some((left, right)) = expression.split_once(" in [") {
        let words = right.strip_suffix(']').unwrap_or_else(|| unknown(expression));
        let found = find(left, variables).unwrap_or(Value::Null);
        return json!(words.split(", ").any(|word| literal(word) == found));
    }
    if let Some(rest) = expression.strip_prefix("$type(") {
        let asked = rest
            .strip_suffix(") = 'string'")
            .unwrap_or_else(|| unknown(expression));
        return json!(find(asked, variables).is_some_and(|found| found.is_string()));
    }
    if let Some(rest) = expression.strip_prefix("$contains(") {
        let known = rest.strip_suffix(')').and_then(|rest| rest.split_once(", "));
        let (asked, pattern) = known.unwrap_or_else(|| unknown(expression));
        if pattern != MOMENT {
            unknown(expression);
        }
        let found = find(asked, variables);
        let moment = found.as_ref().and_then(Value::as_str);
        return json!(moment.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()));
    }
    if let Some(rest) = expression.strip_prefix("$exists(") {
        let known = rest
            .strip_suffix(" : null")
            .and_then(|rest| rest.split_once(") ? "));
        let (asked, given) = known.unwrap_or_else(|| unknown(expression));
        return find(asked, variables).map_or(Value::Null, |_| path(given));
    }
    if let Some((left, right)) = expression.split_once(" + ") {
        return json!(number(&path(left)) + number(&literal(right)));
    }
    if let Some((left, right)) = expression.split_once(" >= ") {
        return json!(number(&path(left)) >= number(&literal(right)));
    }
    if let Some((left, right)) = expression.split_once(" = ") {
        return json!(path(left) == literal(right));
    }
    path(expression)
}

/// What `$a.b.c` leads to; nothing if it is undefined.
fn find(path: &str, variables: &Value) -> Option<Value> {
    let names = path.strip_prefix('$').unwrap_or_else(|| unknown(path));
    let word = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !names.split('.').all(word) {
        unknown(path);
    }
    let found = names.split('.').try_fold(variables, |at, name| at.get(name));
    found.cloned()
}

fn literal(text: &str) -> Value {
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match quoted {
        Some(word) if !word.contains('\'') => json!(word),
        _ => json!(text.parse::<i64>().unwrap_or_else(|_| unknown(text))),
    }
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is not a whole number"))
}

fn unknown(expression: &str) -> ! {
    panic!("`{expression}`: this form of JSONata is not known to the test")
}

#[test]
fn expressions_mean_what_they_mean_in_step_functions() {
    let variables = json!({
        "states": {"input": {"outcome": "free", "to": 3, "none": null, "at": "2027-01-15T08:00:00Z"}, "errorOutput": {"Error": "Contention"}},
        "rounds": 199, "group": "dev",
    });
    for (expression, value) in [
        ("$group", json!("dev")),
        ("$states.input.outcome = 'free'", json!(true)),
        ("$states.input.outcome = 'going'", json!(false)),
        ("$rounds + 1", json!(200)),
        ("$rounds >= 200", json!(false)),
        ("$states.input.outcome in ['slept', 'free']", json!(true)),
        ("$states.input.outcome in ['slept']", json!(false)),
        ("$type($states.input.at) = 'string'", json!(true)),
        (
            "$type($states.input.to) = 'string' and $group = 'dev'",
            json!(false),
        ),
        ("$states.errorOutput.Error", json!("Contention")),
        ("$exists($states.input.to) ? $states.input.to : null", json!(3)),
        (
            "$exists($states.input.none) ? $states.input.none : null",
            json!(null),
        ),
        (
            "$exists($states.input.more) ? $states.input.more : null",
            json!(null),
        ),
    ] {
        let given = json!({"a": [format!("{{% {expression} %}}")], "b": "$group"});
        assert_eq!(
            evaluate(&given, &variables),
            json!({"a": [value], "b": "$group"}),
            "{expression}"
        );
    }
}
