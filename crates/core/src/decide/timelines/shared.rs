//! Groups that need each other: `dev` needs `shared/db`, and `shared` is needed by `dev` and `stage`.

use super::*;
use crate::ids::GroupName;
use crate::observation::{GroupState, Neighbour};

fn name(text: &str) -> GroupName {
    GroupName::parse(text).expect("a name")
}

fn neighbour(phase: Phase, since: i64) -> GroupState {
    GroupState {
        phase,
        since: Some(at(since)),
        put_to_sleep: false,
        services: vec![id("db")],
        failures: BTreeMap::new(),
    }
}

impl Timeline {
    fn sees_group(&mut self, group: &str, state: GroupState) -> &mut Self {
        self.seen.groups.insert(name(group), Neighbour::Known(state));
        self
    }

    fn loses_group(&mut self, group: &str) -> &mut Self {
        let error = Error::new(Code::Unavailable, "GetItem: no answer");
        self.seen.groups.insert(name(group), Neighbour::Unknown(error));
        self
    }
}

/// The groups that a decision wakes.
fn wakes(decision: &Decision) -> Vec<&str> {
    let groups = decision.effects.iter().filter_map(|effect| match effect {
        Effect::WakeGroup { group } => Some(group.as_str()),
        _ => None,
    });
    groups.collect()
}

const NOBODY: [&str; 0] = [];

/// The group `dev`, which sleeps like the other.
fn dev() -> Timeline {
    let mut t = Timeline::new(&["api", "web"]);
    t.needs("web", "shared/db")
        .sees_group("shared", neighbour(Phase::Asleep, -5000))
        .sees("db", service(0, 0, false));
    t
}

fn dev_awake() -> Timeline {
    let mut t = dev();
    t.wake(0);
    t.sees_group("shared", neighbour(Phase::Awake, 10))
        .sees("db", service(1, 1, true))
        .sees("api", service(1, 1, true))
        .sees("web", service(1, 1, true));
    assert_eq!(t.decide(30, Action::Look).reason, Reason::BecameReady);
    t
}

/// The group `shared`, which is awake without a signal of its own.
fn shared() -> Timeline {
    let mut t = Timeline::awake(&["db"], 1);
    t.group.services[0].signals = Signals::Configured;
    t.group.needed_by = ["dev", "stage"].map(name).into();
    t
}

#[test]
fn what_another_group_has_is_woken_first_and_waited_for() {
    let mut t = dev();
    let wake = t.wake(0);
    assert_eq!(
        (wakes(&wake), counts(&wake)),
        (vec!["shared"], vec![("api".to_owned(), 1)])
    );
    assert_eq!(t.decide(1, Action::Look).look_again, Some(at(6)));
    t.sees("api", service(1, 1, true));
    t.sees_group("shared", neighbour(Phase::Waking, 0))
        .sees("db", service(1, 1, false));
    let waiting = t.tick(10);
    assert_eq!((wakes(&waiting), counts(&waiting)), (NOBODY.to_vec(), Vec::new()));
    assert_eq!(waiting.look_again, Some(at(15)));
    t.sees("db", service(1, 1, true));
    assert_eq!(counts(&t.tick(15)), web(1), "it need not be awake as a whole");
}

#[test]
fn a_wake_that_was_lost_on_the_way_is_sent_again() {
    let mut t = dev();
    t.wake(0);
    assert_eq!(wakes(&t.tick(5)), ["shared"]);
    t.loses_group("shared");
    let lost = t.tick(10);
    assert_eq!((wakes(&lost), counts(&lost).len()), (NOBODY.to_vec(), 0));
    let mut t = dev();
    t.loses_group("shared");
    assert_eq!(wakes(&t.wake(0)), ["shared"], "it must not be lost with the look");
}

#[test]
fn a_wake_is_told_to_those_that_are_awake_too() {
    let mut t = dev();
    t.sees_group("shared", neighbour(Phase::Awake, -5000))
        .sees("db", service(1, 1, true));
    let wake = t.wake(0);
    assert_eq!(
        (wakes(&wake), counts(&wake).len()),
        (vec!["shared"], 2),
        "or it might fall asleep at this very moment"
    );
    assert_eq!(wakes(&t.wake(1)), NOBODY, "once is enough");
}

#[test]
fn being_needed_is_written_down_each_time() {
    let mut t = shared();
    let needed = Intent::of(Action::wake(), Cause::Needed);
    for second in [31, 32] {
        let decision = decide(&t.group, &t.record, &t.seen, &needed, at(second));
        assert_eq!(decision.record.last_wake_at, Some(at(second)));
        t.record = decision.record;
    }
    t.wake(33);
    assert_eq!(t.record.last_wake_at, Some(at(32)), "visitors are not");
}

#[test]
fn what_an_awake_group_needs_is_kept_awake_unless_somebody_put_it_to_sleep() {
    for phase in [Phase::Asleep, Phase::FallingAsleep] {
        let mut t = dev_awake();
        t.sees_group("shared", neighbour(phase, 100));
        assert_eq!(
            wakes(&t.decide(110, Action::Look)),
            NOBODY,
            "a look begins no wake"
        );
        assert_eq!(wakes(&t.tick(120)), ["shared"]);
        let put_to_sleep = true;
        t.sees_group(
            "shared",
            GroupState {
                put_to_sleep,
                ..neighbour(phase, 100)
            },
        );
        assert_eq!(wakes(&t.tick(130)), NOBODY);
        t.loses_group("shared");
        assert_eq!(wakes(&t.tick(140)), NOBODY);
    }
}

