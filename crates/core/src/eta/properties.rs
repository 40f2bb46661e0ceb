//! What holds for every wake and every history.

use std::time::Duration;

use proptest::prelude::*;

use super::tests::{at, place, service};
use super::*;
use crate::ids::Generation;
use crate::observation::TaskTimes;

fn history() -> impl Strategy<Value = Wakes> {
    let one = (
        proptest::array::uniform4(0u32..200),
        proptest::option::of(0u32..400),
    );
    proptest::collection::vec(one, 0..20).prop_map(|all| {
        let mut wakes = Wakes::none();
        for (generation, (took, checking)) in (1..).zip(all) {
            wakes.push(PastWake {
                generation: Generation(generation),
                took,
                checking,
            });
        }
        wakes
    })
}

/// The marks of a wake, each after the one before, some at the same moment.
fn marks() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(prop_oneof![Just(0.0), 0.0..5.0, 0.0..200.0], 5).prop_map(|steps| {
        let mut now = 0.0;
        steps
            .into_iter()
            .map(|step: f64| {
                now += (step * 1000.0).round() / 1000.0;
                now
            })
            .collect()
    })
}

/// The wake as it is seen at a moment. If ECS is silent, it tells the times only once the task runs.
fn seen(marks: &[f64], now: f64, silent: bool) -> Place {
    let over = marks.iter().take_while(|mark| **mark <= now).count();
    if !silent || over >= 4 {
        return place(&marks[..over]);
    }
    let mut state = service(&marks[..over]);
    for task in &mut state.tasks {
        task.times = TaskTimes {
            created: task.times.created,
            ..TaskTimes::default()
        };
    }
    Place::of(&state, at(0.0), None).expect("a place")
}

proptest! {
    #[test]
    fn progress_never_goes_backwards_and_is_whole_only_when_ready(
        wakes in history(), marks in marks(), silent in any::<bool>(), needs in any::<bool>(),
        mut looks in proptest::collection::vec(0.0f64..1000.0, 1..40),
    ) {
        let shares = Shares::of(&wakes, needs);
        looks.extend(&marks);
        looks.sort_by(f64::total_cmp);
        let mut before = 0.0;
        for now in looks {
            let place = seen(&marks, now, silent);
            let progress = progress(&shares, &place, at(now));
            prop_assert!(progress >= before, "{progress} after {before} at {now} s");
            prop_assert_eq!(progress >= 0.995, place.is_ready());
            before = progress;
        }
    }

    #[test]
    fn time_left_is_one_of_those_of_the_past_and_never_nothing_before_ready(
        wakes in history(), marks in marks(), silent in any::<bool>(), now in 0.0f64..1000.0,
    ) {
        let place = seen(&marks, now, silent);
        let left = Left::of_service(&wakes, &place, at(now));
        if let (Some(usual), Some(at_most), Some(soonest)) = (left.usual(), left.at_most(), left.soonest()) {
            prop_assert!(!place.is_ready());
            prop_assert!(1 <= usual && usual <= at_most);
            prop_assert!(soonest <= Duration::from_secs(usual));
            let longest = wakes.all().iter().map(|wake| wake.took.iter().sum::<u32>() + 400).max();
            prop_assert!(at_most <= u64::from(longest.unwrap_or(0)));
        } else {
            prop_assert_eq!((left.usual(), left.at_most()), (None, None));
        }
        if wakes.known() == 0 {
            prop_assert_eq!(left, Left::default());
        }
    }

    /// As long as nothing runs late, the time left and the time that is over are together what it takes.
    #[test]
    fn a_wake_like_the_only_one_before_ends_when_it_is_said_to(
        took in proptest::array::uniform5(1u32..100), share in 0.0f64..1.0,
    ) {
        let [needs, provisioning, pulling, starting, checking] = took;
        let mut wakes = Wakes::none();
        let before = PastWake {
            generation: Generation(1), took: [needs, provisioning, pulling, starting], checking: Some(checking),
        };
        wakes.push(before);
        let marks: Vec<f64> = took
            .iter()
            .scan(0, |sum, step| { *sum += step; Some(f64::from(*sum)) })
            .collect();
        let whole = marks[4];
        let now = (whole * share).floor();
        let place = seen(&marks, now, false);
        prop_assert_eq!(Left::of_service(&wakes, &place, at(now)).usual(), Some((whole - now) as u64));
        let ready = seen(&marks, whole, false);
        prop_assert_eq!(ready.past_wake(Generation(1), true), Some(before));
    }
}
