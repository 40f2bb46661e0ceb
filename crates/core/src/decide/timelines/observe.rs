//! Observe mode: everything is decided and told, and nothing is changed.

use super::*;

fn observed(names: &[&str], count: u32) -> Timeline {
    let mut t = Timeline::new(names);
    t.group.services[0].mode = Mode::Observe;
    for name in names {
        t.sees(name, service(count, count, true));
    }
    t
}

fn would(decision: &Decision) -> Option<(Phase, &str, i64)> {
    let would = decision.would.as_ref()?;
    let since = would.since.as_second() - at(0).as_second();
    Some((would.phase, would.reason.code(), since))
}

#[test]
fn what_runs_is_followed_and_never_put_to_sleep() {
    let mut t = observed(&["web"], 2);
    let seen = t.tick(0);
    assert_eq!((seen.effects, seen.would), (Vec::new(), None), "others woke it");
    assert_eq!(t.record.phase, Phase::Awake);
    assert_eq!(t.tick(299).reason.code(), "grace");
    for seconds in [600, 660, 5000] {
        let idle = t.tick(seconds);
        assert_eq!(would(&idle), Some((Phase::FallingAsleep, "fixed-time-over", 600)));
        assert_eq!((idle.effects, t.record.phase), (Vec::new(), Phase::Awake));
    }
    let counts = t.record.would.as_ref().map(|would| would.counts.clone());
    assert_eq!(counts, Some(BTreeMap::from([(id("web"), 0)])));
    t.wake(6000);
    assert_eq!(t.tick(6060).would, None, "it would stay awake now");
    assert_eq!(t.record.would, None);
}

#[test]
fn what_sleeps_is_not_woken_and_whoever_asks_is_told() {
    let mut t = observed(&["web"], 0);
    for seconds in [0, 10] {
        let wake = t.wake(seconds);
        assert_eq!(would(&wake), Some((Phase::Waking, "wake-asked", 0)));
        assert_eq!((wake.effects, t.record.generation), (Vec::new(), Generation(0)));
    }
    let awake = Timeline::awake(&["web"], 1);
    let mut t = observed(&["web"], 1);
    t.record = awake.record;
    let sleep = t.decide(100, Action::Sleep);
    assert_eq!(would(&sleep), Some((Phase::FallingAsleep, "sleep-asked", 100)));
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn what_would_be_done_for_another_reason_is_told_anew() {
    let mut t = observed(&["web"], 2);
    t.tick(0);
    assert_eq!(
        would(&t.tick(600)),
        Some((Phase::FallingAsleep, "fixed-time-over", 600))
    );
    let asked = t.decide(700, Action::Sleep);
    assert_eq!(would(&asked), Some((Phase::FallingAsleep, "sleep-asked", 700)));
}

#[test]
fn a_wake_from_before_it_was_only_observed_ends_by_itself() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    t.group.services[0].mode = Mode::Observe;
    t.sees("web", service(1, 0, false));
    assert_eq!(t.tick(60).would, None, "it has its tasks");
    t.sees("web", service(1, 1, true)).tick(120);
    assert_eq!((t.record.phase, t.tick(180).would), (Phase::Awake, None));
}

#[test]
fn quiet_is_remembered_though_nothing_comes_of_it() {
    let mut t = observed(&["web"], 1);
    t.group.services[0].signals = Signals::Listed([Signal::Connections].into());
    t.tick(0);
    for minute in 1..=60 {
        let now = at(minute * 60);
        t.reads(
            "web",
            Signal::Connections,
            Reading::Quiet {
                since: now,
                until: now,
            },
        );
        let decision = t.tick(minute * 60);
        let expected = (minute >= 11).then_some((Phase::FallingAsleep, "idle", 660));
        assert_eq!(would(&decision), expected, "minute {minute}");
    }
}

#[test]
fn a_sleep_that_could_not_even_begin_is_not_begun_in_observe_mode() {
    let mut t = observed(&["web"], 1);
    t.tick(0);
    let denied = Error::new(Code::AccessDenied, "DescribeScalableTargets: not authorized");
    t.seen.bounds = Some(BTreeMap::from([(id("web"), Err(denied))]));
    assert_eq!(
        would(&t.tick(700)),
        Some((Phase::FallingAsleep, "fixed-time-over", 700))
    );
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn what_runs_and_needs_others_is_followed_too() {
    let mut t = observed(&["web"], 1);
    t.group.services[0].needs = vec![crate::needs::Need::parse("shared/db").expect("a need")];
    let shared = crate::ids::GroupName::parse("shared").expect("a name");
    let state = crate::observation::GroupState {
        phase: Phase::Asleep,
        since: None,
        put_to_sleep: false,
        services: vec![id("db")],
        failures: BTreeMap::new(),
    };
    t.seen.groups = BTreeMap::from([(shared, crate::observation::Neighbour::Known(state))]);
    t.sees("db", service(1, 1, true));
    for seconds in [0, 60] {
        let seen = t.tick(seconds);
        assert_eq!((seen.effects, seen.would), (Vec::new(), None));
    }
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn a_group_that_may_act_again_forgets_what_it_would_have_done() {
    let mut t = observed(&["web"], 0);
    t.wake(0);
    assert!(t.record.would.is_some());
    t.group.services[0].mode = Mode::Act;
    t.tick(60);
    assert_eq!(t.record.would, None);
}
