//! Who needs the tasks takes the claim of a scale-in away, in the same write.

use super::*;
use crate::scaling::reason;
use crate::scaling::record::{Revocation, Revoker};

/// An awake group, with a scale-in of its service under way.
fn scaling_in() -> Timeline {
    let mut t = Timeline::awake(&["web"], 6);
    let record = t.record.service(&id("web"));
    record
        .scaling
        .begin_scale_in(&id("web"), 6, 3, reason::Reason::Asked, at(100));
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
