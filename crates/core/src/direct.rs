//! Direct calls: from people, pipelines, schedules, state machines, and the sleep timer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;
use crate::engine::Turn;
use crate::error::{Code, Error};
use crate::ids::{Generation, GroupName};
use crate::intent::{Action, Cause, Intent, Wake};
use crate::query::{Query, WhyQuery};
use crate::report::{self, Verdict};
use crate::status::{self, Status};

/// Longest name with which a caller says who they are. Our choice: an ARN of a role's session fits.
const LONGEST_NAME: usize = 256;

/// What a direct call wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// That something is done.
    Turn(Call),
    /// That something is told.
    Query(Query),
}

impl Ask {
    /// The call, for functions that answer no queries.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a query.
    pub fn turn(self) -> Result<Call, Error> {
        match self {
            Self::Turn(call) => Ok(call),
            Self::Query(_) => Err(invalid(
                "this function answers no queries: `list` and `why` are for the wake function",
            )),
        }
    }
}

/// A direct call that does something, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The group; none for a tick of all groups.
    pub group: Option<GroupName>,
    /// What is asked.
    pub intent: Intent,
}

/// The answer to a direct call about one group: its status, and what this call did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// For the sleep timer: `slept`, `superseded`, `active`, `waking` or `falling-asleep`.
    pub outcome: &'static str,
    /// What was decided.
    pub decision: Verdict,
    /// Stable code of why this call did what it did.
    pub decision_reason: &'static str,
    /// When the next look is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_again_at: Option<Timestamp>,
    /// The group as it is now.
    #[serde(flatten)]
    pub status: Status,
}

/// The answer that a turn gives.
#[must_use]
pub fn answer(turn: &Turn) -> Answer {
    Answer {
        outcome: report::timer_outcome(turn),
        decision: report::verdict(turn),
        decision_reason: turn.reason.code(),
        look_again_at: turn.look_again.map(whole_second),
        status: status::of(turn),
    }
}

/// The next whole second: what Step Functions waits for, and never too early.
fn whole_second(at: Timestamp) -> Timestamp {
    let up = i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(at.as_second().saturating_add(up)).unwrap_or(at)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    group: Option<String>,
    action: Option<String>,
    desired_count: Option<u32>,
    #[serde(rename = "for")]
    period: Option<String>,
    until: Option<String>,
    generation: Option<u64>,
    by: Option<String>,
    limit: Option<u64>,
    before: Option<String>,
    /// Name of the timer's execution, for the log only.
    #[serde(rename = "execution")]
    _execution: Option<String>,
}

/// Whether a JSON value is meant as a direct call.
#[must_use]
pub fn is_call(event: &Value) -> bool {
    event.as_object().is_some_and(|fields| {
        ["action", "desired_count", "group"]
            .iter()
            .any(|name| fields.contains_key(*name))
    })
}

