//! Services of a group that need each other.

use super::*;

const ALL: [&str; 5] = ["a", "b", "c", "d", "e"];

/// `b` and `c` need `a`, `d` needs both, `e` needs `d`.
fn diamond(t: &mut Timeline) {
    t.needs("b", "a")
        .needs("c", "a")
        .needs("d", "b c")
        .needs("e", "d");
}

fn asleep() -> Timeline {
    let mut t = Timeline::new(&ALL);
    diamond(&mut t);
    t
}

fn awake() -> Timeline {
    let mut t = Timeline::awake(&ALL, 1);
    diamond(&mut t);
    t
}

fn set(names: &[&str], count: u32) -> Vec<(String, u32)> {
    names.iter().map(|name| ((*name).to_owned(), count)).collect()
}

fn first_timer(decision: &Decision) -> Option<Timestamp> {
    decision.effects.iter().find_map(|effect| match effect {
        Effect::StartTimer { at, .. } => Some(*at),
        _ => None,
    })
}

#[test]
fn a_diamond_wakes_in_order_and_what_is_independent_at_once() {
    let mut t = asleep();
    let wake = t.wake(0);
    assert_eq!(counts(&wake), set(&["a"], 1));
    assert_eq!(
        first_timer(&wake),
        Some(at(5)),
        "nobody else may be there to move it on"
    );
    t.sees("a", service(1, 1, false));
    let running = t.decide(10, Action::Look);
    assert_eq!(counts(&running), [], "running is not ready");
    assert_eq!(running.look_again, Some(at(15)));
    t.sees("a", service(1, 1, true));
    assert_eq!(counts(&t.decide(12, Action::Look)), set(&["b", "c"], 1));
    t.sees("b", service(1, 1, true)).sees("c", service(1, 1, false));
    assert_eq!(counts(&t.decide(20, Action::Look)), []);
    t.sees("c", service(1, 1, true));
    assert_eq!(counts(&t.decide(22, Action::Look)), set(&["d"], 1));
    t.sees("d", service(1, 1, true));
    let last = t.decide(
        30,
        Action::Timer {
            generation: Generation(1),
        },
    );
    assert_eq!(counts(&last), set(&["e"], 1));
    t.sees("e", service(1, 1, true));
    assert_eq!(t.decide(40, Action::Look).reason, Reason::BecameReady);
}

#[test]
fn it_falls_asleep_in_the_reverse_order() {
    let mut t = awake();
    assert_eq!(counts(&t.decide(60, Action::Sleep)), set(&["e"], 0));
    t.sees("e", service(0, 1, true));
    let stopping = t.decide(62, Action::Look);
    assert_eq!(counts(&stopping), [], "its task still stops");
    assert_eq!(stopping.look_again, Some(at(67)));
    t.sees("e", service(0, 0, false));
    assert_eq!(counts(&t.tick(70)), set(&["d"], 0));
    t.sees("d", service(0, 0, false));
    assert_eq!(counts(&t.tick(75)), set(&["b", "c"], 0), "they are independent");
    t.sees("b", service(0, 0, false));
    assert_eq!(counts(&t.tick(80)), []);
    t.sees("c", service(0, 0, false));
    assert_eq!(counts(&t.tick(81)), set(&["a"], 0));
    t.sees("a", service(0, 0, false)).tick(85);
    assert_eq!(t.record.phase, Phase::Asleep);
}

#[test]
fn however_many_ask_again_nothing_is_started_before_its_time() {
    let mut t = asleep();
    t.wake(0);
    for second in 1..15 {
        assert_eq!(t.wake(second).effects, [], "at {second} s");
    }
    t.sees("a", service(1, 0, false));
    for action in [Action::wake(), Action::Tick, Action::Look] {
        assert_eq!(counts(&t.decide(20, action)), []);
    }
    assert_eq!(counts(&t.wake_with(21, Some(3), false)), set(&["a"], 3));
}

#[test]
fn what_is_unknown_is_neither_ready_nor_gone() {
    let unknown = || Seen::Unknown(Error::new(Code::Throttled, "DescribeServices: Rate exceeded"));
    let mut t = asleep();
    t.wake(0);
    t.sees("a", unknown());
    let held = t.tick(20);
    assert_eq!((counts(&held), held.look_again), (Vec::new(), Some(at(25))));
    t.sees("a", service(1, 1, true));
    t.changes("a", |state| {
        state.tasks_unknown = Some("ListTasks: Rate exceeded".into())
    });
    t.changes("a", |state| state.tasks.clear());
    assert_eq!(counts(&t.tick(30)), []);

    let mut t = awake();
    t.decide(60, Action::Sleep);
    t.sees("e", unknown());
    assert_eq!(counts(&t.tick(70)), []);
    t.sees("e", service(0, 0, false));
    assert_eq!(counts(&t.tick(80)), set(&["d"], 0));
}

