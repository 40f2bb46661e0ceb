//! A count that may not be lowered at once, because others in the account need the calls.

use dormouse_core::quota::PATIENCE;

use crate::account::{Account, Act, Call, When};
use crate::scene::BALANCED;
use crate::sim::{Sim, minutes, seconds};

/// About to lower, with so many waits of three seconds ahead.
fn throttled(waits: usize) -> Sim {
    let mut sim = BALANCED.begun();
    sim.run_to("Lower");
    *sim.account.waits.borrow_mut() = vec![seconds(3); waits];
    sim
}

/// Something happens as soon as the step has asked for its turn.
fn while_it_waits(sim: &Sim, what: impl FnOnce(&Account) + 'static) {
    let asks = |call: &Call| call.step == "lower" && call.port == "take" && call.when == When::After;
    sim.account.plan_for(asks, Act::run(what));
}

#[test]
fn a_lower_count_waits_its_turn() {
    let mut sim = throttled(4);
    let began = sim.account.at();
    sim.run_to("WaitUntilGone");
    assert!(sim.account.at().since(began) >= seconds(12));
    sim.finish();
    sim.must_be_clean();
    assert_eq!((sim.outcome(), sim.account.desired()), ("scaled-in", 3));
}

#[test]
fn a_step_that_waits_for_too_long_is_repeated_and_in_the_end_all_is_given_back() {
    let most = PATIENCE.as_secs() as usize / 3 + 1;
    for (steps, outcome, count) in [(2, "scaled-in", 3), (6, "Throttled", 6)] {
        let mut sim = throttled(steps * most);
        sim.finish();
        sim.must_be_clean();
        assert_eq!((sim.outcome(), sim.account.desired()), (outcome, count));
    }
}

/// What was seen before it waited does not count.
#[test]
fn a_count_that_somebody_sets_while_it_waits_stays() {
    let mut sim = throttled(1);
    while_it_waits(&sim, |account| {
        account.update(|input| input.desired_count = Some(8))
    });
    sim.finish();
    sim.run(minutes(3));
    sim.must_be_clean();
    assert_eq!((sim.outcome(), sim.account.desired()), ("ScaleInRevoked", 8));
}

#[test]
fn a_wake_that_comes_while_it_waits_takes_the_claim_away() {
    let mut sim = throttled(1);
    while_it_waits(&sim, |account| account.wake(None));
    sim.finish();
    sim.must_be_clean();
    assert_eq!((sim.outcome(), sim.account.desired()), ("ScaleInRevoked", 6));
}

#[test]
fn a_task_that_comes_into_use_while_it_waits_stays() {
    let mut sim = throttled(1);
    let victim = sim.account.victims()[0].clone();
    while_it_waits(&sim, {
        let victim = victim.clone();
        move |account| account.app_protects(&victim, 60)
    });
    sim.finish();
    sim.must_be_clean();
    assert!(sim.account.alive().contains(&victim));
    assert_eq!((sim.outcome(), sim.account.desired()), ("scaled-in", 4));
}
