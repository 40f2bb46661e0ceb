//! Fewer connections, and what leaves when.

use std::time::Duration;

use dormouse_core::scaling::STABLE_WINDOW;

use super::must_be_told_once;
use super::scene::{BUSY, CALM, Watched};
use crate::account::Account;
use crate::sim::{Sim, minutes, seconds};

/// The load falls after 70 s, and somebody does something in the middle of each minute, for so long.
fn fall(scene: Watched, to: u64, length: Duration, each_minute: fn(&Account)) -> Sim {
    let mut sim = scene.open();
    sim.load_after(seconds(70), to);
    sim.run(seconds(70));
    for _ in 0..length.as_secs() / 60 {
        sim.plan(seconds(20), move |sim| each_minute(&sim.account));
        sim.run(minutes(1));
    }
    sim
}

fn nothing(_: &Account) {}

/// When the claim of the first scale-in was given, after the fall.
fn claimed_after(scene: Watched, to: u64, each_minute: fn(&Account)) -> Duration {
    let mut sim = scene.open();
    sim.load_after(seconds(70), to);
    sim.run(seconds(70));
    let fallen = sim.account.at();
    for _ in 0..30 {
        sim.plan(seconds(20), move |sim| each_minute(&sim.account));
        let end = sim.account.at() + minutes(1);
        while sim.executions.is_empty() && sim.next().is_some_and(|(at, _)| at <= end) {
            sim.step();
        }
        if !sim.executions.is_empty() {
            return sim.account.at().since(fallen);
        }
        sim.run(end.since(sim.account.at()));
    }
    sim.account.fail("nothing leaves within half an hour");
}

#[test]
fn nothing_leaves_before_the_stable_window_is_over_and_then_only_through_the_protocol() {
    let after = claimed_after(BUSY, 250, nothing);
    assert!(
        (STABLE_WINDOW..STABLE_WINDOW + seconds(15)).contains(&after),
        "{after:?}"
    );
    let sim = fall(BUSY, 250, minutes(16), nothing);
    assert_eq!((sim.executions.len(), sim.outcome()), (1, "scaled-in"));
    assert_eq!(
        (sim.account.counts_set(), sim.account.ever_started()),
        (vec![(6, 3)], 6)
    );
    must_be_told_once(&sim);
    sim.must_be_clean();
    let notices = sim.account.notices.borrow();
    assert_eq!(notices[0].reading.map(|reading| reading.total), Some(250));
}

/// What the table keeps is enough.
#[test]
fn a_function_that_forgets_everything_each_minute_scales_in_at_the_same_time() {
    let after = claimed_after(BUSY, 250, Account::lose_memory);
    assert!(
        (STABLE_WINDOW..STABLE_WINDOW + seconds(15)).contains(&after),
        "{after:?}"
    );
}

/// What the function remembers is enough, too.
#[test]
fn windows_that_the_table_loses_matter_only_to_a_function_that_forgets() {
    let lose = |account: &Account| account.table.borrow_mut().windows.clear();
    let after = claimed_after(BUSY, 250, lose);
    assert!(
        (STABLE_WINDOW..STABLE_WINDOW + seconds(15)).contains(&after),
        "{after:?}"
    );
    // Both are lost once, in the third minute.
    let mut sim = BUSY.open();
    sim.load_after(seconds(70), 250);
    sim.plan(seconds(179), |sim| sim.account.lose_memory());
    sim.plan(seconds(179), |sim| sim.account.table.borrow_mut().windows.clear());
    sim.run_until(|sim| !sim.executions.is_empty());
    let after = sim.account.at().0 % 3_600_000 - 60_000 - 180_000;
    let late = Duration::from_millis(after);
    assert!(
        (STABLE_WINDOW..STABLE_WINDOW + seconds(15)).contains(&late),
        "{late:?}"
    );
}

/// Four tasks are enough for the busiest reading, and two for the last. While some leave, readings are high rather than
/// low, so the rest may take another step.
#[test]
fn the_busiest_reading_of_the_window_says_how_many_stay() {
    let mut sim = BUSY.open();
    sim.load_after(seconds(70), 250);
    sim.load_after(seconds(200), 380);
    sim.load_after(seconds(206), 150);
    sim.run(minutes(17));
    assert_eq!(sim.account.counts_set()[0], (6, 4));
    sim.run(minutes(25));
    assert_eq!(sim.account.desired(), 2);
    must_be_told_once(&sim);
    sim.must_be_clean();
}

