//! What an app reports: that one session started, lives or ended, or how many sessions a task has.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{Fields, invalid, shorten};
use super::ids::{SessionId, TaskKey};
use crate::error::Error;

/// Most sessions that a task can report as a count; our choice. More are a programming error.
pub const MAX_ACTIVE_SESSIONS: u32 = 1_000_000;

/// Longest time to live, in seconds: 366 days, as [`crate::duration::LONGEST`].
pub const MAX_TTL_SECONDS: u64 = crate::duration::LONGEST.as_secs();

const FIELDS: [&str; 7] = [
    "task_arn",
    "session_id",
    "event",
    "active_sessions",
    "at",
    "sequence",
    "ttl_seconds",
];

/// One report of an app, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The task that it is about.
    pub task: TaskKey,
    /// Its place among the reports about the same thing.
    pub order: Order,
    /// What it says.
    pub report: Report,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Something about one session.
    Session {
        /// The session.
        id: SessionId,
        /// What happened to it.
        event: Event,
        /// How long it lives after this if nothing else is heard; none: until it is said to have ended.
        ttl: Option<Duration>,
    },
    /// How many sessions the task has, all together.
    Count(u32),
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It began.
    Started,
    /// It goes on.
    Heartbeat,
    /// It is over.
    Ended,
}

/// Which of two reports about the same thing is newer. Any report with a sequence is newer than any without one, else
/// the order could run in a circle: an app should number all its reports about a thing or none. Then the higher
/// sequence is newer, or, without one or with the same, the later moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    // The derived order compares the fields from the top, and `None` is less than any number.
    /// The app's own count of its reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// When it happened, by the app's clock.
    pub at: Timestamp,
}

impl Message {
    /// Understands `{"task_arn","session_id","event":"started|heartbeat|ended","at","sequence"?,"ttl_seconds"?}` and
    /// `{"task_arn","active_sessions","at","sequence"?}`. `at` is RFC 3339 text or a number of milliseconds since 1970.
    /// A field that is `null` counts as missing.
    ///
    /// # Errors
    /// [`crate::error::Code::InvalidRequest`], naming field, value and rule.
    pub fn parse(message: &Value) -> Result<Self, Error> {
        let fields = Fields::of(message, &FIELDS)?;
        let task = fields.required("task_arn", TaskKey::ARN_RULE, |value| {
            TaskKey::from_arn(value.as_str()?)
        })?;
        let at = fields.required("at", AT_RULE, moment)?;
        let sequence = fields.optional("sequence", SEQUENCE_RULE, Value::as_u64)?;
        let report = match (fields.get("session_id"), fields.get("active_sessions")) {
            (Some(_), None) => session(&fields)?,
            (None, Some(_)) => count(&fields)?,
            (Some(id), Some(count)) => {
                return Err(invalid(format!(
                    "field `session_id`, value `{}`, and field `active_sessions`, value `{}`: must be one of the two",
                    shorten(&id.to_string()),
                    shorten(&count.to_string()),
                )));
            }
            (None, None) => {
                return Err(invalid(
                    "fields `session_id` and `active_sessions` are missing: must be one of the two"
                        .to_owned(),
                ));
            }
        };
        let order = Order { sequence, at };
        Ok(Self { task, order, report })
    }
}

const AT_RULE: &str =
    "must be a moment: RFC 3339 text such as 2027-01-15T08:00:00Z, or a number of milliseconds since 1970";
const SEQUENCE_RULE: &str = "must be a whole number, not negative";
const EVENT_RULE: &str = "must be started, heartbeat or ended";

/// jiff reads RFC 3339 and a little more, such as a blank in place of the `T`. A number may have a fraction, as clocks
/// of browsers and Python give it.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match number.as_i64() {
            Some(millis) => Timestamp::from_millisecond(millis).ok(),
            // Far too large a number becomes the largest integer, which is out of range as well.
            None => Timestamp::from_microsecond((number.as_f64()? * 1000.0).round() as i64).ok(),
        },
        _ => None,
    }
}

