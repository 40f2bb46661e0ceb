//! Known histories and what follows from them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::ids::Generation;
use crate::observation::{Health, ServiceState, TaskAddress, TaskStage, TaskState, TaskTimes};

pub(super) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).expect("a moment")
}

/// A service whose only task passed these marks so many seconds after the wake: made, pull begun, pull over, started, answered.
pub(super) fn service(marks: &[f64]) -> ServiceState {
    let mark = |n: usize| marks.get(n).copied().map(at);
    let stage = match marks.len() {
        0 | 1 => TaskStage::Provisioning,
        2 => TaskStage::Pending,
        3 => TaskStage::Activating,
        _ => TaskStage::Running,
    };
    let times = TaskTimes {
        created: mark(0),
        connected: mark(1),
        pull_started: mark(1),
        pull_stopped: mark(2),
        started: mark(3),
    };
    let task = TaskState {
        id: "t".into(),
        stage,
        health: Some(if marks.len() > 4 {
            Health::Healthy
        } else {
            Health::Unhealthy("no result yet".into())
        }),
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: None,
        times,
    };
    ServiceState {
        desired: 1,
        tasks: if marks.is_empty() { Vec::new() } else { vec![task] },
        ..ServiceState::default()
    }
}

pub(super) fn place(marks: &[f64]) -> Place {
    let first = marks.get(4).map(|ready| FirstReady {
        at: at(*ready),
        watched: true,
    });
    Place::of(&service(marks), at(0.0), first).expect("a place")
}

fn past(generation: u64, took: [u32; 5]) -> PastWake {
    let [needs, provisioning, pulling, starting, checking] = took;
    PastWake {
        generation: Generation(generation),
        took: [needs, provisioning, pulling, starting],
        checking: Some(checking),
    }
}

fn wakes(all: &[[u32; 5]]) -> Wakes {
    let mut wakes = Wakes::none();
    for (generation, took) in (1..).zip(all) {
        wakes.push(past(generation, *took));
    }
    wakes
}

fn left(wakes: &Wakes, marks: &[f64], now: f64) -> (Option<u64>, Option<u64>) {
    let left = Left::of_service(wakes, &place(marks), at(now));
    (left.usual(), left.at_most())
}

#[test]
fn of_eleven_the_median_is_the_sixth_and_the_p90_the_tenth() {
    let shuffled = [50, 110, 10, 90, 30, 70, 100, 20, 80, 40, 60];
    assert_eq!((median(shuffled), p90(shuffled)), (Some(60), Some(100)));
    assert_eq!((median([7]), p90([7])), (Some(7), Some(7)));
    assert_eq!((median([1, 2]), p90([1, 2])), (Some(1), Some(2)));
    assert_eq!((median::<u32>([]), p90::<u32>([])), (None, None));
}

#[test]
fn no_more_than_eleven_wakes_are_kept_and_the_oldest_goes_first() {
    let all: Vec<[u32; 5]> = (0..30).map(|n| [n, 0, 0, 0, 0]).collect();
    let wakes = wakes(&all);
    let kept: Vec<u64> = wakes.all().iter().map(|wake| wake.generation.0).collect();
    assert_eq!(kept, (20..=30).collect::<Vec<u64>>());
    assert_eq!((wakes.usual(0), wakes.at_most(0)), (Some(24), Some(28)));
}

#[test]
fn what_is_kept_is_small_and_reads_back() {
    let mut all = wakes(&[[3, 120, 240, 15, 180]; KEPT]);
    all.push(PastWake {
        checking: None,
        ..past(4321, [1, 2, 3, 4, 0])
    });
    let stored = serde_json::to_string(&all).expect("JSON");
    assert!(
        stored.ends_with("[11,3,120,240,15,180],[4321,1,2,3,4]]"),
        "{stored}"
    );
    assert!(stored.len() <= 250, "{} bytes", stored.len());
    assert_eq!(serde_json::from_str::<Wakes>(&stored).expect("wakes"), all);
    for broken in [
        json!([[]]),
        json!([[1, 2, 3, 4]]),
        json!([[1, 2, 3, 4, 5, 6, 7]]),
        json!([["x"]]),
    ] {
        assert!(
            serde_json::from_value::<Wakes>(broken.clone()).is_err(),
            "{broken}"
        );
    }
}

#[test]
fn of_the_first_wake_ever_nothing_is_said() {
    assert_eq!(left(&Wakes::none(), &[], 3.0), (None, None));
    assert_eq!(left(&Wakes::none(), &[1.0, 10.0], 12.0), (None, None));
    assert_eq!((Wakes::none().known(), Wakes::none().usual(0)), (0, None));
}

