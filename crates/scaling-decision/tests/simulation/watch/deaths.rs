//! Watches that die, and calls that fail.

use super::scene::{CALM, Watched};
use crate::account::{Act, Call, When};
use crate::sim::{Sim, minutes, seconds};

/// The spike comes seven seconds after the second event.
fn spike(scene: Watched) -> Sim {
    let mut sim = scene.open();
    sim.load_after(seconds(67), 1150);
    sim
}

/// The calls of the watch with the spike. Of those to tasks, which are all alike, only some.
fn moments() -> Vec<Call> {
    let mut sim = spike(CALM);
    sim.run(minutes(1) - seconds(1));
    let before = sim.account.calls().len();
    sim.run(minutes(1));
    let calls = sim.account.calls().into_iter().skip(before).enumerate();
    let some = calls.filter(|(n, call)| call.port != "connections" || n % 23 == 0);
    let moments: Vec<Call> = some.map(|(_, call)| call).collect();
    assert!(moments.len() > 60, "{} moments", moments.len());
    moments
}

/// In the end there are as many tasks as are needed.
fn must_be_done(sim: &Sim) {
    sim.must_be_clean();
    if sim.account.desired() != 12 {
        sim.account.fail("not as many tasks as are needed");
    }
}

/// People know of each change, at most twice with the same moment, and the why-log once.
fn must_be_told(sim: &Sim) {
    let notices = sim.account.notices.borrow();
    let mut at = Vec::new();
    let mut changes = Vec::new();
    for notice in notices.iter() {
        if !at.contains(&notice.at) {
            at.push(notice.at);
            changes.push((notice.from, notice.to));
        }
    }
    let mut set = sim.account.counts_set();
    // An UpdateService that is repeated is one change.
    set.retain(|(from, to)| from != to);
    changes.dedup();
    if changes != set {
        sim.account.fail(&format!("set {set:?}, told {changes:?}"));
    }
    if notices.len() > at.len() + 1 {
        sim.account.fail("people are told again and again");
    }
    let kept = sim.account.changes_kept().len();
    if kept != at.len() {
        sim.account.fail(&format!("{} told, {kept} kept", at.len()));
    }
}

fn at_every_moment(act: fn() -> Act, check: fn(&Sim, &Call)) {
    for moment in moments() {
        let mut sim = spike(CALM);
        sim.account.note(&format!("-- something happens at {moment:?}"));
        let this = moment.clone();
        sim.account.plan_for(move |call| *call == this, act());
        sim.run(minutes(5));
        assert!(!sim.account.is_planned(), "until then, every run is the same");
        must_be_done(&sim);
        check(&sim, &moment);
    }
}

#[test]
fn a_watch_may_die_at_any_moment() {
    at_every_moment(|| Act::Die, |sim, _| must_be_told(sim));
}

#[test]
fn any_call_of_a_watch_may_fail() {
    at_every_moment(|| Act::Fail, |sim, _| must_be_told(sim));
}

/// As long as the topic is out of order nobody is told, and then of everything.
#[test]
fn a_leap_that_cannot_be_told_at_once_is_told_later() {
    let mut sim = spike(CALM);
    sim.plan(seconds(60), |sim| {
        sim.account.outage(crate::account::Part::Other, seconds(40));
    });
    sim.run(minutes(5));
    must_be_done(&sim);
    must_be_told(&sim);
}

/// Its successor goes on within the minute, and what was told stays told.
#[test]
fn a_watch_that_dies_is_followed_by_the_next() {
    let mut sim = CALM.open();
    let dies = |call: &Call| call.step == "watch" && call.n > 60 && call.when == When::After;
    sim.account.plan_for(dies, Act::Die);
    sim.run(seconds(59));
    assert_eq!(sim.functions.ended.len(), 1, "it has died");
    sim.account.set_load(350);
    sim.run(seconds(5));
    assert_eq!(sim.account.counts_set(), [(2, 4)]);
}
