//! What wakes teach: lengths of steps, by ECS's moments and that at which each service was first seen ready.

use super::*;
use crate::eta::PastWake;
use crate::observation::TaskTimes;

/// A service with one task that passed these marks: made, pull begun, pull over, started; it answers if `ready`.
fn task(marks: [i64; 4], ready: bool) -> Seen {
    let Seen::Known(mut state) = service(1, 1, ready) else {
        unreachable!("a service is known")
    };
    let [created, pull_started, pull_stopped, started] = marks.map(|seconds| Some(at(seconds)));
    state.tasks[0].times = TaskTimes {
        created,
        connected: pull_started,
        pull_started,
        pull_stopped,
        started,
    };
    Seen::Known(state)
}

fn kept(t: &Timeline, name: &str) -> Vec<PastWake> {
    t.record.services[&id(name)].wakes.all().to_vec()
}

fn past(generation: u64, took: [u32; 4], checking: Option<u32>) -> PastWake {
    PastWake {
        generation: Generation(generation),
        took,
        checking,
    }
}

fn look(t: &mut Timeline, seconds: i64, cause: Cause) -> Reason {
    let decision = decide(
        &t.group,
        &t.record,
        &t.seen,
        &Intent::of(Action::Look, cause),
        at(seconds),
    );
    t.record = decision.record;
    decision.reason
}

#[test]
fn each_service_keeps_what_its_own_wake_took() {
    let mut t = Timeline::new(&["api", "web"]);
    t.wake(0);
    t.sees("api", task([1, 12, 30, 32], true))
        .sees("web", task([2, 10, 50, 51], false));
    assert_eq!(t.decide(40, Action::Look).reason, Reason::StillWaking);
    let first = t.record.services[&id("api")].first_ready.expect("seen ready");
    assert_eq!((first.at, first.watched), (at(40), true));
    assert_eq!(kept(&t, "api"), [], "the wake is not over");
    t.decide(50, Action::Look);
    t.sees("web", task([2, 10, 50, 51], true));
    assert_eq!(t.decide(60, Action::Look).reason, Reason::BecameReady);
    assert_eq!(kept(&t, "api"), [past(1, [1, 11, 18, 2], Some(8))]);
    assert_eq!(kept(&t, "web"), [past(1, [2, 8, 40, 1], Some(9))]);
    assert_eq!(t.record.services[&id("api")].first_ready, None);
}

#[test]
fn a_wake_whose_end_only_the_tick_found_is_kept_without_its_last_step() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    t.sees("web", task([1, 12, 30, 32], true));
    assert_eq!(t.tick(60).reason, Reason::BecameReady);
    assert_eq!(kept(&t, "web"), [past(1, [1, 11, 18, 2], None)]);
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    t.sees("web", task([1, 12, 30, 32], true));
    assert_eq!(look(&mut t, 36, Cause::TaskState), Reason::BecameReady);
    assert_eq!(kept(&t, "web"), [past(1, [1, 11, 18, 2], Some(4))]);
}

#[test]
fn a_service_that_was_up_already_is_not_learned_from() {
    let mut t = Timeline::new(&["api", "web"]);
    t.sees("api", task([-500, -490, -480, -470], true));
    t.wake(0);
    t.sees("web", task([1, 12, 30, 32], true));
    assert_eq!(t.decide(40, Action::Look).reason, Reason::BecameReady);
    assert_eq!((kept(&t, "api").len(), kept(&t, "web").len()), (0, 1));
}

#[test]
fn readiness_of_a_wake_that_came_to_nothing_does_not_count_for_the_next_one() {
    let mut t = Timeline::new(&["api", "web"]);
    t.wake(0);
    t.sees("api", task([1, 12, 30, 32], true));
    t.decide(40, Action::Look);
    t.decide(50, Action::Sleep);
    t.sees("api", service(0, 0, false)).decide(60, Action::Look);
    assert_eq!(t.record.phase, Phase::Asleep);
    t.wake(100);
    assert_eq!(t.record.services[&id("api")].first_ready, None);
    t.sees("api", task([101, 112, 130, 132], true))
        .sees("web", task([101, 112, 130, 132], true));
    assert_eq!(t.decide(140, Action::Look).reason, Reason::BecameReady);
    assert_eq!(kept(&t, "api"), [past(2, [1, 11, 18, 2], Some(8))]);
}

#[test]
fn of_many_wakes_the_last_eleven_are_kept() {
    let mut t = Timeline::new(&["web"]);
    for wake in 0..15 {
        let start = wake * 1000;
        t.wake(start);
        t.sees("web", task([1, 12, 30, 32].map(|mark| start + mark), true));
        assert_eq!(t.decide(start + 40, Action::Look).reason, Reason::BecameReady);
        t.decide(start + 500, Action::Sleep);
        t.sees("web", service(0, 0, false))
            .decide(start + 510, Action::Look);
    }
    let generations: Vec<u64> = kept(&t, "web").iter().map(|wake| wake.generation.0).collect();
    assert_eq!(generations, (5..=15).collect::<Vec<u64>>());
}
