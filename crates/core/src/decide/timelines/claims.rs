//! Who needs the tasks takes the claim of a scale-in away, in the same write.

use super::*;
use crate::scaling::reason;
use crate::scaling::record::{Lowering, Revocation, Revoker};

/// An awake group, with a scale-in of its service under way.
fn scaling_in() -> Timeline {
    let mut t = Timeline::awake(&["web"], 6);
    let record = t.record.service(&id("web"));
    record
        .scaling
        .begin_scale_in(&id("web"), 6, 3, reason::Reason::Asked, at(100));
    t
}

/// The same, and its call to lower the count to 3 is on its way.
fn lowering(since: i64) -> Timeline {
    let mut t = scaling_in();
    let claim = t.record.service(&id("web")).scaling.claim.as_mut();
    claim.expect("a claim").lowering = Some(Lowering {
        to: 3,
        at: at(since),
        repeated: false,
    });
    t
}

fn revoked(t: &Timeline) -> Option<Revocation> {
    t.record.services[&id("web")]
        .scaling
        .claim
        .as_ref()
        .expect("a claim")
        .revoked
}

#[test]
fn a_wake_takes_the_claim_and_a_look_or_a_tick_does_not() {
    let mut t = scaling_in();
    t.decide(110, Action::Look);
    t.tick(120);
    assert_eq!(revoked(&t), None);
    t.wake(130);
    let revocation = Revocation {
        at: at(130),
        by: Revoker::Wake,
    };
    assert_eq!(revoked(&t), Some(revocation));
    t.wake(200);
    assert_eq!(revoked(&t), Some(revocation), "the first stays on record");
}

#[test]
fn falling_asleep_takes_the_claim_whoever_begins_it() {
    for fall_asleep in [
        |t: &mut Timeline| drop(t.decide(300, Action::Sleep)),
        |t: &mut Timeline| drop(t.tick(5000)),
        |t: &mut Timeline| drop(t.sees("web", service(0, 0, true)).tick(300)),
    ] {
        let mut t = scaling_in();
        fall_asleep(&mut t);
        assert_ne!(t.record.phase, Phase::Awake);
        assert_eq!(revoked(&t).map(|revoked| revoked.by), Some(Revoker::Sleep));
    }
}

#[test]
fn a_wake_asks_for_no_fewer_tasks_than_are_on_their_way() {
    let mut t = Timeline::awake(&["web"], 6);
    // A scale-out to 8 was decided; ECS does not show it yet.
    t.record.service(&id("web")).command = Some(Command {
        count: 8,
        at: at(100),
    });
    assert_eq!(counts(&t.wake_with(105, Some(7), false)), []);
    assert_eq!(counts(&t.wake_with(106, Some(9), false)), web(9));
    let mut t = Timeline::awake(&["web"], 6);
    // A scale-in to 3 was: whichever lands last, there are to be 5.
    t.record.service(&id("web")).command = Some(Command {
        count: 3,
        at: at(100),
    });
    assert_eq!(counts(&t.wake_with(105, Some(5), false)), []);
    t.sees("web", service(3, 3, true));
    assert_eq!(counts(&t.wake_with(106, Some(5), false)), web(5));
}

/// Seed 18239 of the simulation: reads of ECS lagged, and a wake gave back what a scale-in had just taken.
#[test]
fn no_sleep_begins_while_nobody_knows_how_many_tasks_it_would_take() {
    let mut t = lowering(4990);
    let tick = t.tick(5000);
    assert_eq!(
        tick.reason.to_string(),
        "dev/web cannot be looked at: its count goes from 6 to 3"
    );
    assert_eq!((t.record.phase, counts(&tick)), (Phase::Awake, Vec::new()));
    t.sees("web", service(3, 3, true)).tick(5001);
    assert_eq!(t.record.phase, Phase::FallingAsleep);
    assert_eq!(t.record.services[&id("web")].saved, Some(3));

    // Whoever asks for sleep gets it, and a wake gives back what the scale-in leaves.
    let mut t = lowering(290);
    assert_eq!(counts(&t.decide(300, Action::Sleep)), web(0));
    assert_eq!(t.record.services[&id("web")].saved, Some(3));

    // A count that somebody waits for in vain, and one that a scale-out asked for.
    for (before, phase) in [(4984, Phase::FallingAsleep), (4990, Phase::Awake)] {
        let mut t = Timeline::awake(&["web"], 6);
        t.record.service(&id("web")).command = Some(Command {
            count: 8,
            at: at(before),
        });
        t.tick(5000);
        assert_eq!(t.record.phase, phase);
    }
}