#[test]
fn who_falls_asleep_wakes_nobody() {
    let mut t = dev_awake();
    t.sees_group("shared", neighbour(Phase::Asleep, 100));
    let sleep = t.tick(700);
    assert_eq!(
        (sleep.reason.code(), wakes(&sleep)),
        ("fixed-time-over", NOBODY.to_vec())
    );
    assert_eq!(wakes(&t.tick(760)), NOBODY);
}

#[test]
fn a_group_that_is_gone_holds_nothing_back() {
    let mut t = dev();
    let gone = GroupState {
        since: None,
        services: Vec::new(),
        ..neighbour(Phase::Asleep, 0)
    };
    t.sees_group("shared", gone);
    let wake = t.wake(0);
    assert_eq!((wakes(&wake), counts(&wake).len()), (NOBODY.to_vec(), 2));
}

#[test]
fn services_of_others_are_none_of_the_group() {
    let mut t = dev();
    t.tick(0);
    t.sees("db", service(3, 3, true));
    assert_eq!(t.tick(60).reason, Reason::AlreadyAsleep, "nobody woke this group");
    let mut t = dev_awake();
    t.changes("db", |state| state.target_groups = vec!["tg".into()]);
    t.tick(40);
    assert!(!t.record.services.contains_key(&id("db")));
    let sleep = t.decide(50, Action::Sleep);
    assert_eq!(counts(&sleep).len(), 2, "{:?}", counts(&sleep));
}

#[test]
fn it_stays_up_while_any_group_that_needs_it_does() {
    let by = |group: &str| Reason::NeededBy { group: name(group) };
    for phase in [Phase::Waking, Phase::Awake, Phase::FallingAsleep] {
        let mut t = shared();
        t.sees_group("dev", neighbour(Phase::Asleep, 0))
            .sees_group("stage", neighbour(phase, 100));
        for action in [Action::Tick, Action::Sleep] {
            let held = t.decide(90_000, action);
            assert_eq!((&held.reason, counts(&held)), (&by("stage"), Vec::new()));
        }
        assert_eq!(t.record.phase, Phase::Awake);
    }
}

#[test]
fn without_a_signal_it_sleeps_its_idle_time_after_the_last_that_needed_it() {
    let mut t = shared();
    t.sees_group("dev", neighbour(Phase::Asleep, 5000))
        .sees_group("stage", neighbour(Phase::Asleep, 4000));
    let held = t.tick(5599);
    assert_eq!(
        held.reason,
        Reason::NeededRecently {
            group: name("dev"),
            until: at(5600)
        }
    );
    assert_eq!(
        held.look_again,
        Some(at(5604)),
        "as soon as it may, but not at once"
    );
    let sleep = t.tick(5600);
    assert_eq!(
        (sleep.reason.code(), counts(&sleep)),
        ("idle", vec![("db".to_owned(), 0)])
    );
}

#[test]
fn those_that_were_never_seen_have_never_needed_it() {
    let mut t = shared();
    let unseen = || GroupState {
        since: None,
        ..neighbour(Phase::Asleep, 0)
    };
    t.sees_group("dev", unseen()).sees_group("stage", unseen());
    assert_eq!(t.tick(599).reason.code(), "asked-recently");
    assert_eq!(t.tick(600).reason.code(), "idle");
}

#[test]
fn its_own_signals_decide_once_nobody_needs_it() {
    let mut t = shared();
    t.group.services[0].signals = Signals::FixedTimer;
    t.sees_group("dev", neighbour(Phase::Asleep, 5000))
        .sees_group("stage", neighbour(Phase::Asleep, 4000));
    assert_eq!(t.tick(5001).reason.code(), "fixed-time-over");
}

#[test]
fn a_group_of_which_nothing_is_known_may_need_it() {
    for looked in [false, true] {
        let mut t = shared();
        t.sees_group("stage", neighbour(Phase::Asleep, 0));
        if looked {
            t.loses_group("dev");
        }
        for action in [Action::Tick, Action::Sleep] {
            let held = t.decide(90_000, action);
            assert_eq!(
                (held.reason.code(), held.effects),
                ("dependent-unknown", Vec::new())
            );
        }
    }
}

#[test]
fn a_needed_group_that_never_gets_ready_may_sleep_when_those_that_need_it_do() {
    let mut t = shared();
    t.sees("db", service(1, 0, false))
        .sees_group("stage", neighbour(Phase::Asleep, 0))
        .sees_group("dev", neighbour(Phase::Waking, 40));
    t.tick(100);
    assert_eq!(t.tick(900).reason.code(), "needed-by");
    t.sees_group("dev", neighbour(Phase::Asleep, 890));
    assert_eq!(t.tick(900).reason, Reason::NothingAnswers { seconds: 800 });
}
