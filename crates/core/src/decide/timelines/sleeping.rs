//! From awake to asleep, and why not.

use super::*;

#[test]
fn the_fixed_timer_counts_from_the_last_wake() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(t.wake(500).reason, Reason::AlreadyAwake);
    assert_eq!(t.tick(1099).reason, Reason::AskedRecently { until: at(1100) });
    let asleep = t.tick(1100);
    assert_eq!(
        asleep.reason,
        Reason::FixedTimeOver {
            idle_after_seconds: 600
        }
    );
    assert_eq!(counts(&asleep), web(0));
    assert_eq!(t.record.phase, Phase::FallingAsleep);
}

#[test]
fn the_grace_counts_from_becoming_ready() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].idle_after = Duration::from_secs(60);
    assert_eq!(t.tick(329).reason, Reason::Grace { until: at(330) });
    assert_eq!(t.tick(330).reason.code(), "fixed-time-over");
}

#[test]
fn only_a_tick_or_its_own_timer_puts_to_sleep() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(t.decide(5000, Action::Look).reason, Reason::AlreadyAwake);
    let old = t.decide(
        5000,
        Action::Timer {
            generation: Generation(0),
        },
    );
    assert_eq!(
        (old.reason, old.superseded),
        (
            Reason::Superseded {
                current: Generation(1)
            },
            true
        )
    );
    assert!(old.effects.is_empty() && old.look_again.is_none());
    assert_eq!(
        t.decide(
            5000,
            Action::Timer {
                generation: Generation(1)
            }
        )
        .reason
        .code(),
        "fixed-time-over"
    );
}

#[test]
fn two_ticks_at_once_do_the_work_of_one() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(counts(&t.tick(700)), web(0));
    let second = t.tick(700);
    assert_eq!(
        (counts(&second), second.reason),
        (Vec::new(), Reason::StillFallingAsleep)
    );
}

#[test]
fn what_cannot_be_looked_at_is_not_put_to_sleep() {
    let mut t = Timeline::awake(&["web"], 1);
    let denied = Error::new(Code::AccessDenied, "DescribeServices: not authorized");
    t.sees("web", Seen::Unknown(denied));
    for action in [Action::Tick, Action::Sleep] {
        let decision = t.decide(5000, action);
        assert_eq!(
            (decision.reason.code(), decision.effects),
            ("unobserved", Vec::new())
        );
    }
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn a_rollout_is_not_cut() {
    let mut t = Timeline::awake(&["web"], 1);
    t.changes("web", |state| state.rollout_since = Some(at(900)));
    assert_eq!(
        t.tick(1000).reason,
        Reason::RolloutUnderWay { service: id("web") }
    );
    t.changes("web", |state| state.rollout_since = Some(at(1000 - 3600)));
    assert_eq!(
        t.tick(1000).reason.code(),
        "fixed-time-over",
        "a rollout that never ends does not keep it awake"
    );
}

#[test]
fn uptime_alone_is_not_idleness() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    assert_eq!(t.tick(1_000_000).reason, Reason::NoSignal);
}

#[test]
fn requests_decide_behind_a_load_balancer() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    t.changes("web", |state| {
        state.target_groups = vec!["tg".into()];
        state
            .tasks
            .iter_mut()
            .for_each(|task| task.targets = vec![Health::Healthy]);
    });
    assert_eq!(t.asks(599), [], "nothing is read while sleep is no question");
    assert_eq!(t.asks(2000), [("web".to_owned(), Signal::Requests)]);

    let mut decide_on = |reading: Option<Reading>| {
        t.seen.readings = reading
            .into_iter()
            .map(|reading| (id("web"), Signal::Requests, reading))
            .collect();
        let record = t.record.clone();
        let reason = t.tick(2000).reason;
        t.record = record;
        reason.code()
    };
    assert_eq!(decide_on(None), "signal-unknown");
    assert_eq!(
        decide_on(Some(Reading::Unknown("throttled".into()))),
        "signal-unknown"
    );
    assert_eq!(decide_on(Some(Reading::Active(at(1990)))), "in-use");
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1301),
            until: at(1900)
        })),
        "quiet-too-short"
    );
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1300),
            until: at(1900)
        })),
        "idle"
    );
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1500),
            until: at(9000)
        })),
        "quiet-too-short",
        "a clock ahead"
    );
}

#[test]
fn a_missing_service_is_waited_for_but_does_not_keep_the_others_awake() {
    let mut t = Timeline::awake(&["api", "web"], 1);
    t.sees(
        "api",
        Seen::Unknown(Error::new(Code::ServiceNotFound, "service `dev/api` is MISSING")),
    );
    let tick = t.tick(700);
    assert_eq!((tick.reason.code(), counts(&tick)), ("fixed-time-over", web(0)));
    t.sees("web", service(0, 0, false));
    t.tick(760);
    assert_eq!(t.record.phase, Phase::Asleep);
}

#[test]
fn it_is_asleep_when_the_last_task_is_gone() {
    let mut t = Timeline::awake(&["web"], 1);
    t.tick(700);
    t.sees("web", service(0, 1, true));
    assert_eq!(
        (t.decide(705, Action::Look).reason, t.record.phase),
        (Reason::StillFallingAsleep, Phase::FallingAsleep)
    );
    t.sees("web", service(0, 0, false)).decide(710, Action::Look);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Asleep, "fixed-time-over")
    );
}

/// Found by the simulation, seed 428: a count that was lowered beside the sleep came back as it was before.
#[test]
fn the_count_that_is_taken_is_the_one_that_is_given_back() {
    let mut t = Timeline::awake(&["db", "web"], 2);
    t.needs("web", "db");
    assert_eq!(counts(&t.decide(5000, Action::Sleep)), [("web".to_owned(), 0)]);
    // A scale-in of the database was on its way, or somebody sets another count.
    t.sees("web", service(0, 0, false))
        .sees("db", service(1, 1, true));
    assert_eq!(counts(&t.tick(5060)), [("db".to_owned(), 0)]);
    // What is still on its way to 0 is no count that anybody set.
    t.sees("db", service(2, 1, true));
    t.tick(5065);
    t.sees("db", service(0, 0, false));
    t.tick(5120);
    assert_eq!(t.record.phase, Phase::Asleep);
    assert_eq!(counts(&t.wake(6000)), [("db".to_owned(), 1)]);
}

#[test]
fn a_wake_that_did_not_get_its_count_still_wants_it_after_a_sleep() {
    let mut t = Timeline::awake(&["web"], 3);
    t.decide(5000, Action::Sleep);
    t.sees("web", service(0, 0, false)).tick(5060);
    assert_eq!(counts(&t.wake(6000)), web(3));
    t.sees("web", service(1, 1, true));
    assert_eq!(counts(&t.decide(6001, Action::Sleep)), web(0));
    t.sees("web", service(0, 0, false)).tick(6060);
    assert_eq!(counts(&t.wake(7000)), web(3));
}