#[test]
fn what_is_left_is_what_the_earlier_wakes_had_left_from_here() {
    let wakes = wakes(&[[1, 10, 20, 2, 5], [1, 12, 30, 2, 5], [1, 14, 40, 2, 50]]);
    // Whole wakes took 38, 50 and 107 s.
    assert_eq!(left(&wakes, &[], 0.0), (Some(50), Some(107)));
    // A second into the pull: 19, 29 and 39 s of it, and then 7, 7 and 52 s.
    assert_eq!(left(&wakes, &[1.0, 9.0], 10.0), (Some(36), Some(91)));
    // It runs since a second.
    assert_eq!(left(&wakes, &[1.0, 9.0, 30.0, 31.0], 32.0), (Some(4), Some(49)));
    // How long it takes is counted from ECS's moments, so it does not matter when one looks.
    assert_eq!(left(&wakes, &[1.0, 9.0], 28.5), (Some(18), Some(73)));
}

#[test]
fn wakes_that_were_quicker_than_this_one_tell_nothing_any_more() {
    let wakes = wakes(&[[1, 10, 20, 2, 5], [1, 10, 30, 2, 5], [1, 10, 60, 2, 5]]);
    assert_eq!(left(&wakes, &[1.0, 11.0], 11.0 + 25.0), (Some(12), Some(42)));
    assert_eq!(left(&wakes, &[1.0, 11.0], 11.0 + 45.0), (Some(22), Some(22)));
}

#[test]
fn a_step_over_its_time_should_end_any_moment_and_far_beyond_it_nothing_is_said() {
    let wakes = wakes(&[[1, 10, 20, 2, 5], [1, 10, 30, 2, 6]]);
    assert_eq!(left(&wakes, &[1.0, 11.0], 11.0 + 30.0), (Some(7), Some(8)));
    assert_eq!(left(&wakes, &[1.0, 11.0], 11.0 + 65.0), (Some(7), Some(8)));
    assert_eq!(left(&wakes, &[1.0, 11.0], 11.0 + 66.0), (None, None));
    // The last step has none after it, and it is not ready yet.
    assert_eq!(
        left(&wakes, &[1.0, 11.0, 31.0, 33.0], 33.0 + 7.0),
        (Some(1), Some(1))
    );
}

#[test]
fn where_ecs_is_silent_about_the_pull_it_is_one_with_what_came_before() {
    let wakes = wakes(&[[1, 10, 20, 2, 5]]);
    let mut state = service(&[1.0, 11.0]);
    state.tasks[0].times = TaskTimes {
        created: Some(at(1.0)),
        ..TaskTimes::default()
    };
    let place = Place::of(&state, at(0.0), None).expect("a place");
    assert_eq!((place.step(), place.took(2, at(16.0))), (Some(2), None));
    // Of 30 s of both, 15 are over, and 7 follow.
    assert_eq!(Left::of_service(&wakes, &place, at(16.0)).usual(), Some(15 + 7));
    // The agent was connected, and the pull is said to have begun later: what counts is that all was there for it.
    state.tasks[0].times.connected = Some(at(9.0));
    state.tasks[0].times.pull_started = Some(at(10.0));
    let place = Place::of(&state, at(0.0), None).expect("a place");
    assert_eq!(place.took(1, at(16.0)), Some(std::time::Duration::from_secs(8)));
}

#[test]
fn a_group_takes_as_long_as_the_last_of_its_services_in_each_wake() {
    // One is slow when the other is quick: both together always take 60 s, though the median of each is 10.
    let api = wakes(&[[0, 0, 0, 0, 60], [0, 0, 0, 0, 10], [0, 0, 0, 0, 10]]);
    let web = wakes(&[[0, 0, 0, 0, 10], [0, 0, 0, 0, 60], [0, 0, 0, 0, 10]]);
    let of = |wakes: &Wakes| Left::of_service(wakes, &place(&[]), at(0.0));
    let both = Left::of_all(&[of(&api), of(&web)]);
    assert_eq!((both.usual(), both.at_most()), (Some(60), Some(60)));
    assert_eq!(Left::of_all(&[of(&api), of(&Wakes::none())]).usual(), None);
    assert_eq!(Left::of_all(&[]).usual(), None);
}

#[test]
fn services_that_never_woke_together_are_put_together_from_the_newest_back() {
    let mut api = Wakes::none();
    let mut web = Wakes::none();
    for generation in [1, 3] {
        api.push(past(generation, [0, 0, 0, 0, 10 * generation as u32]));
    }
    for generation in [2, 4, 6] {
        web.push(past(generation, [0, 0, 0, 0, 7 * generation as u32]));
    }
    let of = |wakes: &Wakes| Left::of_service(wakes, &place(&[]), at(0.0));
    let both = Left::of_all(&[of(&api), of(&web)]);
    assert_eq!((both.usual(), both.at_most()), (Some(28), Some(42)));
}

#[test]
fn a_wake_is_kept_as_whole_seconds_of_each_step() {
    let place = place(&[1.4, 10.0, 25.5, 27.4, 40.1]);
    assert_eq!(
        place.past_wake(Generation(7), true),
        Some(past(7, [1, 9, 16, 2, 13]))
    );
    assert_eq!(
        place
            .past_wake(Generation(7), false)
            .map(|wake| (wake.took, wake.checking)),
        Some(([1, 9, 16, 2], None)),
        "the tick is up to a minute late"
    );
}

