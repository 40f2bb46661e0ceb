//! The codes and the sentences.

use super::*;

#[test]
fn the_code_is_the_one_in_json_and_the_sentence_says_the_numbers() {
    let at = Timestamp::UNIX_EPOCH;
    for (reason, said) in [
        (
            Reason::CpuAbove {
                percent: 91,
                limit: 70,
            },
            "91 %, above 70 %",
        ),
        (
            Reason::MemoryAbove {
                percent: 91,
                limit: 70,
            },
            "91 %, above 70 %",
        ),
        (
            Reason::StepAbove {
                mean: 120,
                threshold: 100,
                wanted: 10,
            },
            "120 connections per task, above 100",
        ),
        (
            Reason::TargetAbove {
                total: 950,
                target: 100,
                wanted: 10,
            },
            "need 10 tasks",
        ),
        (
            Reason::LowForStableWindow { total: 9, needed: 2 },
            "at most 9 connections in 5m",
        ),
        (Reason::Enough { total: 9, needed: 2 }, "its 9 connections need"),
        (
            Reason::EnoughOnTheirWay {
                needed: 4,
                desired: 4,
                running: 3,
            },
            "need 4 tasks: 3 run, and 4 will",
        ),
        (
            Reason::Panicking { until: at },
            "leapt: none is removed until 1970-01-01T00:00:00Z",
        ),
        (
            Reason::ConnectionsUnknown {
                why: "throttled".into(),
            },
            "connections are unknown: throttled",
        ),
        (Reason::BelowMinimum { min: 2 }, "which is 2"),
        (
            Reason::BelowForStableWindow { since: at },
            "since 1970-01-01T00:00:00Z, for 5m",
        ),
        (Reason::WithinRange, "within"),
        (
            Reason::NotStableYet { since: at },
            "only since 1970-01-01T00:00:00Z",
        ),
        (Reason::Cooldown { until: at }, "until 1970-01-01T00:00:00Z"),
        (Reason::AtMaximum { max: 4 }, "dormouse:max is 4"),
        (Reason::AtMinimum { min: 2 }, "dormouse:min is 2"),
        (Reason::RolloutUnderWay, "rollout"),
        (
            Reason::TasksOnTheirWay {
                desired: 4,
                running: 3,
            },
            "3 run and 4 should",
        ),
        (Reason::ScaleInOff, "dormouse:scale-in is off"),
        (
            Reason::TooBusyForFewer {
                utilization: Utilization::Memory,
                percent: 80,
                limit: 70,
            },
            "bring memory to 80 %",
        ),
        (
            Reason::NoFreeTask {
                in_use: 2,
                protected: 1,
                unknown: 3,
            },
            "2 with sessions",
        ),
        (
            Reason::MetricsUnknown {
                utilization: Utilization::Cpu,
                why: "throttled".into(),
            },
            "CPU is unknown: throttled",
        ),
        (
            Reason::TasksUnknown {
                why: "throttled".into(),
            },
            "unknown: throttled",
        ),
        (
            Reason::ScaleInUnderWay { since: at },
            "since 1970-01-01T00:00:00Z",
        ),
        (Reason::OnItsWay { count: 4 }, "change to 4"),
        (Reason::Asked, "asked"),
        (Reason::NotAutoscaled, "dormouse:max"),
        (Reason::NoMetric, "dormouse:cpu"),
        (Reason::Asleep, "no task"),
    ] {
        let json = serde_json::to_value(&reason).expect("JSON");
        assert_eq!(json["code"], reason.code());
        assert!(reason.to_string().contains(said), "{reason}");
        assert_eq!(serde_json::from_value::<Reason>(json).expect("a reason"), reason);
    }
}
