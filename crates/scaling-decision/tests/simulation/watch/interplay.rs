//! What others do to the group while it is watched.

use super::scene::{BUSY, CALM, Watched};
use super::{must_be_told_once, told};
use crate::account::{Act, When};
use crate::sim::{Sim, minutes, seconds};

/// The load has fallen, the stable window is over, and a scale-in has begun whose targets drain.
fn draining(scene: Watched) -> Sim {
    let mut sim = scene.open();
    sim.load_after(seconds(70), 250);
    sim.run_until(|sim| !sim.executions.is_empty());
    sim.run_to("WaitUntilDrained");
    sim
}

/// However high the load is that it had.
#[test]
fn a_group_that_falls_asleep_gets_no_more_tasks() {
    for second in [65, 71, 72, 73, 74, 80] {
        let mut sim = CALM.open();
        sim.load_after(seconds(72), 1900);
        sim.run(seconds(second));
        sim.account.sleep();
        let before = sim.account.counts_set().len();
        sim.run(minutes(10));
        assert_eq!(sim.account.desired(), 0, "asleep since second {second}");
        let set = sim.account.counts_set();
        assert!(set[before..].iter().all(|(_, to)| *to == 0), "{set:?}");
        sim.must_be_clean();
    }
}

/// At each call of a scale-out.
#[test]
fn a_group_may_fall_asleep_at_any_call_of_a_scale_out() {
    let scale_out = || {
        let mut sim = CALM.open();
        sim.load_after(seconds(67), 1150);
        sim
    };
    let mut sim = scale_out();
    sim.run(seconds(67));
    let before = sim.account.calls().len();
    sim.run(seconds(10));
    for moment in sim.account.calls().into_iter().skip(before) {
        let mut sim = scale_out();
        sim.account.note(&format!("-- asleep at {moment:?}"));
        sim.account
            .plan_for(move |call| *call == moment, Act::run(|account| account.sleep()));
        sim.run(minutes(6));
        assert!(!sim.account.is_planned());
        if sim.account.desired() != 0 {
            sim.account.fail("it does not sleep");
        }
        sim.must_be_clean();
    }
}

/// And it is watched again at the latest a minute after it is awake.
#[test]
fn a_group_that_is_woken_is_watched_again() {
    let mut sim = CALM.open();
    sim.run(seconds(80));
    sim.account.sleep();
    sim.run(minutes(3));
    sim.account.wake(None);
    sim.run(minutes(3));
    assert_eq!(sim.account.desired(), 2);
    sim.account.set_load(350);
    let begun = sim.account.at();
    sim.run(seconds(10));
    assert!(sim.set_after(begun).is_some_and(|took| took <= seconds(6)));
    sim.run(minutes(2));
    assert_eq!(told(&sim), [(2, 4)]);
    sim.must_be_clean();
}

#[test]
fn nothing_leaves_while_a_deployment_is_under_way() {
    let mut sim = BUSY.open();
    sim.load_after(seconds(70), 250);
    sim.run(seconds(360));
    sim.account.deploy();
    let begun = sim.account.at();
    let old = sim.account.alive();
    while sim.account.alive().iter().any(|id| old.contains(id)) {
        assert!(
            sim.executions.is_empty(),
            "a scale-in begins in the middle of a deployment"
        );
        assert!(sim.account.at().since(begun) < minutes(30), "it ends");
        sim.run(seconds(1));
    }
    assert!(sim.account.at().since(begun) > seconds(20), "that took a while");
    sim.run(minutes(25));
    assert_eq!(sim.account.desired(), 3);
    must_be_told_once(&sim);
    sim.must_be_clean();
}

#[test]
fn a_spike_in_a_deployment_is_answered() {
    let mut sim = BUSY.open();
    sim.plan(seconds(70), |sim| sim.account.deploy());
    sim.load_after(seconds(80), 850);
    sim.run(seconds(80));
    let begun = sim.account.at();
    sim.run(seconds(10));
    assert!(sim.set_after(begun).is_some_and(|took| took <= seconds(6)));
    sim.run(minutes(12));
    assert_eq!(sim.account.counts_set(), [(6, 9)]);
    must_be_told_once(&sim);
    sim.must_be_clean();
}

