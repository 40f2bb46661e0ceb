//! The same scale-in again and again, with something else happening at each call of its steps in turn.

use crate::account::{Account, Act, Call, When};
use crate::scene::{BALANCED, Scene};
use crate::sim::{Sim, minutes};

/// The moments of an undisturbed scale-in at which something may happen.
pub(crate) fn moments(scene: Scene) -> Vec<Call> {
    let mut sim = scene.begun();
    sim.finish();
    let calls = sim.account.calls();
    let moments = distinct(calls.into_iter().filter(|call| call.step != "tick").collect());
    assert!(
        moments.len() > 40,
        "a scale-in is more than {} moments",
        moments.len()
    );
    moments
}

/// Before each call, and after the last one of each step: after any other call is before the next.
fn distinct(calls: Vec<Call>) -> Vec<Call> {
    let next_steps = calls
        .iter()
        .skip(1)
        .map(|call| Some(call.step.clone()))
        .chain([None]);
    let ends: Vec<bool> = next_steps
        .zip(&calls)
        .map(|(next, call)| next.as_ref() != Some(&call.step))
        .collect();
    let pairs = calls.into_iter().zip(ends);
    pairs
        .filter(|(call, end)| call.when == When::Before || *end)
        .map(|(call, _)| call)
        .collect()
}

/// Runs a scale-in for each of its moments that `fits`, with `act` then, until it is over, and ten minutes more. Nothing
/// may be left behind; the rest is for `check` to say.
pub(crate) fn at_every_moment(
    scene: Scene,
    fits: impl Fn(&Call) -> bool,
    act: impl Fn() -> Act,
    check: impl Fn(&Sim),
) {
    for moment in moments(scene).into_iter().filter(fits) {
        let mut sim = scene.begun();
        sim.account.note(&format!("-- something happens at {moment:?}"));
        sim.account.plan_for(move |call| *call == moment, act());
        sim.finish();
        assert!(!sim.account.is_planned(), "until then, every run is the same");
        sim.run(minutes(10));
        sim.finish();
        sim.must_be_clean();
        check(&sim);
    }
}

impl Sim {
    /// Nothing is left behind.
    pub(crate) fn must_be_clean(&self) {
        if let Some(left) = self.account.left_behind() {
            self.account.fail(&format!("left behind: {left}"));
        }
    }
}

/// Runs `tick` for each call that it makes, with `act` then, and the schedule for some minutes more, in which no tick wants
/// any change.
pub(crate) fn tick_at_every_moment(tick: impl Fn(&Account), act: impl Fn() -> Act, check: impl Fn(&Sim)) {
    let sim = BALANCED.open();
    tick(&sim.account);
    for moment in distinct(sim.account.calls()) {
        let mut sim = BALANCED.open();
        sim.account.note(&format!("-- something happens at {moment:?}"));
        sim.account.plan_for(move |call| *call == moment, act());
        tick(&sim.account);
        sim.account.set_cpu(50.0);
        sim.ticking = true;
        sim.run(minutes(5));
        sim.finish();
        sim.run(minutes(2));
        sim.must_be_clean();
        check(&sim);
    }
}