#[test]
fn a_service_that_was_up_or_whose_times_are_not_told_teaches_nothing() {
    let none = |marks: &[f64], change: fn(&mut TaskTimes)| {
        let mut state = service(marks);
        change(&mut state.tasks[0].times);
        let first = FirstReady {
            at: at(40.0),
            watched: true,
        };
        let place = Place::of(&state, at(0.0), Some(first)).expect("a place");
        assert_eq!(place.past_wake(Generation(1), true), None);
    };
    let marks = [1.0, 10.0, 20.0, 22.0, 40.0];
    none(&marks, |times| times.created = None);
    none(&marks, |times| times.pull_stopped = None);
    none(&marks, |times| times.started = None);
    none(&[-5.0, 10.0, 20.0, 22.0, 40.0], |_| {});
    none(&[1.0, 10.0, 20.0, 55.0, 60.0], |_| {});
    none(&marks[..4], |_| {});
    assert!(place(&[-9.0, -8.0, -7.0, -6.0, -5.0]).was_up());
}

#[test]
fn the_task_that_is_furthest_tells_where_a_service_is() {
    let mut state = service(&[1.0, 10.0]);
    let second = service(&[2.0, 9.0, 14.0, 15.0]).tasks.remove(0);
    state.tasks.push(second);
    state.tasks.push(TaskState {
        stage: TaskStage::Stopping,
        ..service(&[0.5, 1.0, 2.0, 3.0, 4.0]).tasks.remove(0)
    });
    let place = Place::of(&state, at(0.0), None).expect("a place");
    assert_eq!(place.step(), Some(4));
    state.tasks_unknown = Some("not looked at".into());
    state.tasks.clear();
    assert_eq!(Place::of(&state, at(0.0), None), None);
}

#[test]
fn half_of_the_usual_time_is_half_of_the_bar_and_a_late_step_slows_it_down() {
    let wakes = wakes(&[[0, 20, 50, 10, 20]]);
    let shares = Shares::of(&wakes, false);
    let hundredths = |marks: &[f64], now: f64| (100.0 * progress(&shares, &place(marks), at(now))).round();
    assert_eq!(hundredths(&[0.0], 10.0), 10.0);
    assert_eq!(hundredths(&[0.0, 20.0], 45.0), 45.0);
    assert_eq!(
        hundredths(&[0.0, 5.0], 5.0),
        20.0,
        "a quick step jumps to its end"
    );
    assert_eq!(hundredths(&[0.0, 20.0], 70.0), 66.0);
    assert_eq!(
        hundredths(&[0.0, 20.0], 7000.0),
        70.0,
        "and never leaves its step"
    );
    assert_eq!(hundredths(&[0.0, 20.0, 70.0, 80.0], 9999.0), 99.0);
    assert_eq!(hundredths(&[0.0, 20.0, 70.0, 80.0, 100.0], 100.0), 100.0);
}

#[test]
fn a_step_that_took_exactly_as_long_before_is_over_now() {
    let wakes = wakes(&[[1, 10, 20, 2, 5], [1, 10, 30, 2, 5]]);
    let left = Left::of_service(&wakes, &place(&[1.0, 11.0]), at(11.0 + 20.0));
    assert_eq!(
        left.soonest(),
        Some(Duration::from_secs(17)),
        "of the longer one alone"
    );
    assert_eq!(Left::default().soonest(), None);
}

#[test]
fn a_step_ahead_took_nothing_and_the_one_under_way_takes_until_now() {
    let place = place(&[1.0, 11.0]);
    let took = |step| place.took(step, at(25.0)).map(|took| took.as_secs());
    assert_eq!(
        [0, 1, 2, 3, 4].map(took),
        [Some(1), Some(10), Some(14), None, None]
    );
    assert_eq!(place.step(), Some(2));
}

#[test]
fn only_what_was_there_before_the_wake_and_is_ready_was_up() {
    let up = |created: f64, ready: bool| {
        let marks = [created, created, created, created, created];
        let state = service(&marks[..if ready { 5 } else { 4 }]);
        Place::of(&state, at(0.0), None).expect("a place").was_up()
    };
    assert!(up(-10.0, true));
    assert!(!up(-10.0, false) && !up(0.0, true) && !up(5.0, true));
}

#[test]
fn waiting_for_others_counts_as_a_whole_wake_until_its_length_is_known() {
    let shares = |wakes: &Wakes, waits| super::progress::Shares::of(wakes, waits);
    let none = Wakes::none();
    assert_ne!(shares(&none, true), shares(&none, false));
    let known = wakes(&[[1, 10, 20, 2, 5]]);
    assert_eq!(shares(&known, true), shares(&known, false));
    assert_eq!(
        shares(&wakes(&[[0; 5]]), false),
        shares(&none, false),
        "no time at all"
    );
    assert!(none.is_empty() && !known.is_empty());
}
