//! Event patterns of EventBridge rules.
//!
//! "Creating Amazon EventBridge event patterns" and "Comparison operators for use in event patterns"
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>): every field of a
//! pattern must match, one of a field's alternatives is enough, and a field whose value is an array matches when one of
//! its items does. Fields that the pattern does not name do not matter.

use serde_json::{Map, Value};

/// A pattern that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPattern(Fields);

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no JSON object.
    #[error("the pattern is not a JSON object")]
    NoObject,
    /// A field is neither a nested object nor an array of alternatives.
    #[error("`{0}` must be an object or an array")]
    NoAlternatives(String),
    /// An alternative that EventBridge may know, but not this simulator.
    #[error("`{field}` has the alternative {alternative}, which is not simulated")]
    Unknown {
        /// Name of the field.
        field: String,
        /// The alternative as JSON.
        alternative: String,
    },
}

type Fields = Vec<(String, Node)>;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Nested(Fields),
    AnyOf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equals(Value),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Value>),
    Exists(bool),
}

impl EventPattern {
    /// Reads a rule's `EventPattern`.
    pub fn parse(text: &str) -> Result<EventPattern, PatternError> {
        match serde_json::from_str(text) {
            Ok(Value::Object(pattern)) => read_fields(&pattern).map(EventPattern),
            _ => Err(PatternError::NoObject),
        }
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &Value) -> bool {
        match_fields(&self.0, Some(event))
    }
}

fn read_fields(pattern: &Map<String, Value>) -> Result<Fields, PatternError> {
    let node = |name: &String, value: &Value| match value {
        Value::Object(nested) => read_fields(nested).map(Node::Nested),
        Value::Array(alternatives) => {
            let tests = alternatives.iter().map(|a| read_test(name, a));
            tests.collect::<Result<_, _>>().map(Node::AnyOf)
        }
        _ => Err(PatternError::NoAlternatives(name.clone())),
    };
    let fields = pattern.iter();
    fields
        .map(|(name, value)| Ok((name.clone(), node(name, value)?)))
        .collect()
}

