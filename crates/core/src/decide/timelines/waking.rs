//! From asleep to awake.

use super::*;

#[test]
fn a_cold_wake_begins_a_generation_sets_one_task_and_starts_its_timer() {
    let mut t = Timeline::new(&["web"]);
    let decision = t.wake(0);
    assert_eq!(decision.reason, Reason::WakeAsked);
    assert_eq!(
        (t.record.phase, t.record.generation),
        (Phase::Waking, Generation(1))
    );
    assert_eq!(counts(&decision), web(1));
    assert!(decision.effects.contains(&Effect::StartTimer {
        generation: Generation(1),
        woken_at: at(0),
        at: at(600)
    }));
}

#[test]
fn however_many_ask_again_the_count_is_set_once() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    for second in 1..15 {
        let again = t.wake(second);
        assert_eq!(
            (again.effects, t.record.generation),
            (Vec::new(), Generation(1)),
            "at {second} s"
        );
    }
}

#[test]
fn a_count_that_does_not_arrive_is_set_again() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    assert_eq!(counts(&t.tick(14)), []);
    assert_eq!(
        counts(&t.tick(15)),
        web(1),
        "the function died before it acted, or its call was lost"
    );
}

#[test]
fn a_wake_never_lowers_a_count() {
    let mut t = Timeline::new(&["web"]);
    t.sees("web", service(3, 3, true));
    let decision = t.wake(0);
    assert_eq!(counts(&decision), []);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Awake, "woken-outside")
    );
    assert_eq!(
        counts(&t.wake_with(20, Some(2), false)),
        [],
        "fewer than run is not a reason to stop any"
    );
    assert_eq!(counts(&t.wake_with(40, Some(5), false)), web(5));
}

#[test]
fn exactly_this_count_lowers_too_and_moves_on_with_it() {
    let mut t = Timeline::awake(&["web"], 3);
    assert_eq!(counts(&t.wake_with(60, Some(1), true)), web(1));
    assert_eq!(counts(&t.wake_with(61, Some(1), true)), [], "once is enough");
    t.sees("web", service(1, 1, true));
    assert_eq!(t.tick(120).reason.code(), "grace");
    assert_eq!(t.record.services[&id("web")].wanted, Some(1));
}

#[test]
fn a_wake_may_bring_an_idle_time_which_holds_for_its_generation() {
    let mut t = Timeline::awake(&["web"], 1);
    let wake = |idle_after| {
        Action::Wake(Wake {
            idle_after: Some(Duration::from_secs(idle_after)),
            ..Wake::default()
        })
    };
    t.decide(40, wake(1800));
    t.wake(41);
    assert_eq!(t.tick(1839).reason, Reason::AskedRecently { until: at(1840) });
    assert_eq!(
        t.tick(1840).reason,
        Reason::FixedTimeOver {
            idle_after_seconds: 1800
        }
    );
    t.sees("web", service(0, 0, false)).tick(1850);
    t.wake(2000);
    assert_eq!(t.record.idle_after, None, "the next wake is as tagged again");
    let asleep = t.sees("web", service(1, 1, true)).decide(2001, Action::Sleep);
    assert_eq!(asleep.reason, Reason::SleepAsked);
    let woken = t.decide(2002, wake(1200));
    let timer = woken.effects.iter().find_map(|effect| match effect {
        Effect::StartTimer { at, .. } => Some(*at),
        _ => None,
    });
    assert_eq!(timer, Some(at(2002 + 1200)));
}

#[test]
fn a_wake_gives_back_what_sleep_took_away() {
    let mut t = Timeline::awake(&["web"], 3);
    assert_eq!(counts(&t.decide(60, Action::Sleep)), web(0));
    t.sees("web", service(0, 0, false));
    t.decide(70, Action::Look);
    assert_eq!(t.record.phase, Phase::Asleep);
    assert_eq!(counts(&t.wake(100)), web(3));
    assert_eq!(t.record.generation, Generation(2));
}

