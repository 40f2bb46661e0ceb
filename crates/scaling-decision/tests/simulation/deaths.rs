//! Functions that die, calls that fail, and executions that are lost.

use dormouse_testkit::state_machine::End;
use serde_json::json;

use crate::account::{Act, Call, Part, When, web};
use crate::scene::{ALONE, BALANCED};
use crate::sim::{Sim, minutes, seconds};
use crate::sweep::{at_every_moment, moments, tick_at_every_moment};

/// The scale-in did what it was to do, and people know of it.
fn done(sim: &Sim) {
    assert_eq!(
        (sim.account.desired(), sim.account.ever_started(), sim.outcome()),
        (3, 6, "scaled-in")
    );
    let notices = sim.account.notices.borrow();
    assert!(!notices.is_empty() && notices.iter().all(|notice| (notice.from, notice.to) == (6, 3)));
    assert_eq!(sim.account.changes_kept(), [(6, 3)]);
}

/// The function dies at each of its calls in turn: the state machine's retries finish the job.
#[test]
fn the_function_may_die_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::Die,
            |sim| {
                done(sim);
            },
        );
    }
}

/// A plan that arrived after its scale-in had ended belongs to nobody. The next scale-in mends what it says was taken, and
/// the one after that does its work.
#[test]
fn a_plan_that_is_left_behind_does_not_keep_others_from_theirs() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    let late = sim.account.table.borrow().plan(&web()).expect("a plan");
    sim.account.busy_tick();
    sim.finish();
    assert_eq!(sim.outcome(), "ScaleInRevoked");
    sim.account.table.borrow_mut().put_plan(&web(), &late);
    sim.account.set_cpu(10.0);
    sim.run(minutes(30));
    sim.finish();
    let outcomes: Vec<&str> = sim
        .executions
        .iter()
        .map(|execution| execution.outcome())
        .collect();
    assert_eq!(outcomes[1..3], ["ScaleInRevoked", "scaled-in"], "{outcomes:?}");
    sim.must_be_clean();
}

/// Each call in turn fails, or works and seems to have failed.
#[test]
fn any_call_may_fail() {
    for scene in [BALANCED, ALONE] {
        at_every_moment(
            scene,
            |_| true,
            || Act::Fail,
            |sim| {
                done(sim);
            },
        );
    }
    for moment in moments(BALANCED) {
        let mut sim = BALANCED.begun();
        let after =
            move |call: &Call| call.n == moment.n && call.step == moment.step && call.when == When::After;
        sim.account.plan_for(after, Act::Fail);
        sim.finish();
        sim.must_be_clean();
        done(&sim);
    }
}

/// The function dies again and again: the scale-in gives up, and whatever it has taken is given back.
#[test]
fn a_function_that_keeps_dying_in_one_step_leaves_nothing_behind() {
    for step in [
        "claim",
        "choose",
        "protect",
        "deregister",
        "check",
        "lower",
        "confirm",
        "release",
    ] {
        let mut sim = BALANCED.begun();
        for _ in 0..6 {
            let last = move |call: &Call| {
                call.step == step
                    && matches!(
                        call.port,
                        "save_plan" | "protect" | "deregister" | "set_desired" | "observe"
                    )
            };
            sim.account.plan_for(last, Act::Die);
        }
        sim.finish();
        sim.run(minutes(4));
        sim.must_be_clean();
    }
}

/// The execution is lost after each of its states in turn: the ticks alone give everything back.
#[test]
fn the_execution_may_be_lost_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        for lost_after in 1.. {
            let mut sim = scene.begun();
            sim.run_until(|sim| sim.last().visited.len() >= lost_after || sim.last().end.is_some());
            if sim.last().end.is_some() {
                assert!(lost_after > 12, "{:?}", sim.last().visited);
                break;
            }
            sim.abort(0);
            sim.run(minutes(3));
            sim.must_be_clean();
        }
    }
}

/// An execution that failed in its last step can be redriven, before or after the ticks have done its work.
#[test]
fn a_redrive_does_no_harm() {
    for wait in [0, 10] {
        let mut sim = BALANCED.begun();
        sim.run_to("Release");
        sim.account.outage(Part::Table, minutes(2));
        sim.finish();
        assert_eq!(sim.last().end, Some(End::Failed("Unavailable".to_owned())));
        sim.run(minutes(wait));
        sim.account.pass(seconds(60));
        sim.redrive(0);
        sim.finish();
        sim.run(minutes(3));
        sim.must_be_clean();
        assert_eq!(sim.account.desired(), 3);
    }
}

/// The tick that begins a scale-in dies, or one of its calls fails: the next ticks begin it anew or clean up.
#[test]
fn the_tick_may_die_at_any_moment() {
    for act in [|| Act::Die, || Act::Fail] {
        tick_at_every_moment(|account| account.tick(), act, |_| {});
        tick_at_every_moment(
            |account| account.busy_tick(),
            act,
            |sim| assert!(sim.account.desired() >= 6),
        );
    }
}

/// The tick that cleans up after a lost execution dies: the next one goes on.
#[test]
fn the_tick_may_die_while_it_cleans_up() {
    for n in 1.. {
        let mut sim = BALANCED.begun();
        sim.run_to("WaitUntilDrained");
        sim.abort(0);
        let before = sim
            .account
            .calls()
            .iter()
            .filter(|call| call.step == "tick" && call.when == When::Before)
            .count();
        sim.account
            .plan_for(move |call| call.step == "tick" && call.n == before + n, Act::Die);
        sim.run(minutes(6));
        sim.must_be_clean();
        if n > 40 {
            break;
        }
    }
}

/// A tick in the middle of every step finds nothing to do, and starts nothing.
#[test]
fn a_tick_may_come_at_any_moment() {
    for scene in [BALANCED, ALONE] {
        let low = || {
            Act::run(|account| {
                account.set_cpu(10.0);
                account.tick();
                account.set_cpu(50.0);
            })
        };
        at_every_moment(
            scene,
            |_| true,
            low,
            |sim| {
                assert_eq!((sim.executions.len(), sim.account.desired()), (1, 3));
            },
        );
    }
}

/// A tick that gives back what a lost execution has left is so slow that others have done it meanwhile, and the next scale-in
/// has begun.
#[test]
fn a_slow_release_does_not_take_the_next_plan_away() {
    let mut sim = BALANCED.begun();
    sim.run_to("WaitUntilDrained");
    sim.abort(0);
    sim.ticking = false;
    sim.account.wake(None);
    sim.run(seconds(61));
    let old = sim.last().name.clone();
    let remove = |call: &Call| call.step == "tick" && call.port == "remove_plan" && call.when == When::Before;
    sim.account.plan_for(
        remove,
        Act::run(move |account| {
            let step = |step: &str, execution: &str| {
                let request = json!({"action": "scale-in", "step": step, "group": "dev", "service": "dev/web",
                "execution": execution, "to": 3});
                account
                    .call_function(request)
                    .unwrap_or_else(|error| panic!("{step}: {error:?}"))
            };
            step("release", &old);
            for next in ["claim", "choose", "protect", "deregister"] {
                step(next, "next");
            }
        }),
    );
    sim.tick();
    assert!(!sim.account.is_planned());
    sim.ticking = true;
    sim.run(minutes(4));
    sim.must_be_clean();
}
