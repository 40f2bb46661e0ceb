//! Somebody wants more while a scale-in is under way.

use crate::account::{Account, Act, Call, When};
use crate::scene::{ALONE, BALANCED};
use crate::sim::{Sim, minutes, seconds};
use crate::sweep::{at_every_moment, tick_at_every_moment};

fn must_have(sim: &Sim, count: u32) {
    let desired = sim.account.desired();
    if desired < count {
        sim.account
            .fail(&format!("{desired} desired, and {count} were asked for"));
    }
}

/// A plain wake before the count falls: the scale-in undoes itself.
#[test]
fn a_wake_takes_the_claim_away() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.run(seconds(30));
    sim.account.wake(None);
    sim.finish();
    sim.must_be_clean();
    assert_eq!((sim.account.desired(), sim.account.ever_started()), (6, 6));
}

/// The tick gives everything back while the state machine still waits.
#[test]
fn what_a_wake_wants_back_is_there_within_three_minutes() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.account.wake(None);
    sim.run(minutes(3));
    assert!(sim.last().end.is_none(), "it still waits");
    sim.must_be_clean();
    sim.finish();
    sim.must_be_clean();
}

/// At whatever moment a wake comes, nobody is cut and nothing is left behind.
#[test]
fn a_wake_may_come_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::run(|account| account.wake(None)),
            |sim| must_have(sim, 3),
        );
    }
}

/// A tick right after it does not give back what the step that is under way still takes.
#[test]
fn a_wake_and_a_tick_may_come_at_any_moment() {
    let both = || {
        Act::run(|account| {
            account.wake(None);
            account.tick();
        })
    };
    at_every_moment(BALANCED, |_| true, both, |sim| must_have(sim, 3));
}

/// The same with a count: between the record's write and UpdateService, and right after it, too.
#[test]
fn a_wake_with_a_count_gets_it_whenever_it_comes() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::run(|account| account.wake(Some(8))),
            |sim| must_have(sim, 8),
        );
    }
    let lowers = |call: &Call| call.step == "lower" && call.port == "set_desired";
    let mut moments = crate::sweep::moments(BALANCED);
    moments.retain(lowers);
    assert_eq!(moments.len(), 1, "one of the moments above is exactly between");
}

/// Two wakes, before and after the count falls.
#[test]
fn the_last_of_two_wakes_is_not_lost() {
    let mut sim = BALANCED.begun();
    let at =
        |when| move |call: &Call| call.step == "lower" && call.port == "set_desired" && call.when == when;
    sim.account
        .plan_for(at(When::Before), Act::run(|account| account.wake(Some(7))));
    sim.account
        .plan_for(at(When::After), Act::run(|account| account.wake(Some(8))));
    sim.finish();
    sim.run(minutes(2));
    sim.must_be_clean();
    must_have(&sim, 8);
}

/// The count has to be raised again, and somebody asks for still more at each moment of that. Between the last look and the
/// call the count can fall for a moment: ECS knows no condition.
#[test]
fn a_wake_may_come_while_a_count_is_mended() {
    let overtaken = || {
        let sim = BALANCED.begun();
        let lowers =
            |call: &Call| call.step == "lower" && call.port == "set_desired" && call.when == When::Before;
        sim.account
            .plan_for(lowers, Act::run(|account| account.wake(Some(8))));
        sim
    };
    let mut sim = overtaken();
    sim.finish();
    let releases = sim
        .account
        .calls()
        .into_iter()
        .filter(|call| call.step == "release");
    for moment in releases {
        let mut sim = overtaken();
        let when = moment.clone();
        let wake = |account: &Account| {
            if account.is_about_to("set_desired") {
                account.allow_cuts();
            }
            account.wake(Some(9));
        };
        sim.account.plan_for(move |call| *call == when, Act::run(wake));
        sim.finish();
        sim.run(minutes(2));
        sim.account.note(&format!("-- a wake at {moment:?}"));
        sim.must_be_clean();
        must_have(&sim, 9);
    }
}

/// The load rises: the tick takes the claim away, or waits a moment for the UpdateService that is on its way.
#[test]
fn a_scale_out_may_come_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::run(|account| account.busy_tick()),
            |sim| must_have(sim, 3),
        );
    }
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.account.busy_tick();
    sim.finish();
    sim.run(minutes(2));
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 8);
    let events: Vec<&str> = sim
        .account
        .notices
        .borrow()
        .iter()
        .map(|notice| notice.event)
        .collect();
    assert_eq!(events, ["scaled-out"]);
}

/// The count is set by hand, up or down. What comes between the last look and our UpdateService is overwritten: ECS knows no
/// condition.
#[test]
fn somebody_may_set_the_count_at_any_moment() {
    let more = || Act::run(|account| account.set_by_hand(8));
    at_every_moment(
        BALANCED,
        |call| call.step != "lower",
        more,
        |sim| must_have(sim, 8),
    );
    at_every_moment(
        BALANCED,
        |call| call.step == "lower",
        more,
        |sim| must_have(sim, 3),
    );
    // Whoever asks for fewer by hand chooses nobody in particular.
    let fewer = || {
        Act::run(|account| {
            account.allow_cuts();
            account.set_by_hand(5);
        })
    };
    at_every_moment(BALANCED, |_| true, fewer, |_| {});
}

/// The tick that begins a scale-in is overtaken.
#[test]
fn a_wake_may_come_while_a_tick_begins_a_scale_in() {
    let wake = || Act::run(|account| account.wake(Some(9)));
    tick_at_every_moment(|account| account.tick(), wake, |sim| must_have(sim, 9));
}

/// A wake and a scale-out at the same time: the larger count stays. Only between the tick's last look and its UpdateService
/// can the count fall for a moment: ECS knows no condition.
#[test]
fn a_wake_may_come_while_a_tick_scales_out() {
    let wake = || {
        Act::run(|account| {
            if account.is_about_to("set_desired") {
                account.allow_cuts();
            }
            account.wake(Some(9));
        })
    };
    tick_at_every_moment(|account| account.busy_tick(), wake, |sim| must_have(sim, 9));
}

/// The function has no answer to its UpdateService, which arrives all the same, a moment later; a wake comes between.
#[test]
fn an_update_that_arrives_late_cuts_nobody() {
    for late in [1, 3, 5, 8] {
        for wake in [None, Some(8)] {
            let mut sim = BALANCED.begun();
            let update = |call: &Call| call.step == "lower" && call.port == "set_desired";
            sim.account.plan_for(update, Act::Late(seconds(late)));
            sim.run_to("Lower");
            sim.step();
            sim.account.wake(wake);
            sim.finish();
            sim.run(minutes(10));
            sim.must_be_clean();
            must_have(&sim, wake.unwrap_or(3));
        }
    }
}
