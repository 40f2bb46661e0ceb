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
