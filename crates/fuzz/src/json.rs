//! Places in a JSON document.

use serde_json::Value;

/// JSON pointers (RFC 6901) of a value and of everything in it, the outermost first.
#[must_use]
pub fn places(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, String::new(), &mut found);
    found
}

fn collect(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, below) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_below(below, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, below) in items.iter().enumerate() {
                collect_below(below, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    if at.is_empty() {
        found.insert(0, at);
    }
}

fn collect_below(value: &Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    collect(value, at, found);
}

/// Takes the field or item at a place out of a document.
pub fn remove(value: &mut Value, place: &str) {
    let Some((parent, last)) = place.rsplit_once('/') else {
        *value = Value::Null;
        return;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = last.parse::<usize>()
                && index < items.len()
            {
                items.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_is_found_and_can_be_removed() {
        let value = json!({"a/b": [1, {"c": 2}], "d": null});
        let places = places(&value);
        assert_eq!(places, ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c", "/d"]);
        assert!(places.iter().all(|place| value.pointer(place).is_some()));
        let without = |place: &str| {
            let mut value = value.clone();
            remove(&mut value, place);
            value
        };
        assert_eq!(without("/a~1b/1/c"), json!({"a/b": [1, {}], "d": null}));
        assert_eq!(without("/a~1b/0"), json!({"a/b": [{"c": 2}], "d": null}));
        assert_eq!(without("/a~1b"), json!({"d": null}));
        assert_eq!(without(""), Value::Null);
    }
}
