//! One watch at a time, and always one.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{BUSY, CALM};
use super::{must_be_told_once, told};
use crate::account::Part;
use crate::functions::Ended;
use crate::sim::{Sim, minutes, seconds};

fn watches(sim: &Sim) -> Vec<(Duration, &Value)> {
    let ended = sim.functions.ended.iter();
    let watch = |one: &'_ Ended| one.at.since(one.begun);
    ended
        .map(|one| (watch(one), one.answer.as_ref().expect("an answer")))
        .collect()
}

/// An invocation stays until just before the next, a pass every three seconds.
#[test]
fn a_watch_lasts_for_most_of_a_minute_and_gives_its_lease_back() {
    let mut sim = CALM.open();
    sim.end_minute();
    let watches = watches(&sim);
    let (lasted, answer) = watches[0];
    assert!((seconds(57)..seconds(58)).contains(&lasted), "{lasted:?}");
    let of = |field: &str| answer["watch"][field].clone();
    assert_eq!(
        [of("passes"), of("skipped"), of("services"), of("elsewhere")],
        [json!(20), json!(0), json!(1), json!(false)]
    );
    assert_eq!(answer["services"], json!([]));
    assert!(sim.account.table.borrow().leases.is_empty());
}

#[test]
fn of_two_events_at_once_one_watches_and_the_other_leaves() {
    let mut sim = CALM.open();
    sim.schedule();
    sim.load_after(seconds(20), 350);
    sim.end_minute();
    let watches = watches(&sim);
    let [(short, elsewhere), (long, watch)] = watches[..] else {
        panic!("two invocations: {watches:?}")
    };
    assert!(short < seconds(1) && long > seconds(57), "{short:?}, {long:?}");
    assert_eq!(
        (&elsewhere["watch"]["elsewhere"], &watch["watch"]["elsewhere"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(told(&sim), [(2, 4)]);
    assert!(sim.account.table.borrow().leases.is_empty());
}

/// The watch takes over the time of one that comes early, whether those after it are in time again or early, too.
#[test]
fn an_event_that_comes_early_leaves_no_gap() {
    for (early, stays_early) in [(1, true), (4, false), (7, true), (10, false), (10, true)] {
        for second in (60 - early..190).step_by(3) {
            let mut sim = CALM.open();
            sim.plan(seconds(1), |sim| sim.ticking = false);
            sim.plan(seconds(60 - early), Sim::schedule);
            for minute in 2..4 {
                let early = if stays_early { early } else { 0 };
                sim.plan(minutes(minute) - seconds(early), Sim::schedule);
            }
            sim.run(seconds(second));
            sim.account.set_load(350);
            let begun = sim.account.at();
            sim.run(seconds(20));
            match sim.set_after(begun) {
                Some(took) if took <= seconds(6) => {}
                late => sim.account.fail(&format!(
                    "an event {early} s early, a spike after {second} s: answered after {late:?}"
                )),
            }
            assert_eq!(told(&sim), [(2, 4)]);
        }
    }
}

/// Events at whatever distances: no change is made or told twice, and once they come as they should, all is as ever.
#[test]
fn events_that_come_as_they_like_do_no_harm() {
    for distance in [7, 20, 33, 45, 50, 55, 59] {
        let mut sim = BUSY.open();
        sim.ticking = false;
        for n in 0..900 / distance {
            sim.plan(seconds(n * distance), Sim::schedule);
        }
        sim.load_after(seconds(100), 850);
        sim.load_after(seconds(170), 250);
        sim.run(minutes(15));
        sim.ticking = true;
        sim.run(minutes(14));
        assert_eq!(sim.account.counts_set(), [(6, 9), (9, 3)], "every {distance} s");
        must_be_told_once(&sim);
        sim.must_be_clean();
    }
}

/// One is so slow that the next has begun: it ends, and what it leaves behind is not the other's.
#[test]
fn a_watch_that_is_overtaken_ends() {
    let mut sim = CALM.open();
    sim.plan(seconds(56), |sim| sim.account.latency.set(seconds(3)));
    sim.plan(seconds(70), |sim| {
        sim.account.latency.set(Duration::from_millis(50))
    });
    sim.load_after(seconds(58), 350);
    sim.run(minutes(4));
    let watches = watches(&sim);
    assert!(
        watches.iter().all(|(lasted, _)| *lasted < seconds(80)),
        "{watches:?}"
    );
    assert_eq!(sim.account.counts_set(), [(2, 4)]);
    must_be_told_once(&sim);
    sim.must_be_clean();
}

/// The table is out of order where a watch begins or ends: the next one watches.
#[test]
fn a_lease_that_cannot_be_had_or_given_back_is_another_one_a_minute_later() {
    for (from, length) in [(59, 3), (55, 4), (116, 3)] {
        let mut sim = CALM.open();
        sim.plan(seconds(from), move |sim| {
            sim.account.outage(Part::Table, seconds(length))
        });
        sim.load_after(seconds(130), 350);
        sim.run(seconds(130));
        let begun = sim.account.at();
        sim.run(seconds(10));
        assert!(
            sim.set_after(begun).is_some_and(|took| took <= seconds(6)),
            "{from} s"
        );
        sim.run(minutes(2));
        must_be_told_once(&sim);
        sim.must_be_clean();
    }
}
