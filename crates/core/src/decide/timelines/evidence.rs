//! Signs of life: what is asked when, and what the answers mean together.

use std::collections::BTreeSet;

use super::*;

/// Awake since 30 s, with these signals; asked last at 0, idle after 10 minutes.
fn with(signals: &[Signal]) -> Timeline {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Listed(signals.iter().copied().collect::<BTreeSet<_>>());
    t
}

fn quiet(since: i64, until: i64) -> Reading {
    Reading::Quiet {
        since: at(since),
        until: at(until),
    }
}

#[test]
fn logs_are_searched_only_once_all_else_is_quiet() {
    let mut t = with(&[Signal::Logs, Signal::Requests]);
    let asks = |signal| vec![("web".to_owned(), signal)];
    assert_eq!(t.asks(1000), asks(Signal::Requests));
    t.reads("web", Signal::Requests, Reading::Active(at(990)));
    assert_eq!(t.asks(1000), []);
    assert_eq!(t.tick(1000).reason.code(), "in-use");
    t.reads("web", Signal::Requests, quiet(300, 1000));
    assert_eq!(t.asks(1000), asks(Signal::Logs));
    t.reads("web", Signal::Logs, Reading::Unknown("Failed".into()));
    assert_eq!(t.asks(1000), []);
    assert_eq!(t.tick(1000).reason.code(), "signal-unknown");
    t.reads("web", Signal::Logs, quiet(300, 940));
    assert_eq!(t.tick(1000).reason.code(), "idle");
}

#[test]
fn recorded_activity_spares_the_search_and_keeps_it_awake() {
    let mut t = with(&[Signal::Logs]);
    t.decide(700, Action::Activity(BTreeMap::from([(id("web"), at(699))])));
    assert_eq!(t.asks(1298), []);
    assert_eq!(
        t.tick(1298).reason,
        Reason::InUse {
            signal: Signal::Logs,
            service: id("web"),
            at: at(699)
        }
    );
    assert_eq!(t.asks(1299), [("web".to_owned(), Signal::Logs)]);
}

#[test]
fn what_a_search_found_is_remembered() {
    let mut t = with(&[Signal::Logs]);
    t.reads("web", Signal::Logs, Reading::Active(at(800)));
    let tick = t.tick(1000);
    assert_eq!((tick.reason.code(), tick.look_again), ("in-use", Some(at(1400))));
    t.seen.readings.clear();
    assert_eq!(
        t.asks(1399),
        [],
        "no second search before it could find anything else"
    );
    assert_eq!(t.asks(1400).len(), 1);
}

#[test]
fn a_service_that_somebody_has_switched_off_keeps_nobody_awake() {
    let mut t = Timeline::awake(&["web", "worker"], 1);
    for service in &mut t.group.services {
        let signals = [Signal::Requests, Signal::Connections, Signal::Logs];
        service.signals = Signals::Listed(signals.into_iter().collect());
    }
    t.changes("worker", |state| {
        (state.desired, state.running, state.tasks) = (0, 0, Vec::new());
    });
    let asked = t.asks(1000).into_iter().map(|(service, _)| service);
    assert!(asked.eq(["web", "web"]), "nothing of its tasks could tell of use");
    t.reads("web", Signal::Requests, quiet(300, 1000));
    t.reads("web", Signal::Connections, quiet(300, 1000));
    let web = ("web".to_owned(), Signal::Logs);
    let worker = ("worker".to_owned(), Signal::Logs);
    assert_eq!(t.asks(1000), [web, worker], "logs may");
    t.reads("web", Signal::Logs, quiet(300, 940));
    t.reads("worker", Signal::Logs, quiet(300, 940));
    assert_eq!(t.tick(1000).reason.code(), "idle");
}

#[test]
fn connections_are_quiet_from_look_to_look() {
    let mut t = with(&[Signal::Connections]);
    for seconds in (60..660).step_by(60) {
        assert_eq!(t.asks(seconds).len(), 1, "each tick looks");
        t.reads("web", Signal::Connections, quiet(seconds, seconds))
            .tick(seconds);
        t.seen.readings.clear();
        assert_eq!(t.record.phase, Phase::Awake, "{seconds}");
    }
    t.reads("web", Signal::Connections, quiet(660, 660));
    assert_eq!(
        t.tick(660).reason,
        Reason::Idle {
            idle_after_seconds: 600
        }
    );
}