fn read_test(field: &str, alternative: &Value) -> Result<Test, PatternError> {
    let unknown = || PatternError::Unknown {
        field: field.into(),
        alternative: alternative.to_string(),
    };
    let Some(operator) = alternative.as_object() else {
        return match alternative {
            Value::Array(_) => Err(unknown()),
            value => Ok(Test::Equals(value.clone())),
        };
    };
    let mut members = operator.iter();
    let (Some((name, operand)), None) = (members.next(), members.next()) else {
        return Err(unknown());
    };
    match (name.as_str(), operand) {
        ("prefix", Value::String(text)) => Ok(Test::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Ok(Test::Suffix(text.clone())),
        ("exists", Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
        ("anything-but", Value::Array(values)) if values.iter().all(is_plain) => {
            Ok(Test::AnythingBut(values.clone()))
        }
        ("anything-but", value) if is_plain(value) => Ok(Test::AnythingBut(vec![value.clone()])),
        _ => Err(unknown()),
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn match_fields(fields: &Fields, event: Option<&Value>) -> bool {
    fields.iter().all(|(name, node)| {
        let value = event.and_then(|e| e.get(name));
        match (node, value) {
            (Node::AnyOf(tests), _) => tests.iter().any(|t| t.matches(value)),
            // One item must match all of it.
            (Node::Nested(nested), Some(Value::Array(items))) if !items.is_empty() => {
                items.iter().any(|item| match_fields(nested, Some(item)))
            }
            (Node::Nested(nested), _) => match_fields(nested, value),
        }
    })
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        let values = leaves(value);
        match self {
            Test::Equals(wanted) => values.iter().any(|v| same(v, wanted)),
            Test::Prefix(start) => values
                .iter()
                .any(|v| v.as_str().is_some_and(|v| v.starts_with(start))),
            Test::Suffix(end) => values
                .iter()
                .any(|v| v.as_str().is_some_and(|v| v.ends_with(end))),
            Test::AnythingBut(unwanted) => values.iter().any(|v| !unwanted.iter().any(|u| same(v, u))),
            Test::Exists(wanted) => values.is_empty() != *wanted,
        }
    }
}

/// The plain values at a field: none if it is not there, is an object (only leaves are compared) or an empty array.
fn leaves(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Object(_)) => Vec::new(),
        Some(Value::Array(items)) => items.iter().flat_map(|i| leaves(Some(i))).collect(),
        Some(plain) => vec![plain],
    }
}

/// Numbers are compared by value: 4 is 4.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "source": "aws.ecs",
            "detail-type": "ECS Task State Change",
            "resources": ["arn:aws:ecs:us-east-1:000000000000:task/dev/a"],
            "detail": {
                "lastStatus": "STOPPED",
                "group": "service:web",
                "version": 4,
                "stopCode": null,
                "enableExecuteCommand": false,
                "containers": [
                    {"name": "web", "exitCode": 1, "networkBindings": []},
                    {"name": "proxy", "exitCode": 0},
                ],
            },
        })
    }

    fn matches(pattern: Value) -> bool {
        EventPattern::parse(&pattern.to_string())
            .unwrap()
            .matches(&event())
    }

    #[test]
    fn every_field_must_match_and_one_alternative_is_enough() {
        assert!(matches(
            json!({"source": ["aws.ec2", "aws.ecs"], "detail-type": ["ECS Task State Change"]})
        ));
        assert!(!matches(
            json!({"source": ["aws.ecs"], "detail-type": ["ECS Service Action"]})
        ));
        assert!(matches(
            json!({"detail": {"lastStatus": ["STOPPED"], "version": [4.0]}})
        ));
        assert!(!matches(
            json!({"detail": {"lastStatus": ["STOPPED"], "desiredStatus": ["STOPPED"]}})
        ));
        assert!(matches(
            json!({"detail": {"enableExecuteCommand": [false], "stopCode": [null]}})
        ));
        assert!(
            !matches(json!({"detail": {"version": ["4"]}})),
            "text is no number"
        );
        assert!(!matches(json!({"source": []})), "no alternative, no match");
    }

    #[test]
    fn texts_match_by_their_start_or_end() {
        assert!(matches(json!({"detail": {"group": [{"prefix": "service:"}]}})));
        assert!(!matches(json!({"detail": {"group": [{"prefix": "family:"}]}})));
        assert!(matches(
            json!({"detail": {"group": [{"suffix": ":api"}, {"suffix": ":web"}]}})
        ));
        assert!(!matches(json!({"detail": {"version": [{"prefix": "4"}]}})));
    }

    #[test]
    fn anything_but_excludes_one_value_or_several_and_needs_one() {
        assert!(matches(
            json!({"detail": {"lastStatus": [{"anything-but": "RUNNING"}]}})
        ));
        assert!(!matches(
            json!({"detail": {"lastStatus": [{"anything-but": ["RUNNING", "STOPPED"]}]}})
        ));
        assert!(matches(
            json!({"detail": {"version": [{"anything-but": [1, 2]}]}})
        ));
        assert!(!matches(
            json!({"detail": {"nothing": [{"anything-but": "RUNNING"}]}})
        ));
    }

    #[test]
    fn a_field_can_be_asked_to_exist_or_not() {
        assert!(matches(
            json!({"detail": {"group": [{"exists": true}], "nothing": [{"exists": false}]}})
        ));
        assert!(!matches(json!({"detail": {"group": [{"exists": false}]}})));
        assert!(!matches(json!({"detail": {"nothing": [{"exists": true}]}})));
        assert!(
            matches(json!({"detail": {"stopCode": [{"exists": true}]}})),
            "null is there"
        );
        assert!(
            matches(json!({"overrides": {"command": [{"exists": false}]}})),
            "nor is its object"
        );
        assert!(
            !matches(json!({"detail": [{"exists": true}]})),
            "only leaves exist"
        );
    }

    #[test]
    fn one_item_of_an_array_is_enough() {
        assert!(matches(json!({"resources": [{"suffix": "task/dev/a"}]})));
        assert!(matches(
            json!({"detail": {"containers": {"name": ["proxy"], "exitCode": [0]}}})
        ));
        assert!(
            !matches(json!({"detail": {"containers": {"name": ["proxy"], "exitCode": [1]}}})),
            "one and the same item"
        );
    }

    #[test]
    fn what_is_not_simulated_is_said_instead_of_guessed() {
        let error = |pattern: Value| EventPattern::parse(&pattern.to_string()).unwrap_err().to_string();
        assert_eq!(
            error(json!({"detail": {"version": [{"numeric": [">", 3]}]}})),
            r#"`version` has the alternative {"numeric":[">",3]}, which is not simulated"#
        );
        assert_eq!(
            error(json!({"source": "aws.ecs"})),
            "`source` must be an object or an array"
        );
        assert_eq!(error(json!(["aws.ecs"])), "the pattern is not a JSON object");
        assert!(error(json!({"$or": [{"source": ["a"]}]})).starts_with("`$or`"));
    }
}
