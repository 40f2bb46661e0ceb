//! ECS's reads lag behind its writes.

use crate::account::{Act, Call, When};
use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{minutes, seconds};

/// However far: the scale-in takes longer, and is the same.
#[test]
fn reads_that_lag_change_nothing() {
    for scene in [BALANCED, ALONE] {
        for lag in [1, 3, 8, 12, 20] {
            whole(scene, lag, 1);
        }
    }
}

/// ECS acts late on what it is told.
#[test]
fn a_slow_scheduler_changes_nothing() {
    for scheduler in [3, 9, 15, 40, 90] {
        whole(BALANCED, 0, scheduler);
    }
}

/// Both.
#[test]
fn a_slow_scheduler_and_reads_that_lag_change_nothing() {
    for scheduler in [3, 9, 15, 40] {
        for lag in [1, 3, 8, 12, 20] {
            whole(BALANCED, lag, scheduler);
        }
    }
}

/// A whole scale-in while ECS's reads lag this many seconds, and ECS acts so many after what it is told.
fn whole(scene: Scene, lag: u64, scheduler: u64) {
    let mut sim = scene.begun();
    sim.account
        .note(&format!("-- reads lag {lag} s, ECS acts after {scheduler} s"));
    sim.account.lag.set(seconds(lag));
    sim.set_scheduler(scheduler);
    sim.finish();
    sim.run(minutes(3));
    sim.must_be_clean();
    let counts = (sim.account.desired(), sim.account.ever_started());
    if counts != (3, 6) {
        sim.account
            .fail(&format!("{counts:?} tasks desired and ever started"));
    }
}

/// The function dies right after its UpdateService, which the next look does not show yet, and somebody wakes the group:
/// while ECS may still act on the lower count, the others stay protected.
#[test]
fn a_lower_count_that_is_not_seen_yet_cuts_nobody() {
    for (lag, scheduler) in [(1, 1), (2, 1), (3, 3), (5, 9), (8, 3)] {
        for wake in [None, Some(8)] {
            let mut sim = BALANCED.begun();
            sim.account.lag.set(seconds(lag));
            sim.set_scheduler(scheduler);
            let lowered =
                |call: &Call| call.step == "lower" && call.port == "set_desired" && call.when == When::After;
            sim.account.plan_for(lowered, Act::Die);
            sim.run_to("Lower");
            sim.step();
            sim.account.wake(wake);
            sim.finish();
            sim.run(minutes(5));
            sim.must_be_clean();
            assert!(
                sim.account.desired() >= wake.unwrap_or(3),
                "{}",
                sim.account.desired()
            );
        }
    }
}

/// ECS has not acted on the lower count yet when somebody raises it by one: it still may stop two, and only victims.
#[test]
fn a_count_that_is_raised_before_ecs_acts_on_it_cuts_nobody() {
    for wait in [1, 5, 12] {
        for wake in [false, true] {
            let mut sim = BALANCED.begun();
            sim.set_scheduler(30);
            sim.run_to("WaitUntilGone");
            sim.run(seconds(wait));
            if wake {
                sim.account.wake(Some(4));
            } else {
                sim.account.busy_tick();
            }
            sim.finish();
            sim.run(minutes(5));
            sim.must_be_clean();
            assert!(sim.account.desired() >= 4, "{}", sim.account.desired());
        }
    }
}

/// A tick that does not see yet what a wake has asked for leaves it alone.
#[test]
fn a_tick_does_not_lower_what_it_does_not_see_yet() {
    for lag in [3, 8] {
        let mut sim = BALANCED.open();
        sim.account.lag.set(seconds(lag));
        sim.run(minutes(1));
        sim.account.wake(Some(9));
        sim.run(seconds(2));
        sim.account.busy_tick();
        sim.ticking = true;
        sim.run(minutes(3));
        sim.must_be_clean();
        assert_eq!(sim.account.counts_set(), [(6, 9)]);
    }
}