#[test]
fn only_a_look_that_comes_regularly_asks_for_connections() {
    let mut t = with(&[Signal::Connections]);
    let asks = |t: &Timeline, action| {
        let intent = Intent::of(action, Cause::Http);
        wanted_readings(&t.group, &t.record, &t.seen, &intent, at(60)).len()
    };
    assert_eq!(asks(&t, Action::Tick), 1);
    let generation = t.record.generation;
    assert_eq!(asks(&t, Action::Timer { generation }), 1);
    assert_eq!(asks(&t, Action::Look), 0);
    assert_eq!(asks(&t, Action::wake()), 0);
    t.record.phase = Phase::Waking;
    assert_eq!(asks(&t, Action::Tick), 0);
}

#[test]
fn looks_that_are_one_missed_tick_apart_stand_for_the_time_between_them() {
    let since = |second: i64| {
        let mut t = with(&[Signal::Connections]);
        for seconds in [60, second] {
            t.reads("web", Signal::Connections, quiet(seconds, seconds))
                .tick(seconds);
        }
        t.record.services[&id("web")].quiet[&Signal::Connections].since
    };
    assert_eq!((since(210), since(211)), (at(60), at(211)));
}

#[test]
fn a_connection_or_an_unknown_look_or_a_long_gap_begins_the_quiet_anew() {
    for broken in [
        Some(Reading::Active(at(600))),
        Some(Reading::Unknown("no answer".into())),
        None,
    ] {
        let mut t = with(&[Signal::Connections]);
        for seconds in [60, 180, 300, 420, 480] {
            t.reads("web", Signal::Connections, quiet(seconds, seconds))
                .tick(seconds);
        }
        if let Some(reading) = broken.clone() {
            t.reads("web", Signal::Connections, reading).tick(540);
        }
        t.reads("web", Signal::Connections, quiet(660, 660));
        let reason = t.tick(660).reason;
        assert_eq!(
            reason,
            Reason::QuietTooShort {
                signal: Signal::Connections,
                service: id("web"),
                since: at(660),
                until: at(660)
            },
            "{broken:?}"
        );
    }
}

#[test]
fn a_service_has_tasks_that_may_be_used_while_one_is_wanted_or_comes_or_goes() {
    for (desired, running, pending, asked) in [(1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1), (0, 0, 0, 0)] {
        let mut t = Timeline::awake(&["web", "worker"], 1);
        t.group.services[1].signals = Signals::Listed([Signal::Requests].into());
        t.changes("worker", |state| {
            (state.desired, state.running, state.pending) = (desired, running, pending);
            state.tasks = Vec::new();
        });
        assert_eq!(t.asks(1000).len(), asked, "{desired} {running} {pending}");
    }
}

#[test]
fn metrics_are_quiet_for_as_long_as_they_show_and_no_longer() {
    let mut t = with(&[Signal::Requests]);
    t.reads("web", Signal::Requests, quiet(300, 880)).tick(1000);
    t.reads("web", Signal::Requests, quiet(400, 940));
    assert_eq!(t.tick(1060).reason.code(), "quiet-too-short");
}

#[test]
fn the_next_look_waits_for_metrics_that_are_late() {
    let mut t = with(&[Signal::Requests]);
    t.reads("web", Signal::Requests, quiet(300, 880));
    let tick = t.tick(1000);
    assert_eq!(
        (tick.reason.code(), tick.look_again),
        ("quiet-too-short", Some(at(1020)))
    );
}

#[test]
fn every_signal_of_every_service_must_be_quiet() {
    let mut t = Timeline::awake(&["api", "web"], 1);
    for service in &mut t.group.services {
        service.signals = Signals::Listed(BTreeSet::from([Signal::Cpu, Signal::Requests]));
    }
    for name in ["api", "web"] {
        for signal in [Signal::Cpu, Signal::Requests] {
            t.reads(name, signal, quiet(0, 1000));
        }
    }
    t.reads("web", Signal::Cpu, Reading::Active(at(995)));
    assert_eq!(
        t.tick(1000).reason,
        Reason::InUse {
            signal: Signal::Cpu,
            service: id("web"),
            at: at(995)
        }
    );
    t.reads("web", Signal::Cpu, quiet(0, 1000));
    assert_eq!(t.tick(1000).reason.code(), "idle");
}

#[test]
fn target_groups_are_remembered_for_alarms_even_while_asleep() {
    let mut t = Timeline::new(&["web"]);
    t.changes("web", |state| state.target_groups = vec!["tg".into()])
        .tick(0);
    assert_eq!(t.record.services[&id("web")].target_groups, ["tg"]);
    assert_eq!(t.record.phase, Phase::Asleep);
}
