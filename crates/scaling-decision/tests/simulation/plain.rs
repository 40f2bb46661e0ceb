//! Scale-ins that nothing disturbs.

use dormouse_testkit::state_machine::End;
use serde_json::json;

use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{Sim, minutes};

/// A whole scale-in from six tasks to the three with sessions, looked at after every state. Gives the states.
fn whole(scene: Scene) -> Vec<String> {
    let mut sim = scene.open();
    sim.account.pass(minutes(8));
    let (in_use, all) = (sim.account.with_sessions(), sim.account.alive());
    sim.ticking = true;
    sim.step();
    assert_eq!(
        sim.executions.len(),
        1,
        "the tick has claimed the service and started the machine"
    );
    while sim.last().end.is_none() {
        sim.step();
        let visited = &sim.last().visited;
        let protected = visited.contains(&"Protect".to_owned()) && sim.last().state != "Done";
        if protected && sim.last().end.is_none() {
            assert_eq!(
                sim.account.unprotected(&in_use),
                Vec::<String>::new(),
                "after {visited:?}"
            );
        }
    }
    let end = End::Succeeded(json!({"outcome": "scaled-in", "why": ""}));
    assert_eq!(sim.last().end, Some(end));
    sim.run(minutes(20));
    sim.must_be_clean();
    let mut left = sim.account.alive();
    left.sort();
    assert_eq!((left, all.len()), (in_use, 6), "exactly the free tasks are gone");
    assert_eq!(sim.account.ever_started(), 6, "none was replaced");
    assert_eq!(sim.account.counts_set(), [(6, 3)]);
    assert_eq!(sim.executions.len(), 1, "no tick has started a second one");
    tells_once(&sim);
    sim.executions.remove(0).visited
}

fn tells_once(sim: &Sim) {
    let notices = sim.account.notices.borrow();
    let told: Vec<_> = notices
        .iter()
        .map(|notice| (notice.event, notice.from, notice.to))
        .collect();
    assert_eq!(told, [("scaled-in", 6, 3)]);
}

/// Six tasks behind a load balancer: the free ones drain first, in one long wait.
#[test]
fn exactly_the_free_tasks_leave() {
    let states = whole(BALANCED);
    assert_eq!(
        states.iter().filter(|state| *state == "WaitUntilDrained").count(),
        1,
        "{states:?}"
    );
}

/// Without a load balancer there is nothing to drain; the sessions are looked at again all the same.
#[test]
fn exactly_the_free_tasks_leave_without_a_load_balancer() {
    let states = whole(ALONE);
    assert!(states.contains(&"Check".to_owned()), "{states:?}");
}

/// No deregistration delay is too short or too long.
#[test]
fn targets_drain_for_as_long_as_their_owner_wants() {
    for delay in [0, 1, 90, 3600] {
        whole(Scene { delay, ..BALANCED });
    }
}

/// The owner's minimum stays, free or not.
#[test]
fn the_minimum_stays() {
    let mut sim = Scene { min: 5, ..BALANCED }.begun();
    sim.finish();
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 5);
}

/// Whoever starts an execution by hand says how many tasks to leave, and gets the claim if it is free.
#[test]
fn a_scale_in_can_be_started_by_hand() {
    let mut sim = BALANCED.open();
    sim.account.set_cpu(50.0);
    sim.ticking = true;
    let input = json!({"group": "dev", "service": "dev/web", "to": 4});
    sim.account.begin("by-hand", input.clone());
    sim.run(minutes(1));
    sim.account.begin("by-another-hand", input);
    sim.finish();
    sim.must_be_clean();
    assert_eq!(sim.account.desired(), 4);
    assert_eq!(
        (sim.executions[0].outcome(), sim.executions[1].outcome()),
        ("scaled-in", "ScaleInRevoked")
    );
}
