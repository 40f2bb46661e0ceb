//! Tasks that crash in the middle.

use crate::account::{Account, Act, Call};
use crate::scene::{ALONE, BALANCED};
use crate::sim::{Sim, minutes, seconds};
use crate::sweep::at_every_moment;

fn crash_victim(account: &Account) {
    let victims = account.victims();
    victims.first().into_iter().for_each(|id| account.crash(id));
}

fn crash_other(account: &Account) {
    account.crash(&account.others()[0]);
}

/// A task that was to go crashes while it drains: ECS replaces it, so the scale-in is over.
#[test]
fn a_crash_of_a_victim_ends_the_scale_in() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(10));
    crash_victim(&sim.account);
    sim.finish();
    sim.run(minutes(1));
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.account.ever_started()), (6, 7));
}

/// A task that was to stay crashes while others drain: its replacement is protected, too, and the scale-in goes on.
#[test]
fn a_crash_of_another_task_does_no_harm() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(10));
    crash_other(&sim.account);
    sim.finish();
    sim.run(minutes(1));
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.account.ever_started()), (3, 7));
}

/// A task that was to stay crashes right before the count would fall: as long as one is missing, none is taken.
#[test]
fn nobody_leaves_while_a_task_is_missing() {
    let mut sim = BALANCED.begun();
    sim.run_to("Lower");
    crash_other(&sim.account);
    sim.finish();
    sim.run(minutes(1));
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.outcome()), (6, "ScaleInRevoked"));
}

/// At whatever moment a task crashes, nobody else is cut and nothing is left behind.
#[test]
fn a_task_may_crash_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |call| !is_in_second_look(call),
            || Act::run(crash_victim),
            |_| {},
        );
        at_every_moment(scene, |_| true, || Act::run(crash_other), |_| {});
    }
}

fn is_in_second_look(call: &Call) -> bool {
    call.step == "check" && matches!(call.port, "plan" | "rows" | "protected_until" | "register")
}

/// The same while the victims are looked at again: the target of a task that has just gone is not registered.
#[test]
fn a_task_may_crash_while_it_is_looked_at() {
    at_every_moment(BALANCED, is_in_second_look, || Act::run(crash_victim), |_| {});
}

/// A task crashes between the last look and the lower count, so one victim is not needed any more: it is put back soon.
#[test]
fn a_victim_that_need_not_go_is_not_waited_for() {
    let lowers = |call: &Call| call.step == "lower" && call.port == "set_desired";
    let quick = |sim: &Sim| {
        assert!(
            sim.last()
                .visited
                .iter()
                .filter(|state| *state == "Confirm")
                .count()
                < 5
        )
    };
    at_every_moment(BALANCED, lowers, || Act::run(crash_other), quick);
    let protect = || Act::run(|account| account.app_protects(&account.victims()[0], 60));
    at_every_moment(BALANCED, lowers, protect, quick);
}
