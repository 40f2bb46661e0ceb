//! Sessions that begin in the middle.

use crate::account::Act;
use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::seconds;
use crate::sweep::at_every_moment;

/// Somebody who is still connected begins a session while the target drains: that task stays, the others go.
#[test]
fn a_victim_that_comes_into_use_is_spared() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    let victims = sim.account.victims();
    sim.run(seconds(100));
    assert!(sim.account.begin_session(&victims[1]));
    sim.run_to("Lower");
    let registered: Vec<bool> = victims.iter().map(|id| sim.account.is_registered(id)).collect();
    assert_eq!(
        registered,
        [false, true, false],
        "it takes connections again at once"
    );
    sim.finish();
    sim.must_be_clean();
    let alive = sim.account.alive();
    let stayed: Vec<&String> = victims.iter().filter(|id| alive.contains(id)).collect();
    assert_eq!((stayed, sim.account.desired()), (vec![&victims[1]], 4));
}

/// All of them come into use: nobody leaves.
#[test]
fn victims_that_all_come_into_use_are_all_put_back() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(299));
    for id in sim.account.victims() {
        assert!(sim.account.begin_session(&id));
    }
    sim.finish();
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.account.ever_started()), (6, 6));
    assert_eq!(sim.outcome(), "all-in-use");
    assert!(sim.account.notices.borrow().is_empty());
}

/// A task that was free, but is not to go, comes into use, and is the busiest of all.
#[test]
fn another_task_that_comes_into_use_stays() {
    let mut sim = Scene { min: 4, ..BALANCED }.begun();
    sim.run_to("Lower");
    let free = sim.account.unprotected(&sim.account.alive());
    let in_use = sim.account.with_sessions();
    let other = sim
        .account
        .others()
        .into_iter()
        .find(|id| !in_use.contains(id))
        .expect("a free one");
    assert!(!free.contains(&other), "it is protected");
    for _ in 0..5 {
        assert!(sim.account.begin_session(&other));
    }
    sim.finish();
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 4);
    assert!(sim.account.alive().contains(&other));
}

/// At whatever moment a session begins on a victim, if one can begin there, it is not cut.
#[test]
fn a_session_on_a_victim_is_never_cut() {
    for scene in [BALANCED, ALONE] {
        let begin = || {
            Act::run(|account| {
                account.begin_session(account.victims().first().map_or("", |id| id));
            })
        };
        at_every_moment(
            scene,
            |_| true,
            begin,
            |sim| {
                let (count, in_use) = (sim.account.desired() as usize, sim.account.with_sessions().len());
                assert!(
                    count == in_use || sim.outcome() != "scaled-in",
                    "{count}, {in_use}"
                );
            },
        );
    }
}

/// The same for all victims at once.
#[test]
fn sessions_on_all_victims_are_never_cut() {
    let begin = || {
        Act::run(|account| {
            for id in account.victims() {
                account.begin_session(&id);
            }
        })
    };
    at_every_moment(BALANCED, |_| true, begin, |_| {});
    at_every_moment(ALONE, |_| true, begin, |_| {});
}
