//! When others, or a late call of ours, change counts meanwhile.

use super::*;

#[test]
fn a_wake_while_falling_asleep_wins() {
    let mut t = Timeline::awake(&["web"], 2);
    assert_eq!(counts(&t.tick(700)), web(0));
    // Whether the 0 has landed or not, the wake sets the count again.
    for landed in [false, true] {
        let mut t = Timeline {
            group: t.group.clone(),
            record: t.record.clone(),
            seen: t.seen.clone(),
        };
        if landed {
            t.sees("web", service(0, 1, true));
        }
        let wake = t.wake(703);
        assert_eq!(
            (counts(&wake), t.record.generation),
            (web(2), Generation(2)),
            "landed: {landed}"
        );
        assert_eq!(
            t.decide(
                704,
                Action::Timer {
                    generation: Generation(1)
                }
            )
            .reason
            .code(),
            "superseded"
        );
    }
}

#[test]
fn a_sleep_that_lands_after_the_wake_is_undone() {
    let mut t = Timeline::awake(&["web"], 2);
    t.tick(700);
    t.wake(703);
    t.sees("web", service(2, 2, true)).decide(705, Action::Look);
    assert_eq!(t.record.phase, Phase::Awake);
    t.sees("web", service(0, 2, true));
    assert_eq!(counts(&t.tick(760)), web(2), "within one tick");
}

/// A sleep at 700 s and a wake, both of which the group got over.
fn woken_again(woken_at: i64) -> Timeline {
    let mut t = Timeline::awake(&["api", "web"], 2);
    assert_eq!(t.tick(700).counts(), (0, 2));
    t.wake(woken_at);
    t.decide(woken_at + 1, Action::Look);
    t.sees("api", service(2, 2, true))
        .sees("web", service(2, 2, true));
    t.decide(woken_at + 2, Action::Look);
    assert_eq!(t.record.phase, Phase::Awake);
    t
}

#[test]
fn a_sleep_that_takes_one_service_of_several_after_the_wake_is_undone() {
    let taken = |woken_at, seconds| {
        let mut t = woken_again(woken_at);
        counts(&t.sees("web", service(0, 0, false)).tick(seconds))
    };
    assert_eq!(taken(703, 760), web(2));
    assert_eq!(taken(703, 822), web(2));
    // Neither of these can be that sleep: somebody wants it so.
    assert_eq!(taken(703, 823), []);
    assert_eq!(taken(819, 825), web(2));
    assert_eq!(taken(820, 825), []);
}

#[test]
fn a_sleep_from_outside_is_respected() {
    let mut t = Timeline::awake(&["web"], 2);
    t.sees("web", service(0, 0, false));
    t.tick(300);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Asleep, "put-to-sleep-outside")
    );
    assert_eq!(counts(&t.wake(400)), web(2));
    // For two minutes after a wake it may be a sleep of ours.
    let taken = |seconds| {
        let mut t = Timeline::awake(&["web"], 2);
        counts(&t.sees("web", service(0, 0, false)).tick(seconds))
    };
    assert_eq!((taken(119), taken(120)), (web(2), Vec::new()));
}

#[test]
fn a_service_that_somebody_switched_off_gets_its_tasks_back_at_the_next_wake() {
    let mut t = Timeline::awake(&["api", "web"], 2);
    t.sees("web", service(0, 0, false)).tick(300);
    assert_eq!(counts(&t.decide(400, Action::Sleep)), [("api".to_owned(), 0)]);
    t.sees("api", service(0, 0, false)).tick(410);
    assert_eq!(t.record.phase, Phase::Asleep);
    let wake = t.wake(500);
    assert_eq!(counts(&wake), [("api".to_owned(), 2), ("web".to_owned(), 2)]);
}

#[test]
fn a_wake_that_finds_one_service_switched_off_takes_the_others_as_they_are() {
    let mut t = Timeline::awake(&["api", "web"], 3);
    // Both were scaled in since the wake, and somebody switched one of them off.
    t.sees("api", service(2, 2, true))
        .sees("web", service(2, 2, true))
        .tick(300);
    t.sees("web", service(0, 0, false));
    assert_eq!(counts(&t.wake(400)), web(2));
}

#[test]
fn a_group_is_asleep_only_once_all_that_is_left_of_it_is_known_to_be_gone() {
    let falls_asleep = |code| {
        let mut t = Timeline::awake(&["api", "web"], 2);
        t.tick(700);
        t.sees("api", service(0, 0, false));
        t.sees("web", Seen::Unknown(Error::new(code, "DescribeServices")))
            .tick(720);
        t.record.phase == Phase::Asleep
    };
    assert!(falls_asleep(Code::ServiceNotFound) && !falls_asleep(Code::Throttled));
}

#[test]
fn a_wake_from_outside_counts_as_a_wake() {
    let mut t = Timeline::new(&["api", "web"]);
    t.tick(0);
    t.sees("web", service(4, 0, false));
    let tick = t.tick(60);
    assert_eq!(
        (t.record.phase, t.record.generation),
        (Phase::Waking, Generation(1))
    );
    assert_eq!(t.record.services[&id("web")].wanted, Some(4));
    assert_eq!(
        counts(&tick),
        [("api".to_owned(), 1)],
        "the rest of the group follows, what was set stays"
    );
}

#[test]
fn a_count_that_somebody_changes_while_it_is_awake_is_told_once_and_given_back_at_the_next_wake() {
    let mut t = Timeline::awake(&["db", "web"], 2);
    assert_eq!(t.tick(60).drift, []);
    t.sees("web", service(5, 2, true));
    let drift = Drift {
        service: id("web"),
        from: 2,
        to: 5,
    };
    assert_eq!(t.tick(120).drift, [drift]);
    assert_eq!(t.tick(180).drift, [], "once");
    t.decide(200, Action::Sleep);
    for name in ["web", "db"] {
        t.sees(name, service(0, 0, false));
    }
    t.tick(260);
    let wake = t.wake(300);
    assert_eq!(counts(&wake), [("db".to_owned(), 2), ("web".to_owned(), 5)]);
}

#[test]
fn what_we_set_ourselves_is_no_drift() {
    let mut t = Timeline::awake(&["web"], 2);
    t.wake_with(60, Some(4), false);
    t.sees("web", service(4, 2, true));
    assert_eq!(t.tick(120).drift, []);
}
