//! What the overview tells of records and settings.

use std::time::Duration;

use super::*;
use crate::connections::Endpoint;
use crate::error::{Code, Error};
use crate::hours::Hours;
use crate::reason::Reason;
use crate::record::Failure;
use crate::settings::{Defaults, ServiceSettings, Signals};

fn at(text: &str) -> Timestamp {
    format!("2027-01-15T{text}Z").parse().expect("a moment")
}

fn id(name: &str) -> ServiceId {
    ServiceId::new("dev", name)
}

/// Idle after 10 minutes, grace 5 minutes.
fn settings(hours: Option<&str>) -> GroupSettings {
    let defaults = Defaults {
        idle_after: Duration::from_secs(600),
        ..Defaults::default()
    };
    let mut web = ServiceSettings::of(id("web"), &defaults);
    web.awake = hours.map(|text| Hours::parse(text).expect("hours"));
    GroupSettings::of(&GroupName::parse("dev").expect("a name"), vec![web])
}

fn record(phase: Phase, since: &str) -> Record {
    Record {
        version: 1,
        phase,
        generation: Generation(1),
        ..Record::unseen(at(since))
    }
}

fn seen(settings: &GroupSettings, record: &Record, now: &str) -> Group {
    group(settings, Some(record), at(now))
}

#[test]
fn an_awake_group_may_sleep_once_grace_idle_time_override_and_hours_are_over() {
    let deadline = |record: &Record, hours, now| {
        let moment = seen(&settings(hours), record, now).next_deadline;
        moment.map(|moment| moment.to_string())
    };
    let is = |text: &str| Some(format!("2027-01-15T{text}:00Z"));
    let mut awake = record(Phase::Awake, "08:00");
    assert_eq!(deadline(&awake, None, "08:01"), is("08:10"), "idle time");
    awake.last_wake_at = Some(at("08:05"));
    assert_eq!(deadline(&awake, None, "08:06"), is("08:15"));
    awake.idle_after = Some(Duration::from_secs(60));
    assert_eq!(deadline(&awake, None, "08:06"), is("08:06"), "its signals decide");
    awake.last_wake_at = None;
    assert_eq!(deadline(&awake, None, "08:02"), is("08:05"), "grace");
    awake.override_until = Some(at("09:30"));
    assert_eq!(deadline(&awake, None, "08:06"), is("09:30"));
    let hours = Some("Daily 09:00-12:00");
    assert_eq!(
        deadline(&awake, hours, "08:06"),
        is("12:00"),
        "its hours begin before the override ends"
    );
    assert_eq!(
        deadline(&awake, Some("Daily 00:00-24:00"), "08:06"),
        None,
        "never"
    );
    awake.phase = Phase::Waking;
    assert_eq!(deadline(&awake, None, "08:06"), None);
}

#[test]
fn a_sleeping_group_is_woken_by_its_hours_alone() {
    let hours = Some("Daily 09:00-12:00");
    let mut asleep = record(Phase::Asleep, "07:00");
    let deadline = |record: &Record, hours, now| seen(&settings(hours), record, now).next_deadline;
    assert_eq!(deadline(&asleep, None, "08:00"), None);
    let before = Some(at("08:58"));
    assert_eq!(deadline(&asleep, hours, "08:00"), before, "a usual wake earlier");
    assert_eq!(deadline(&asleep, hours, "10:00"), Some(at("10:00")), "it is due");
    asleep.reason = Reason::SleepAsked;
    asleep.fell_asleep_at = Some(at("09:30"));
    let tomorrow = "2027-01-16T08:58Z".parse().ok();
    assert_eq!(deadline(&asleep, hours, "10:00"), tomorrow);
}

#[test]
fn what_sleep_saved_grows_while_it_lasts() {
    let settings = settings(None);
    let mut asleep = record(Phase::Asleep, "08:00");
    assert_eq!(
        seen(&settings, &asleep, "09:00").slept_task_seconds,
        0,
        "never seen awake"
    );
    asleep.service(&id("web")).saved = Some(3);
    asleep.service(&id("somebody-elses-by-now")).saved = Some(5);
    asleep.slept_task_seconds = 100;
    assert_eq!(
        seen(&settings, &asleep, "09:00").slept_task_seconds,
        100 + 3 * 3600
    );
    asleep.phase = Phase::Awake;
    assert_eq!(seen(&settings, &asleep, "09:00").slept_task_seconds, 100);
}

#[test]
fn signals_and_problems_are_those_that_are_known_without_a_look() {
    let mut settings = settings(None);
    let mut record = record(Phase::Asleep, "08:00");
    assert_eq!(seen(&settings, &record, "08:01").signals, BTreeSet::new());
    settings.services[0].connections = Endpoint::parse("/nginx_status");
    record.service(&id("web")).target_groups = vec!["tg".to_owned()];
    record.service(&id("web")).failure = Some(Failure {
        error: Error::new(Code::AccessDenied, "no"),
        at: at("08:00"),
    });
    settings.problems = vec![Problem {
        code: Code::InvalidTag,
        service: None,
        message: "a tag".to_owned(),
    }];
    let group = seen(&settings, &record, "08:01");
    assert_eq!(
        group.signals,
        BTreeSet::from([Signal::Requests, Signal::Connections])
    );
    let codes: Vec<Code> = group.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::InvalidTag, Code::AccessDenied]);
    settings.services[0].signals = Signals::FixedTimer;
    assert_eq!(seen(&settings, &record, "08:01").signals, BTreeSet::new());
}

#[test]
fn a_group_that_was_never_looked_at_is_there_and_says_so() {
    let group = group(&settings(None), None, at("08:00"));
    let json = serde_json::to_value(group).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({
            "group": "dev", "phase": null, "since": null, "generation": 0, "mode": "act", "reason": "never-seen",
            "detail": "never looked at before", "cause": null, "woken_by": null, "override_until": null, "next_deadline": null,
            "signals": [], "services": [{"cluster": "dev", "name": "web"}], "slept_task_seconds": 0, "led_away": 0, "problems": [],
        })
    );
}
