//! Deployments, and a scheduler that puts targets back.

use crate::account::Act;
use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{minutes, seconds};
use crate::sweep::at_every_moment;

/// A deployment begins while tasks drain: the scale-in undoes itself, and the rollout gets on.
#[test]
fn a_deployment_ends_the_scale_in() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(30));
    sim.account.deploy();
    sim.finish();
    sim.run(minutes(10));
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.account.ever_started()), (6, 12));
    let why = format!("{:?}", sim.last().end);
    assert!(why.contains("a rollout is under way"), "{why}");
}

/// At whatever moment it begins.
#[test]
fn a_deployment_may_begin_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(scene, |_| true, || Act::run(|account| account.deploy()), |_| {});
    }
}

/// Whether ECS registers a target again that was taken out is not documented. If it does, the scale-in takes it out
/// again, and gives up or succeeds in the end.
#[test]
fn targets_that_are_put_back_cut_nobody() {
    for after in [1, 20, 59, 61, 250, 299, 301, 320] {
        for delay in [0, 30, 300] {
            let reregister_after = Some(seconds(after));
            let mut sim = Scene {
                reregister_after,
                delay,
                ..BALANCED
            }
            .begun();
            sim.finish();
            sim.run(minutes(5));
            sim.must_be_clean();
        }
    }
}

/// One is put back right before the count would fall: it is taken out again, and drains again, first.
#[test]
fn a_target_that_is_put_back_at_the_last_moment_is_taken_out_again() {
    let mut sim = BALANCED.begun();
    sim.run_to("Lower");
    sim.account.put_back(&sim.account.victims()[0]);
    sim.finish();
    sim.must_be_clean();
    let visits = sim.last().visited.iter().filter(|state| *state == "Deregister");
    assert_eq!((visits.count(), sim.account.desired()), (2, 3));
}

/// The same while somebody uses whatever can be used: a session begins on every victim that is healthy again.
#[test]
fn sessions_on_targets_that_were_put_back_are_not_cut() {
    for after in [5, 20, 61, 290] {
        let reregister_after = Some(seconds(after));
        let mut sim = Scene {
            reregister_after,
            delay: 60,
            ..BALANCED
        }
        .begun();
        while sim.last().end.is_none() {
            sim.step();
            if sim.last().visited.contains(&"WaitUntilDrained".to_owned()) {
                sim.account
                    .begin_session(sim.account.victims().first().map_or("", |id| id));
            }
        }
        sim.run(minutes(5));
        sim.must_be_clean();
    }
}