#[test]
fn a_wake_that_never_got_its_count_does_not_forget_it() {
    let mut t = Timeline::awake(&["web"], 3);
    t.decide(60, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(70, Action::Look);
    t.wake(100);
    t.sees("web", service(1, 1, true)).decide(110, Action::Look);
    t.decide(120, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(130, Action::Look);
    assert_eq!(counts(&t.wake(200)), web(3));
}

#[test]
fn the_tagged_wake_count_goes_before_the_remembered_one() {
    let mut t = Timeline::awake(&["web"], 3);
    t.group.services[0].wake_count = Some(2);
    t.decide(60, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(70, Action::Look);
    assert_eq!(counts(&t.wake(100)), web(2));
}

#[test]
fn running_is_not_awake_until_it_is_ready() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    t.sees("web", service(1, 1, false));
    assert_eq!(
        (t.decide(20, Action::Look).reason, t.record.phase),
        (Reason::StillWaking, Phase::Waking)
    );
    t.sees("web", service(1, 1, true));
    assert_eq!(
        (t.decide(30, Action::Look).reason, t.record.phase),
        (Reason::BecameReady, Phase::Awake)
    );
}

#[test]
fn a_group_is_awake_when_all_its_services_are_ready() {
    let mut t = Timeline::new(&["api", "web"]);
    t.wake(0);
    t.sees("api", service(1, 1, true))
        .sees("web", service(1, 0, false));
    assert_eq!(t.decide(20, Action::Look).reason, Reason::StillWaking);
    t.sees("web", service(1, 1, true));
    assert_eq!(t.decide(30, Action::Look).reason, Reason::BecameReady);
}

#[test]
fn a_look_never_wakes() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(t.decide(0, Action::Look).effects, []);
    t.sees("web", service(1, 1, true));
    assert_eq!(
        (t.decide(60, Action::Look).effects, t.record.phase),
        (Vec::new(), Phase::Asleep)
    );
}

#[test]
fn a_wake_of_what_cannot_be_looked_at_is_not_lost() {
    let mut t = Timeline::new(&["web"]);
    t.sees(
        "web",
        Seen::Unknown(Error::new(Code::Throttled, "DescribeServices: Rate exceeded")),
    );
    assert_eq!(counts(&t.wake(0)), []);
    t.sees("web", service(0, 0, false));
    assert_eq!(counts(&t.tick(60)), web(1));
}

/// Seed 35966 of the simulation: a read of ECS that lagged showed tasks that had gone, and the wake led people to them.
#[test]
fn a_wake_right_after_it_fell_asleep_believes_in_no_task_from_before() {
    let mut t = Timeline::awake(&["web"], 3);
    t.decide(100, Action::Sleep);
    t.sees("web", service(0, 0, false)).tick(103);
    assert_eq!(t.record.phase, Phase::Asleep);
    t.sees("web", service(3, 3, true));
    assert_eq!(counts(&t.wake(104)), web(3));
    assert_eq!(t.record.phase, Phase::Waking);

    // What ECS shows when all reads must be up to date is so: somebody else asked for it.
    let mut t = Timeline::awake(&["web"], 3);
    t.decide(100, Action::Sleep);
    t.sees("web", service(0, 0, false)).tick(103);
    t.sees("web", service(3, 3, true));
    assert_eq!(counts(&t.wake(115)), []);
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn as_many_tasks_as_there_are_need_no_call() {
    let mut t = Timeline::awake(&["web"], 2);
    assert_eq!(counts(&t.wake_with(60, Some(2), false)), []);
    assert_eq!(counts(&t.wake_with(60, Some(2), true)), []);
    assert_eq!(counts(&t.wake_with(61, Some(3), false)), web(3));
}

#[test]
fn more_tasks_are_asked_for_in_the_order_of_needs() {
    let mut t = Timeline::awake(&["api", "db", "web"], 1);
    t.needs("web", "api");
    t.sees("api", service(0, 0, false))
        .sees("web", service(0, 0, false));
    let wake = t.wake_with(300, Some(2), false);
    assert_eq!(counts(&wake), [("db".to_owned(), 2), ("api".to_owned(), 2)]);
}
