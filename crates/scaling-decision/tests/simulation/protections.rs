//! Protections that end too early, and those that are the app's own.

use std::time::Duration;

use crate::account::{Act, Call};
use crate::scene::{ALONE, BALANCED};
use crate::sim::{minutes, seconds};
use crate::sweep::at_every_moment;

/// The protections are gone right before the count would fall: the others are protected again first.
#[test]
fn expired_protections_are_renewed_before_the_count_falls() {
    for scene in [BALANCED, ALONE] {
        let mut sim = scene.begun();
        sim.run_to("Lower");
        sim.account.expire(&sim.account.others());
        sim.finish();
        sim.must_be_clean();
        assert!(
            sim.last().visited.contains(&"ProtectAgain".to_owned()),
            "{:?}",
            sim.last().visited
        );
        assert_eq!(sim.account.desired(), 3);
    }
}

/// At whatever moment they are gone; only after the last look at them it cannot happen, since that look wants them to last
/// for longer.
#[test]
fn protections_may_expire_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        let lower = crate::sweep::moments(scene)
            .into_iter()
            .filter(|call| call.step == "lower");
        let last_look = lower
            .clone()
            .find(|call| call.port == "protected_until")
            .expect("a look");
        let unseen: Vec<usize> = lower.map(|call| call.n).filter(|n| *n > last_look.n).collect();
        let expire = || Act::run(|account| account.expire(&account.others()));
        at_every_moment(
            scene,
            |call| !unseen.contains(&call.n),
            expire,
            |sim| {
                assert_eq!((sim.account.desired(), sim.account.ever_started()), (3, 6));
            },
        );
    }
}

/// An app protects its task while it drains: that is use like any other.
#[test]
fn a_victim_that_its_app_protects_is_spared() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    let victim = sim.account.victims().remove(0);
    sim.account.app_protects(&victim, 45);
    sim.finish();
    sim.must_be_clean();
    assert!(sim.account.alive().contains(&victim));
    assert_eq!(sim.account.desired(), 4);
}

/// An app has protected its task before: its own expiry is what it was.
#[test]
fn what_an_app_protects_keeps_its_expiry() {
    let mut sim = BALANCED.open();
    let other = sim.account.with_sessions().remove(0);
    sim.account.app_protects(&other, 120);
    sim.tick();
    sim.account.set_cpu(50.0);
    sim.finish();
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 3);
}

/// An app protects a task that we have protected: the later call is its own, and stays.
#[test]
fn what_an_app_protects_again_stays_protected() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(100));
    sim.account.app_protects(&sim.account.others()[0], 90);
    sim.finish();
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 3);
}

/// At whatever moment an app protects a task. Between our look and our call we cannot know of it: the last call wins.
#[test]
fn an_app_may_protect_its_task_at_any_moment() {
    let known = |call: &Call| match call.step.as_str() {
        "protect" => !matches!(call.port, "save_plan" | "protect"),
        "release" => call.port != "protect",
        _ => true,
    };
    for scene in [BALANCED, ALONE] {
        let of_other = || Act::run(|account| account.app_protects(&account.others()[0], 120));
        at_every_moment(scene, known, of_other, |sim| assert_eq!(sim.account.desired(), 3));
        let of_victim = || {
            Act::run(|account| {
                account
                    .victims()
                    .first()
                    .into_iter()
                    .for_each(|id| account.app_protects(id, 120))
            })
        };
        at_every_moment(
            scene,
            |_| true,
            of_victim,
            |sim| assert!(sim.account.desired() >= 3),
        );
    }
}

/// A slow function: every call takes as long as the SDK lets it.
#[test]
fn slow_calls_cut_nobody() {
    for millis in [1000, 4000, 9000] {
        let mut sim = BALANCED.begun();
        sim.account.latency.set(Duration::from_millis(millis));
        sim.finish();
        sim.run(minutes(3));
        sim.must_be_clean();
    }
}

/// An app's own protection that is about to end is made longer, and is not ours to end before its time.
#[test]
fn what_an_app_protects_for_a_moment_longer_stays_so_long() {
    let mut sim = BALANCED.begun();
    sim.run_to("Protect");
    sim.account.app_protects(&sim.account.others()[0], 1);
    sim.step();
    sim.account.wake(None);
    sim.ticking = false;
    sim.account.latency.set(Duration::ZERO);
    sim.run_to("Release");
    sim.step();
    sim.must_be_clean();
}
