//! When a group is to be looked at again.

use super::*;

#[test]
fn a_wake_is_looked_at_soon_until_its_tasks_are_asked_for_and_then_when_it_could_sleep() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(t.wake(0).look_again, Some(at(5)));
    t.sees("web", service(1, 0, false));
    assert_eq!(t.decide(10, Action::Look).look_again, Some(at(600)));
    assert_eq!(t.decide(590, Action::Look).look_again, Some(at(620)));
}

#[test]
fn what_never_sleeps_by_itself_is_left_to_the_ticks() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    let tick = t.tick(1000);
    assert_eq!((tick.reason, tick.look_again), (Reason::NoSignal, Some(at(4600))));
}

#[test]
fn an_old_timer_asks_no_signal() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Listed([Signal::Requests].into());
    let asked = |generation| {
        let intent = Intent::of(Action::Timer { generation }, Cause::SleepTimer);
        wanted_readings(&t.group, &t.record, &t.seen, &intent, at(1000)).len()
    };
    assert_eq!((asked(Generation(0)), asked(Generation(1))), (0, 1));
}

#[test]
fn a_group_without_services_is_nobodys() {
    let mut t = Timeline::new(&[]);
    assert_eq!(t.tick(10).reason, Reason::NoServices);
}
