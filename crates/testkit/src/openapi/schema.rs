//! The part of JSON Schema that the document uses.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Follows a `$ref` within the document.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else {
        return value;
    };
    let target = reference
        .strip_prefix('#')
        .and_then(|pointer| document.pointer(pointer));
    target.unwrap_or_else(|| panic!("the document's {reference} leads nowhere"))
}

/// What is wrong with `value`, found at `at`, as this schema.
///
/// # Panics
/// If the schema has a keyword that is not understood here: it would go unchecked.
pub(super) fn mismatches(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let rules = resolved(document, schema);
    let rules = rules.as_object().unwrap_or_else(|| panic!("no schema: {schema}"));
    let mut found = Vec::new();
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "description" | "default" => {}
            // Judged together with `properties`.
            "additionalProperties" if *rule == false => {}
            "type" => found.extend((!has_type(rule, value)).then(|| format!("must be {rule}"))),
            "const" => found.extend((value != rule).then(|| format!("must be {rule}"))),
            "enum" => found.extend((!is_in(rule, value)).then(|| format!("must be one of {rule}"))),
            "pattern" => found.extend((!has_pattern(rule, value)).then(|| format!("must match {rule}"))),
            "format" => found.extend((!has_format(rule, value)).then(|| format!("must be a {rule}"))),
            "minimum" => {
                let below = number(value) < number(rule);
                found.extend(below.then(|| format!("must be at least {rule}")));
            }
            "maximum" => {
                let above = number(value) > number(rule);
                found.extend(above.then(|| format!("must be at most {rule}")));
            }
            "minLength" | "minItems" => {
                let length = value
                    .as_str()
                    .map(|text| text.chars().count())
                    .or_else(|| value.as_array().map(Vec::len));
                let short = length.is_some_and(|length| (length as u64) < rule.as_u64().unwrap_or(0));
                found.extend(short.then(|| format!("must have at least {rule}")));
            }
            "required" => found.extend(missing(rule, value)),
            "properties" => found.extend(of_properties(document, rules, rule, value, at)),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(mismatches(document, rule, item, &format!("{at}/{index}")));
                }
            }
            "oneOf" | "anyOf" => {
                let tries = rule.as_array().into_iter().flatten();
                let tries: Vec<_> = tries.map(|one| mismatches(document, one, value, at)).collect();
                let fit = tries.iter().filter(|problems| problems.is_empty()).count();
                if fit == 0 || (fit > 1 && keyword == "oneOf") {
                    found.push(format!("fits {fit} of {keyword}: {tries:?}"));
                }
            }
            other => panic!("keyword `{other}` of a schema is not understood: {schema}"),
        }
    }
    let from_here = |problem: String| {
        // Those of inner values name their place already.
        if problem.starts_with('/') {
            problem
        } else {
            format!("{}: {problem}: {value}", if at.is_empty() { "/" } else { at })
        }
    };
    found.into_iter().map(from_here).collect()
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => panic!("type {name} is none"),
    };
    rule.as_array()
        .map_or_else(|| is(rule), |names| names.iter().any(is))
}

fn is_in(rule: &Value, value: &Value) -> bool {
    rule.as_array().is_some_and(|values| values.contains(value))
}

/// The few patterns of answers, each by what it means: a regex engine is a lot for them.
fn has_pattern(rule: &Value, value: &Value) -> bool {
    use dormouse_core::ids::{GroupName, ServiceId};
    use dormouse_core::needs::Need;
    let Some(text) = value.as_str() else { return true };
    match rule.as_str() {
        Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$") => GroupName::parse(text).is_ok(),
        Some("^[^/]+/[^/]+$") => ServiceId::parse(text).is_ok() && !text.starts_with("arn:"),
        Some("^waiting-for:[^/]+(/[^/]+)?$") => {
            let need = text.strip_prefix("waiting-for:");
            need.and_then(Need::parse).is_some()
        }
        _ => panic!("pattern {rule} is not understood"),
    }
}

fn has_format(rule: &Value, value: &Value) -> bool {
    assert_eq!(rule, "date-time", "the one format that is understood");
    let text = value.as_str();
    text.is_none_or(|text| text.parse::<Timestamp>().is_ok())
}

fn number(value: &Value) -> f64 {
    // Bounds hold for numbers only.
    value.as_f64().unwrap_or(f64::NAN)
}

fn missing(rule: &Value, value: &Value) -> Vec<String> {
    let Some(fields) = value.as_object() else {
        return Vec::new();
    };
    let names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| !fields.contains_key(*name))
        .map(|name| format!("`{name}` is missing"))
        .collect()
}

fn of_properties(
    document: &Value,
    rules: &Map<String, Value>,
    rule: &Value,
    value: &Value,
    at: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, field) in value.as_object().into_iter().flatten() {
        match rule.get(name) {
            Some(schema) => found.extend(mismatches(document, schema, field, &format!("{at}/{name}"))),
            None if rules.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(format!("`{name}` is not documented"));
            }
            None => {}
        }
    }
    found
}
