//! Tasks that do not answer.

use super::must_be_told_once;
use super::scene::{BUSY, Watched};
use crate::account::Part;
use crate::sim::{Sim, minutes, seconds};

fn changes_nothing(sim: &Sim) {
    if !sim.executions.is_empty() || !sim.account.counts_set().is_empty() {
        sim.account.fail("the count was changed");
    }
}

/// However high or low the load was before, and nobody can tell what it is.
#[test]
fn nobody_answers_and_nothing_changes_until_they_do() {
    for memory_lost in [false, true] {
        for (load, then) in [(150, vec![(6, 2)]), (900, vec![(6, 9)])] {
            let mut sim = BUSY.open();
            sim.plan(seconds(70), |sim| sim.account.outage(Part::Apps, minutes(20)));
            sim.load_after(seconds(71), load);
            sim.run(minutes(20));
            if memory_lost {
                sim.account.lose_memory();
            }
            changes_nothing(&sim);
            let answered = sim.account.at() + seconds(70);
            sim.run(minutes(20));
            assert_eq!(sim.account.counts_set(), then);
            let took = sim.set_after(answered - seconds(2)).expect("an answer");
            assert!(load == 150 || took <= seconds(8), "{took:?}");
            must_be_told_once(&sim);
            sim.must_be_clean();
        }
    }
}

/// One that is silent may be the busiest of all: nothing leaves, and its silence alone asks for nothing.
#[test]
fn one_of_them_is_silent_and_nothing_leaves() {
    for load in [150, 550] {
        let mut sim = BUSY.open();
        let silent = sim.account.alive()[2].clone();
        sim.load_after(seconds(70), load);
        let theirs = silent.clone();
        sim.plan(seconds(80), move |sim| sim.account.silence(&theirs, true));
        sim.run(minutes(20));
        changes_nothing(&sim);
        sim.account.silence(&silent, false);
        sim.run(minutes(20));
        let then: &[(u32, u32)] = if load == 150 { &[(6, 2)] } else { &[] };
        assert_eq!(sim.account.counts_set(), then);
        sim.must_be_clean();
    }
}

/// The others tell enough for a scale-out.
#[test]
fn a_spike_is_answered_though_half_of_them_are_silent() {
    let mut sim = BUSY.open();
    for id in sim.account.alive().into_iter().take(3) {
        sim.plan(seconds(65), move |sim| sim.account.silence(&id, true));
    }
    sim.load_after(seconds(80), 1100);
    sim.run(seconds(80));
    let begun = sim.account.at();
    sim.run(seconds(20));
    assert!(sim.set_after(begun).is_some_and(|took| took <= seconds(6)));
    assert_eq!(sim.account.counts_set(), [(6, 11)]);
    must_be_told_once(&sim);
}

/// A short silence is no lull, and does not begin the stable window anew either.
#[test]
fn a_lull_with_a_silence_of_some_seconds_is_still_one() {
    let mut sim = Watched { load: 550, ..BUSY }.open();
    sim.load_after(seconds(70), 150);
    sim.plan(seconds(200), |sim| sim.account.outage(Part::Apps, seconds(9)));
    sim.run_until(|sim| !sim.executions.is_empty());
    let after = sim.account.at().0 % 3_600_000 - 60_000;
    assert!((370_000..385_000).contains(&after), "{after} ms");
}

/// Counts that cannot be had are not taken for anything.
#[test]
fn ecs_does_not_answer_and_nothing_is_lost() {
    let mut sim = BUSY.open();
    sim.plan(seconds(70), |sim| sim.account.outage(Part::Ecs, seconds(100)));
    sim.load_after(seconds(80), 900);
    sim.run(seconds(169));
    changes_nothing(&sim);
    sim.run(seconds(10));
    assert_eq!(sim.account.counts_set(), [(6, 9)]);
    sim.run(minutes(2));
    must_be_told_once(&sim);
    sim.must_be_clean();
}