#[test]
fn a_failure_in_the_middle_holds_what_needs_it_and_nothing_else() {
    let mut t = asleep();
    t.wake(0);
    t.sees("a", service(1, 1, true));
    assert_eq!(counts(&t.tick(10)), set(&["b", "c"], 1));
    let error = Error::new(Code::AccessDenied, "UpdateService dev/b: not authorized");
    t.record.service(&id("b")).failure = Some(Failure { error, at: at(11) });
    t.sees("c", service(1, 1, true));
    let retried = t.tick(21);
    assert_eq!(
        counts(&retried),
        set(&["b"], 1),
        "it is tried again; `d` waits for it"
    );
    t.sees("b", service(1, 1, true));
    assert_eq!(counts(&t.tick(40)), set(&["d"], 1));
}

#[test]
fn a_wake_that_waits_for_what_never_gets_ready_is_put_to_sleep_when_its_idle_time_is_over() {
    let mut t = asleep();
    t.wake(0);
    t.sees("a", service(1, 0, false));
    assert_eq!(t.tick(599).reason.code(), "asked-recently");
    let asleep = t.tick(600);
    assert_eq!(asleep.reason, Reason::NothingAnswers { seconds: 600 });
    assert_eq!(counts(&asleep), set(&["a"], 0));
}

#[test]
fn a_wake_wins_over_a_sleep_that_is_half_way_and_keeps_the_order() {
    let mut t = awake();
    t.decide(60, Action::Sleep);
    t.sees("e", service(0, 0, false));
    assert_eq!(counts(&t.tick(70)), set(&["d"], 0));
    // Whether the 0 has landed or not, what `d` has may stop any moment.
    for landed in [false, true] {
        let mut t = Timeline {
            group: t.group.clone(),
            record: t.record.clone(),
            seen: t.seen.clone(),
        };
        if landed {
            t.sees("d", service(0, 1, true));
        }
        assert_eq!(counts(&t.wake(71)), set(&["d"], 1), "landed: {landed}");
        assert_eq!(t.record.phase, Phase::Waking);
        t.sees("d", service(1, 0, false));
        assert_eq!(counts(&t.tick(75)), [], "landed: {landed}");
        t.sees("d", service(1, 1, true));
        assert_eq!(counts(&t.tick(80)), set(&["e"], 1), "landed: {landed}");
    }
}

#[test]
fn stragglers_of_an_awake_group_are_woken_in_order_too() {
    for count in [None, Some(2)] {
        let mut t = awake();
        t.sees("d", service(0, 0, false)).sees("e", service(0, 0, false));
        let woken = t.wake_with(400, count, false);
        let others = count.map_or_else(Vec::new, |count| set(&["a", "b", "c"], count));
        let mut expected = others;
        expected.extend(set(&["d"], count.unwrap_or(1)));
        assert_eq!(counts(&woken), expected, "{count:?}");
        t.sees("d", service(2, 1, true));
        let next = counts(&t.tick(410));
        assert!(next.contains(&("e".to_owned(), count.unwrap_or(1))), "{next:?}");
    }
}

#[test]
fn a_wake_from_outside_wakes_what_it_needs_first() {
    let mut t = asleep();
    t.tick(0);
    t.sees("e", service(1, 1, false));
    assert_eq!(counts(&t.tick(60)), set(&["a"], 1), "the rest follows in order");
}

#[test]
fn what_is_gone_holds_nothing_back() {
    let mut t = asleep();
    t.needs("b", "nosuchservice");
    let gone = Error::new(Code::ServiceNotFound, "service `dev/a` is MISSING");
    t.sees("a", Seen::Unknown(gone.clone()));
    assert_eq!(counts(&t.wake(0)), set(&["b", "c"], 1));

    let mut t = awake();
    t.sees("e", Seen::Unknown(gone));
    assert_eq!(counts(&t.decide(60, Action::Sleep)), set(&["d"], 0));
}
