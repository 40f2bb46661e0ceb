//! What a decision does, as the engine counts it and puts it off.

use super::*;

#[test]
fn a_wake_raises_each_count_and_a_sleep_lowers_it() {
    let mut t = Timeline::new(&["api", "db", "web"]);
    let wake = t.wake(0);
    assert_eq!((wake.counts(), wake.acts()), ((3, 0), true));
    for name in ["api", "db", "web"] {
        t.sees(name, service(1, 1, true));
    }
    let look = t.decide(30, Action::Look);
    assert_eq!((look.counts(), look.acts()), ((0, 0), false));
    let sleep = t.tick(700);
    assert_eq!((sleep.counts(), sleep.acts()), ((0, 3), true));
}

#[test]
fn a_timer_does_nothing_to_services() {
    let mut t = Timeline::new(&["web"]);
    t.tick(0);
    let woken_by_others = t.sees("web", service(4, 0, false)).tick(60);
    assert_eq!(
        (woken_by_others.effects.len(), woken_by_others.acts()),
        (1, false)
    );
}

#[test]
fn what_is_put_off_leaves_no_call_and_no_trace_of_one() {
    let mut t = Timeline::new(&["web"]);
    let before = t.record.clone();
    let wake = t.wake(0).deferred(&before, at(60));
    let subjects: Vec<_> = wake.effects.iter().map(Effect::subject).collect();
    assert_eq!(subjects, [Subject::Timer]);
    assert_eq!(
        (wake.record.phase, wake.look_again),
        (Phase::Waking, Some(at(60)))
    );
    assert_eq!(wake.record.services[&id("web")].command, None);
}