/// Understands `{"group","action","desired_count","for","until","by"}`, the queries `{"action":"list"}` and
/// `{"action":"why","group","limit","before"}`, and the timer's `{"action":"sleep-timer","group","generation"}`.
/// `{"desired_count":0}` alone means sleep and any other count wake, of the group `default`.
///
/// # Errors
/// [`Code::InvalidRequest`], naming field, value and rule.
pub fn parse(event: &Value, now: Timestamp) -> Result<Ask, Error> {
    let raw: Raw = serde_json::from_value(event.clone()).map_err(|error| invalid(&error.to_string()))?;
    let named = raw
        .group
        .as_deref()
        .map(GroupName::parse)
        .transpose()
        .map_err(|error| invalid(&error.to_string()))?;
    let group = || named.clone().unwrap_or_else(GroupName::default_group);
    let only_for = |action: &str, field: &str, given: bool| {
        if given {
            Err(invalid(&format!(
                "field `{field}` does not go with action `{action}`"
            )))
        } else {
            Ok(())
        }
    };
    let action = match (raw.action.as_deref(), raw.desired_count) {
        (Some(action), _) => action,
        (None, Some(0)) => "sleep",
        (None, Some(_)) => "wake",
        (None, None) => {
            return Err(invalid(
                "field `action` is missing: wake, sleep, keep-awake, tick, list or why",
            ));
        }
    };
    if !matches!(action, "keep-awake" | "sleep") {
        only_for(action, "for", raw.period.is_some())?;
        only_for(action, "until", raw.until.is_some())?;
    }
    let end = end(raw.period.as_deref(), raw.until.as_deref(), now)?;
    if action != "wake" && !(action == "sleep" && raw.desired_count == Some(0)) {
        only_for(action, "desired_count", raw.desired_count.is_some())?;
    }
    if action != "sleep-timer" {
        only_for(action, "generation", raw.generation.is_some())?;
    }
    if action != "why" {
        only_for(action, "limit", raw.limit.is_some())?;
        only_for(action, "before", raw.before.is_some())?;
    }
    if action == "list" {
        only_for(action, "group", raw.group.is_some())?;
    }
    if matches!(action, "list" | "why" | "sleep-timer") {
        only_for(action, "by", raw.by.is_some())?;
    }
    let by = raw.by.map(name_of_caller).transpose()?;
    let call = |group, action, cause| {
        Ok(Ask::Turn(Call {
            group,
            intent: Intent::of(action, cause).by(by.clone()),
        }))
    };
    match action {
        "wake" => match raw.desired_count {
            Some(count) if !(1..=crate::tags::MAX_COUNT).contains(&count) => Err(invalid(&format!(
                "field `desired_count`, value `{count}`: must be from 1 to 5000 to wake"
            ))),
            desired_count => call(
                Some(group()),
                Action::Wake(Wake {
                    desired_count,
                    ..Wake::default()
                }),
                Cause::Direct,
            ),
        },
        "sleep" => {
            let action = end.map_or(Action::Sleep, |until| Action::KeepAsleep { until });
            call(Some(group()), action, Cause::Direct)
        }
        "keep-awake" => match end {
            Some(until) => call(Some(group()), Action::KeepAwake { until }, Cause::Direct),
            None => Err(invalid(
                "field `for` or `until` is missing: how long to keep it awake, such as 2h",
            )),
        },
        "tick" => call(named, Action::Tick, Cause::Direct),
        "sleep-timer" => match raw.generation {
            Some(number) => {
                let generation = Generation(number);
                call(Some(group()), Action::Timer { generation }, Cause::SleepTimer)
            }
            None => Err(invalid("field `generation` is missing")),
        },
        "list" => Ok(Ask::Query(Query::List)),
        "why" => {
            let limit = raw.limit.map(|limit| limit.to_string());
            let query = WhyQuery::parse(group(), limit.as_deref(), raw.before.as_deref())?;
            Ok(Ask::Query(Query::Why(query)))
        }
        other => Err(invalid(&format!(
            "field `action`, value `{other}`: must be wake, sleep, keep-awake, tick, list or why"
        ))),
    }
}

/// The end of an override, given as how long it lasts or as a moment; none if it is not given.
fn end(period: Option<&str>, until: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let bad =
        |field: &str, text: &str, rule: &str| invalid(&format!("field `{field}`, value `{text}`: {rule}"));
    match (period, until) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(invalid("fields `for` and `until` do not go together")),
        (Some(text), None) => {
            let period = duration::parse(text).filter(|period| !period.is_zero());
            let period = period.ok_or_else(|| bad("for", text, duration::RULE))?;
            Ok(Some(duration::after(now, period)))
        }
        (None, Some(text)) => {
            let moment = text.parse().ok().filter(|moment: &Timestamp| {
                *moment > now && *moment <= duration::after(now, duration::LONGEST)
            });
            let rule = "must be a moment of the coming 366 days, such as 2027-01-15T18:00:00Z";
            Ok(Some(moment.ok_or_else(|| bad("until", text, rule))?))
        }
    }
}