#[test]
fn tasks_with_sessions_stay_and_the_others_go() {
    for balanced in [true, false] {
        let mut sim = Watched { balanced, ..BUSY }.open();
        let users: Vec<String> = sim.account.alive().into_iter().take(4).collect();
        users.iter().for_each(|id| assert!(sim.account.begin_session(id)));
        sim.load_after(seconds(70), 150);
        sim.run(minutes(20));
        let mut left = sim.account.alive();
        left.sort();
        let mut users_left = sim.account.with_sessions();
        users_left.sort();
        assert_eq!((left, sim.account.counts_set()), (users_left, vec![(6, 4)]));
        must_be_told_once(&sim);
        sim.must_be_clean();
        // They leave once their sessions have ended.
        users.iter().for_each(|id| sim.account.end_sessions(id));
        sim.run(minutes(20));
        assert_eq!(sim.account.desired(), 2);
        must_be_told_once(&sim);
        sim.must_be_clean();
    }
}

/// While all are in use, looks at their sessions are rare.
#[test]
fn tasks_that_are_all_in_use_stay_and_are_looked_at_once_a_minute() {
    let mut sim = BUSY.open();
    sim.account
        .alive()
        .iter()
        .for_each(|id| assert!(sim.account.begin_session(id)));
    sim.load_after(seconds(70), 150);
    sim.run(minutes(10));
    let looks = |sim: &Sim| {
        sim.account
            .calls()
            .iter()
            .filter(|call| call.port == "rows")
            .count()
    };
    let before = looks(&sim);
    sim.run(minutes(10));
    let looks = (looks(&sim) - before) / 2;
    assert!((8..=11).contains(&looks), "{looks} in ten minutes");
    assert!(sim.executions.is_empty() && sim.account.counts_set().is_empty());
    sim.must_be_clean();
}

#[test]
fn nothing_leaves_in_an_hour_where_the_owner_does_not_want_it() {
    let sim = fall(
        Watched {
            scale_in: false,
            ..BUSY
        },
        0,
        minutes(60),
        nothing,
    );
    assert!(sim.executions.is_empty() && sim.account.counts_set().is_empty());
    sim.must_be_clean();
}

#[test]
fn the_minimum_stays() {
    let mut sim = fall(Watched { min: 4, ..BUSY }, 0, minutes(20), nothing);
    assert_eq!(sim.account.counts_set(), [(6, 4)]);
    // A higher one is reached within a minute, whatever the load is.
    sim.account.set_settings(|settings| settings.scaling.min = 7);
    sim.run(seconds(66));
    assert_eq!(sim.account.counts_set(), [(6, 4), (4, 7)]);
    must_be_told_once(&sim);
}

/// Its last task leaves by sleep alone.
#[test]
fn one_task_stays_without_any_connection() {
    let sim = fall(Watched { min: 1, ..CALM }, 0, minutes(20), nothing);
    assert_eq!(sim.account.counts_set(), [(2, 1)]);
    sim.must_be_clean();
}

/// The tasks that have gone do not answer any more, which is no reason to have them back.
#[test]
fn what_has_left_does_not_come_back_while_the_load_stays() {
    for second in 0..15 {
        let mut sim = BUSY.open();
        sim.load_after(seconds(70 + second), 400);
        sim.run(minutes(14));
        assert_eq!(sim.account.counts_set(), [(6, 4)], "since second {}", 70 + second);
        must_be_told_once(&sim);
    }
}

/// A load that goes up and down within the stable window changes nothing.
#[test]
fn a_load_that_comes_back_every_four_minutes_keeps_its_tasks() {
    let mut sim = BUSY.open();
    for times in 0..6 {
        sim.load_after(minutes(4 * times) + seconds(70), 250);
        sim.load_after(minutes(4 * times) + seconds(280), 550);
    }
    sim.run(minutes(24));
    assert!(sim.executions.is_empty() && sim.account.counts_set().is_empty());
}