/// What somebody sets by hand stays while it is needed, and is not raised again.
#[test]
fn a_count_that_is_raised_by_hand_is_built_upon() {
    let mut sim = CALM.open();
    sim.plan(seconds(70), |sim| sim.account.set_by_hand(5));
    sim.load_after(seconds(80), 350);
    sim.run(minutes(3));
    assert_eq!(sim.account.counts_set(), []);
    sim.account.set_load(750);
    sim.run(seconds(6));
    assert_eq!(sim.account.counts_set(), [(5, 8)]);
    must_be_told_once(&sim);
    // Beyond the maximum it stays, too, as long as it is needed.
    sim.account.set_by_hand(25);
    sim.account.set_load(2400);
    sim.run(minutes(15));
    assert_eq!(sim.account.counts_set(), [(5, 8)]);
}

/// By hand at each call of a scale-out: the higher count stays, and only between the last look and UpdateService does it
/// fall for a moment.
#[test]
fn a_wake_with_a_count_at_any_call_of_a_scale_out_is_not_lost() {
    let scale_out = || {
        let mut sim = CALM.open();
        sim.load_after(seconds(67), 550);
        sim
    };
    let mut sim = scale_out();
    sim.run(seconds(67));
    let before = sim.account.calls().len();
    sim.run(seconds(5));
    for moment in sim.account.calls().into_iter().skip(before) {
        let mut sim = scale_out();
        sim.account.note(&format!("-- a wake at {moment:?}"));
        let wake = Act::run(|account| account.wake(Some(9)));
        sim.account.plan_for(move |call| *call == moment, wake);
        sim.run(minutes(4));
        assert!(!sim.account.is_planned());
        if sim.account.desired() != 9 {
            sim.account.fail("nine were asked for");
        }
        sim.must_be_clean();
    }
}

/// The claim is taken away, everything is put back, and nobody is cut.
#[test]
fn a_spike_while_targets_drain_takes_the_claim_away() {
    for after in [1, 20, 100, 299] {
        let mut sim = draining(BUSY);
        for id in sim.account.victims() {
            assert!(sim.account.begin_session(&id));
        }
        sim.run(seconds(after));
        sim.account.set_load(850);
        let begun = sim.account.at();
        sim.run(seconds(7));
        assert!(sim.set_after(begun).is_some_and(|took| took <= seconds(6)));
        assert_eq!(sim.account.counts_set(), [(6, 9)]);
        sim.run(minutes(9));
        assert_eq!(sim.account.counts_set(), [(6, 9)]);
        must_be_told_once(&sim);
        sim.must_be_clean();
    }
}

/// At each step of a scale-in, while the function works on it.
#[test]
fn a_spike_may_come_at_any_moment_of_a_scale_in() {
    let whole = || {
        let mut sim = BUSY.open();
        sim.load_after(seconds(70), 250);
        sim
    };
    let mut sim = whole();
    sim.run(minutes(14));
    assert_eq!(sim.outcome(), "scaled-in");
    let calls = sim.account.calls().into_iter();
    let steps = calls.filter(|call| call.step != "watch" && call.when == When::Before);
    for moment in steps.step_by(3) {
        let mut sim = whole();
        sim.account.note(&format!("-- a spike at {moment:?}"));
        let spike = Act::run(|account| account.set_load(850));
        sim.account.plan_for(move |call| *call == moment, spike);
        sim.run_until(|sim| !sim.account.is_planned());
        let begun = sim.account.at();
        sim.run(seconds(8));
        if sim.account.desired() < 9 {
            // An UpdateService that is on its way is waited for.
            sim.run(seconds(20));
            if sim.account.desired() < 9 {
                sim.account.fail(&format!(
                    "still not enough, {:?} after",
                    sim.account.at().since(begun)
                ));
            }
        }
        sim.run(minutes(10));
        assert_eq!(sim.account.desired(), 9);
        sim.must_be_clean();
    }
}