fn session(fields: &Fields<'_>) -> Result<Report, Error> {
    let ttl_rule = format!("must be a whole number of seconds from 1 to {MAX_TTL_SECONDS}");
    Ok(Report::Session {
        id: fields.required("session_id", SessionId::RULE, |value| {
            SessionId::parse(value.as_str()?)
        })?,
        event: fields.required("event", EVENT_RULE, |value| match value.as_str()? {
            "started" => Some(Event::Started),
            "heartbeat" => Some(Event::Heartbeat),
            "ended" => Some(Event::Ended),
            _ => None,
        })?,
        ttl: fields.optional("ttl_seconds", &ttl_rule, |value| {
            let seconds = value.as_u64()?;
            (1..=MAX_TTL_SECONDS)
                .contains(&seconds)
                .then(|| Duration::from_secs(seconds))
        })?,
    })
}

fn count(fields: &Fields<'_>) -> Result<Report, Error> {
    for name in ["event", "ttl_seconds"] {
        fields.optional(name, "does not go with `active_sessions`", |_| None::<()>)?;
    }
    let rule = format!("must be a whole number from 0 to {MAX_ACTIVE_SESSIONS}");
    let count = fields.required("active_sessions", &rule, |value| {
        let count = u32::try_from(value.as_u64()?).ok()?;
        (count <= MAX_ACTIVE_SESSIONS).then_some(count)
    })?;
    Ok(Report::Count(count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::error::Code;

    const TASK: &str = "arn:aws:ecs:eu-west-1:123456789012:task/dev/a";

    /// A good message with these fields set; `null` takes one away.
    fn message(style: &Value, change: &Value) -> Value {
        let mut message = json!({"task_arn": TASK, "at": "2027-01-15T08:00:00Z"});
        let fields = message.as_object_mut().expect("an object");
        for (name, value) in [style, change].into_iter().filter_map(Value::as_object).flatten() {
            fields.insert(name.clone(), value.clone());
        }
        message
    }

    fn session(change: &Value) -> Value {
        message(&json!({"session_id": "s", "event": "started"}), change)
    }

    fn count(change: &Value) -> Value {
        message(&json!({"active_sessions": 3}), change)
    }

    #[test]
    fn both_styles_are_understood() {
        let full = json!({"event": "ended", "sequence": u64::MAX, "ttl_seconds": 31_622_400});
        let full = Message::parse(&session(&full)).expect("a message");
        assert_eq!(full.task.to_string(), "dev/a");
        assert_eq!(full.order.sequence, Some(u64::MAX));
        assert_eq!(full.order.at.to_string(), "2027-01-15T08:00:00Z");
        let id = SessionId::parse("s").expect("an id");
        let report = |event, ttl| Report::Session {
            id: id.clone(),
            event,
            ttl,
        };
        assert_eq!(full.report, report(Event::Ended, Some(crate::duration::LONGEST)));
        let least = Message::parse(&session(&json!({"sequence": null}))).expect("a message");
        assert_eq!(
            (least.order.sequence, least.report),
            (None, report(Event::Started, None))
        );
        for n in [0, 1_000_000] {
            let counted = Message::parse(&count(&json!({"active_sessions": n, "sequence": 0})));
            assert_eq!(counted.expect("a message").report, Report::Count(n));
        }
    }

    #[test]
    fn a_moment_is_text_with_an_offset_or_milliseconds() {
        let at = |at: Value| Message::parse(&count(&json!({ "at": at }))).map(|m| m.order.at.to_string());
        for (text, moment) in [
            (json!("2027-01-15T09:00:00.25+01:00"), "2027-01-15T08:00:00.25Z"),
            (json!(1_800_000_000_500_u64), "2027-01-15T08:00:00.5Z"),
            (json!(1_800_000_000_500.25), "2027-01-15T08:00:00.50025Z"),
            (json!(0), "1970-01-01T00:00:00Z"),
            (json!(-1), "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(at(text).as_deref(), Ok(moment));
        }
        for bad in [
            json!("2027-01-15T08:00:00"),
            json!("2027-01-15"),
            json!("1800000000500"),
            json!("now"),
            json!(true),
            json!([0]),
            json!(u64::MAX),
            json!(1e300),
            json!(-1e300),
        ] {
            assert!(at(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_field_value_and_rule() {
        for (refused, part) in [
            (json!([]), "message `[]`: must be a JSON object"),
            (
                session(&json!({"at": null})),
                "field `at` is missing: must be a moment",
            ),
            (
                session(&json!({"task_arn": "dev/a"})),
                "field `task_arn`, value `\"dev/a\"`: must be the ARN",
            ),
            (session(&json!({"task_arn": 7})), "field `task_arn`, value `7`"),
            (
                session(&json!({"session_id": ""})),
                "field `session_id`, value `\"\"`: must be a text of 1 to 128",
            ),
            (
                session(&json!({"session_id": 7})),
                "field `session_id`, value `7`",
            ),
            (
                session(&json!({"event": null})),
                "field `event` is missing: must be started, heartbeat",
            ),
            (
                session(&json!({"event": "Ended"})),
                "field `event`, value `\"Ended\"`: must be started",
            ),
            (
                session(&json!({"sequence": -1})),
                "field `sequence`, value `-1`: must be a whole number",
            ),
            (session(&json!({"sequence": 1.5})), "value `1.5`"),
            (session(&json!({"sequence": "1"})), "value `\"1\"`"),
            (
                session(&json!({"ttl_seconds": 0})),
                "field `ttl_seconds`, value `0`: must be a whole number of",
            ),
            (session(&json!({"ttl_seconds": 31_622_401})), "from 1 to 31622400"),
            (
                session(&json!({"user": "x\n"})),
                "field `user`, value `\"x\\n\"`: is not known; must be one of task_arn",
            ),
            (
                session(&json!({"active_sessions": 3})),
                "field `session_id`, value `\"s\"`, and field `active_sessions`",
            ),
            (
                message(&json!({}), &json!({})),
                "fields `session_id` and `active_sessions` are missing",
            ),
            (
                count(&json!({"active_sessions": -1})),
                "field `active_sessions`, value `-1`: must be a whole",
            ),
            (count(&json!({"active_sessions": 1_000_001})), "from 0 to 1000000"),
            (
                count(&json!({"event": "started"})),
                "field `event`, value `\"started\"`: does not go with",
            ),
            (
                count(&json!({"ttl_seconds": 5})),
                "field `ttl_seconds`, value `5`: does not go with",
            ),
        ] {
            let error = Message::parse(&refused).expect_err("no message");
            assert_eq!(error.code, Code::InvalidRequest);
            assert!(error.message.contains(part), "{refused}: {error}");
        }
    }

    #[test]
    fn an_error_quotes_at_most_the_beginning_of_a_long_value() {
        let long = format!("\u{1f634}{}", "x".repeat(256 * 1024));
        for refused in [
            json!(long),
            session(&json!({ "session_id": long })),
            session(&json!({ "session_id": long, "active_sessions": long })),
            json!({ &long: long }),
        ] {
            let error = Message::parse(&refused).expect_err("no message");
            assert!(error.message.chars().count() < 400, "{error}");
        }
        let exact = "x".repeat(98);
        let error = Message::parse(&session(&json!({ "event": exact }))).expect_err("no event");
        assert!(error.message.contains(&format!("`\"{exact}\"`")), "{error}");
    }

    /// Any JSON, with fields of messages more often than not.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            Just(Value::from(TASK)),
            ".*".prop_map(Value::from),
            "arn:.*:task/.*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 30, 8, |inner| {
            let name =
                prop_oneof![6 => proptest::sample::select(&FIELDS[..]).prop_map(str::to_owned), 1 => ".*"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic(value in anything()) {
            let _ = Message::parse(&value);
        }

        #[test]
        fn no_value_of_a_field_makes_it_panic(name in proptest::sample::select(&FIELDS[..]), value in anything()) {
            for message in [session, count] {
                let _ = Message::parse(&message(&json!({ name: value.clone() })));
            }
        }
    }
}
