//! Passes that take long.

use std::time::Duration;

use super::must_be_told_once;
use super::scene::{BUSY, Watched};
use crate::account::When;
use crate::sim::{Sim, minutes, seconds};

fn summary(sim: &Sim, field: &str) -> u64 {
    let last = sim.functions.ended.last().expect("a watch");
    let answer = last.answer.as_ref().expect("an answer");
    answer["watch"][field].as_u64().expect("a number")
}

/// Whatever is left out, the others stay at whole numbers of three seconds after the first.
#[test]
fn passes_that_take_too_long_are_skipped_and_counted_and_the_others_do_not_drift() {
    for (millis, passes, skipped) in [(1_000, 20, 0), (2_500, 20, 0), (3_500, 10, 10), (7_000, 7, 14)] {
        let mut sim = BUSY.open();
        sim.account.apps.latency.set(Some(Duration::from_millis(millis)));
        let begun = sim.account.at();
        sim.run_until(|sim| !sim.functions.ended.is_empty());
        assert_eq!(
            (summary(&sim, "passes"), summary(&sim, "skipped")),
            (passes, skipped),
            "{millis} ms"
        );
        let lasted = sim.functions.ended[0].at.since(begun);
        assert!(lasted < seconds(70), "{lasted:?}");
        sim.must_be_clean();
    }
}

/// Tasks are asked at once, so their number does not matter.
#[test]
fn many_slow_tasks_are_no_slower_than_one() {
    let mut sim = Watched {
        tasks: 18,
        load: 1750,
        ..BUSY
    }
    .open();
    sim.account.apps.latency.set(Some(seconds(2)));
    sim.load_after(seconds(70), 1950);
    sim.run(seconds(70));
    let begun = sim.account.at();
    sim.run_until(|sim| sim.functions.ended.len() == 2);
    assert_eq!((summary(&sim, "passes"), summary(&sim, "skipped")), (20, 0));
    let took = sim.set_after(begun).expect("an answer");
    assert!(took <= seconds(6), "{took:?}");
}

/// An UpdateService that takes long holds up no pass.
#[test]
fn what_is_done_holds_up_no_pass() {
    let mut sim = BUSY.open();
    sim.load_after(seconds(70), 850);
    let raises = |call: &crate::account::Call| call.port == "set_desired" && call.when == When::Before;
    sim.account.plan_for(
        raises,
        crate::account::Act::run(|account| account.latency.set(seconds(2))),
    );
    sim.plan(seconds(85), |sim| {
        sim.account.latency.set(Duration::from_millis(50))
    });
    sim.account.apps.latency.set(Some(Duration::from_millis(50)));
    sim.run_until(|sim| sim.functions.ended.len() == 2);
    assert_eq!((summary(&sim, "passes"), summary(&sim, "skipped")), (20, 0));
    sim.run(minutes(1));
    assert_eq!(sim.account.counts_set(), [(6, 9)]);
    must_be_told_once(&sim);
    sim.must_be_clean();
}
