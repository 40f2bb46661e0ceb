//! A group that falls asleep in the middle.

use crate::account::Act;
use crate::scene::{ALONE, BALANCED};
use crate::sim::minutes;
use crate::sweep::at_every_moment;

/// The protections must not keep the tasks: within three minutes they are gone, though the state machine still waits.
#[test]
fn nothing_keeps_the_tasks_of_a_group_that_falls_asleep() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.account.sleep();
    sim.run(minutes(3));
    assert!(sim.last().end.is_none(), "it still waits");
    assert_eq!((sim.account.alive().len(), sim.account.desired()), (0, 0));
    sim.finish();
    sim.must_be_clean();
}

/// At whatever moment it falls asleep.
#[test]
fn a_group_may_fall_asleep_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::run(|account| account.sleep()),
            |sim| {
                assert_eq!((sim.account.alive().len(), sim.account.desired()), (0, 0));
            },
        );
    }
}

/// It is woken at once: as many tasks as before, all in service.
#[test]
fn a_group_may_fall_asleep_and_be_woken_at_any_moment() {
    let both = || {
        Act::run(|account| {
            account.sleep();
            account.wake(None);
        })
    };
    at_every_moment(
        BALANCED,
        |_| true,
        both,
        |sim| assert!(sim.account.desired() >= 3),
    );
}

/// Its tags go while it drains: what was taken is given back all the same, by the machine or by the ticks.
#[test]
fn a_service_that_loses_its_tags_gets_its_tasks_back() {
    for lost in [false, true] {
        let mut sim = BALANCED.begun();
        sim.run_to("WaitUntilDrained");
        let group = crate::account::group();
        sim.account
            .table
            .borrow_mut()
            .groups
            .entry(group)
            .or_default()
            .settings = None;
        if lost {
            sim.abort(0);
        }
        sim.finish();
        sim.run(minutes(4));
        sim.must_be_clean();
        assert_eq!(sim.account.desired(), 6);
    }
}

/// An app protects a victim, so that falling asleep does not stop it: it is in service again, whoever wakes the group.
#[test]
fn a_victim_that_outlives_the_sleep_is_put_back() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.account.app_protects(&sim.account.victims()[0], 120);
    sim.account.sleep();
    sim.run(minutes(3));
    sim.must_be_clean();
    sim.account.wake(None);
    sim.run(minutes(10));
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 6);
}
