//! The codes and the sentences.

use super::*;
use crate::scaling::reason::Reason as MinuteReason;

/// Each reason, with a part of its sentence and whether the one-minute policy has it too.
fn all() -> Vec<(Reason, &'static str, bool)> {
    let at = Timestamp::UNIX_EPOCH;
    let (desired, running) = (4, 3);
    let why = "throttled".to_owned();
    vec![
        (
            Reason::StepAbove {
                mean: 120,
                threshold: 100,
                wanted: 10,
            },
            "120 connections per task, above 100",
            false,
        ),
        (
            Reason::TargetAbove {
                total: 950,
                target: 100,
                wanted: 10,
            },
            "need 10 tasks",
            false,
        ),
        (Reason::BelowMinimum { min: 2 }, "which is 2", true),
        (
            Reason::LowForStableWindow { total: 9, needed: 2 },
            "at most 9 connections in 5m",
            false,
        ),
        (
            Reason::Enough { total: 9, needed: 2 },
            "its 9 connections need",
            false,
        ),
        (
            Reason::EnoughOnTheirWay {
                needed: 4,
                desired,
                running,
            },
            "need 4 tasks: 3 run, and 4 will",
            false,
        ),
        (
            Reason::NotStableYet { since: at },
            "only since 1970-01-01T00:00:00Z",
            true,
        ),
        (
            Reason::Panicking { until: at },
            "until 1970-01-01T00:00:00Z",
            false,
        ),
        (Reason::Cooldown { until: at }, "until 1970-01-01T00:00:00Z", true),
        (Reason::AtMaximum { max: 4 }, "dormouse:max is 4", true),
        (Reason::AtMinimum { min: 2 }, "dormouse:min is 2", true),
        (Reason::RolloutUnderWay, "rollout", true),
        (
            Reason::TasksOnTheirWay { desired, running },
            "3 run and 4 should",
            true,
        ),
        (Reason::ScaleInOff, "dormouse:scale-in is off", true),
        (Reason::ConnectionsUnknown { why }, "unknown: throttled", false),
        (Reason::Asleep, "no task", true),
    ]
}

#[test]
fn the_code_is_the_one_in_json_and_the_sentence_says_the_numbers() {
    for (reason, said, _) in all() {
        let json = serde_json::to_value(&reason).expect("JSON");
        assert_eq!(json["code"], reason.code());
        assert!(reason.to_string().contains(said), "{reason}");
        assert_eq!(serde_json::from_value::<Reason>(json).expect("a reason"), reason);
    }
}

#[test]
fn a_code_of_the_one_minute_policy_carries_the_same_numbers() {
    for (reason, _, shared) in all() {
        let json = serde_json::to_value(&reason).expect("JSON");
        let read = serde_json::from_value::<MinuteReason>(json.clone());
        assert_eq!(read.is_ok(), shared, "{}", reason.code());
        if let Ok(read) = read {
            assert_eq!(serde_json::to_value(read).expect("JSON"), json);
        }
    }
}