/// Who a caller says they are: Lambda does not tell.
fn name_of_caller(name: String) -> Result<String, Error> {
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !name.contains(char::is_control) && !name.trim().is_empty() {
        Ok(name)
    } else {
        let name = name.escape_debug();
        Err(invalid(&format!(
            "field `by`, value `{name}`: must be 1 to {LONGEST_NAME} printable characters"
        )))
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidRequest, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn understood(event: Value) -> (Option<String>, Action) {
        let call = parse(&event, NOW).and_then(Ask::turn).expect("a call");
        (call.group.map(String::from), call.intent.action)
    }

    #[test]
    fn calls_say_what_to_do_with_which_group() {
        let dev = || Some("dev".to_owned());
        let default = || Some("default".to_owned());
        let wake = |desired_count| {
            Action::Wake(Wake {
                desired_count,
                ..Wake::default()
            })
        };
        for (event, expected) in [
            (json!({"group": "dev", "action": "wake"}), (dev(), wake(None))),
            (
                json!({"group": "dev", "action": "wake", "desired_count": 2}),
                (dev(), wake(Some(2))),
            ),
            (json!({"action": "sleep"}), (default(), Action::Sleep)),
            (json!({"desired_count": 0}), (default(), Action::Sleep)),
            (json!({"desired_count": 3}), (default(), wake(Some(3)))),
            (
                json!({"group": "dev", "desired_count": 0}),
                (dev(), Action::Sleep),
            ),
            (json!({"action": "tick"}), (None, Action::Tick)),
            (json!({"group": "dev", "action": "tick"}), (dev(), Action::Tick)),
            (
                json!({"group": "dev", "action": "sleep-timer", "generation": 4, "execution": "x"}),
                (
                    dev(),
                    Action::Timer {
                        generation: Generation(4),
                    },
                ),
            ),
            (
                json!({"group": "dev", "action": "sleep", "until": "1970-01-02T01:00:00+01:00"}),
                (
                    dev(),
                    Action::KeepAsleep {
                        until: Timestamp::from_second(86_400).expect("a moment"),
                    },
                ),
            ),
            (
                json!({"group": "dev", "action": "keep-awake", "for": "2h"}),
                (
                    dev(),
                    Action::KeepAwake {
                        until: Timestamp::from_second(7200).expect("a moment"),
                    },
                ),
            ),
        ] {
            assert_eq!(understood(event.clone()), expected, "{event}");
        }
    }

    #[test]
    fn a_call_that_cannot_be_understood_names_field_value_and_rule() {
        for (event, part) in [
            (json!({"group": "dev"}), "`action` is missing"),
            (json!({"group": "a/b", "action": "wake"}), "`a/b`"),
            (json!({"action": "explode"}), "`explode`"),
            (json!({"action": "wake", "desired_count": 0}), "`0`"),
            (json!({"desired_count": 5001}), "`5001`"),
            (json!({"desired_count": -1}), "-1"),
            (json!({"action": "keep-awake"}), "`for` or `until` is missing"),
            (json!({"action": "keep-awake", "for": "soon"}), "`soon`"),
            (
                json!({"action": "wake", "for": "2h"}),
                "`for` does not go with action `wake`",
            ),
            (
                json!({"action": "tick", "until": "2027-01-15T18:00:00Z"}),
                "`until` does not go with action `tick`",
            ),
            (json!({"action": "sleep", "until": "18:00"}), "`18:00`"),
            (
                json!({"action": "sleep", "until": "1970-01-01T00:00:00Z"}),
                "must be a moment of the coming 366 days",
            ),
            (
                json!({"action": "sleep", "until": "1972-01-01T00:00:00Z"}),
                "must be a moment of the coming 366 days",
            ),
            (
                json!({"action": "sleep", "until": "1970-01-01T02:00:00Z", "for": "2h"}),
                "do not go together",
            ),
            (
                json!({"action": "sleep", "desired_count": 2}),
                "`desired_count` does not go",
            ),
            (
                json!({"action": "wake", "generation": 2}),
                "`generation` does not go",
            ),
            (json!({"action": "sleep-timer"}), "`generation` is missing"),
            (json!({"action": "wake", "desired": 2}), "`desired`"),
            (json!({"action": "wake", "by": ""}), "`by`, value ``"),
            (json!({"action": "wake", "by": "  "}), "1 to 256 printable"),
            (json!({"action": "sleep", "by": "a\nb"}), "`a\\nb`"),
            (
                json!({"action": "tick", "by": "x".repeat(257)}),
                "1 to 256 printable",
            ),
            (
                json!({"action": "sleep-timer", "generation": 1, "by": "me"}),
                "`by` does not go",
            ),
            (json!({"action": "wake", "limit": 5}), "`limit` does not go with"),
            (
                json!({"action": "list", "before": "x"}),
                "`before` does not go with",
            ),
            (
                json!({"action": "list", "group": "dev"}),
                "`group` does not go with",
            ),
            (json!({"action": "list", "by": "me"}), "`by` does not go with"),
            (
                json!({"action": "why", "desired_count": 1}),
                "`desired_count` does not go",
            ),
            (
                json!({"action": "why", "limit": 0}),
                "`limit`, value `0`: must be",
            ),
            (json!({"action": "why", "limit": 101}), "from 1 to 100"),
            (json!({"action": "why", "before": "yesterday"}), "`yesterday`"),
        ] {
            let error = parse(&event, NOW).expect_err("no call");
            assert_eq!(error.code, Code::InvalidRequest);
            assert!(error.message.contains(part), "{event}: {error}");
        }
    }

    #[test]
    fn a_caller_may_say_who_they_are() {
        let by = |event: Value| {
            let call = parse(&event, NOW).and_then(Ask::turn).expect("a call");
            call.intent.by
        };
        let ada = "Ada, on call \u{e9}";
        assert_eq!(by(json!({"action": "wake", "by": ada})), Some(ada.to_owned()));
        assert_eq!(
            by(json!({"desired_count": 0, "by": "x".repeat(256)})),
            Some("x".repeat(256))
        );
        assert_eq!(by(json!({"action": "wake"})), None);
    }

    #[test]
    fn queries_are_told_from_calls_and_refused_by_functions_that_answer_none() {
        let list = parse(&json!({"action": "list"}), NOW).expect("a query");
        assert_eq!(list, Ask::Query(Query::List));
        assert!(
            list.turn()
                .expect_err("no call")
                .message
                .contains("wake function")
        );
        let before = "2027-01-15T08:00:00.000Z~00000000000000000004";
        let event = json!({"action": "why", "group": "dev", "limit": 5, "before": before});
        let Ok(Ask::Query(Query::Why(query))) = parse(&event, NOW) else {
            panic!("no query: {event}");
        };
        assert_eq!((query.group.as_str(), query.limit), ("dev", 5));
        assert_eq!(
            query.before.map(|cursor| cursor.to_string()),
            Some(before.to_owned())
        );
        let Ok(Ask::Query(Query::Why(query))) = parse(&json!({"action": "why"}), NOW) else {
            panic!("no query");
        };
        assert_eq!(
            (query.group.as_str(), query.limit, query.before),
            ("default", 20, None)
        );
    }

    proptest! {
        #[test]
        fn no_fields_make_it_panic(group in ".*", action in ".*", count in any::<i64>(), period in ".*") {
            let _ = parse(&json!({"group": group, "action": action, "desired_count": count, "for": period}), NOW);
        }
    }

    #[test]
    fn step_functions_waits_for_the_next_whole_second() {
        let at = |millis| Timestamp::from_millisecond(millis).expect("a moment");
        assert_eq!(whole_second(at(5_000)), at(5_000));
        assert_eq!(whole_second(at(5_001)), at(6_000));
        assert_eq!(whole_second(at(5_999)), at(6_000));
    }

    #[test]
    fn a_direct_call_has_one_of_its_fields() {
        for name in ["action", "desired_count", "group"] {
            assert!(is_call(&json!({name: null})), "{name}");
        }
        assert!(!is_call(&json!({"Records": []})) && !is_call(&json!("group")));
    }
}
