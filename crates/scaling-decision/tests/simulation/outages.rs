//! Parts of AWS that are unavailable for a while.

use crate::account::Part;
use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{minutes, seconds};

/// A part is out of order from the moment at which each state in turn is entered.
fn at_every_state(scene: Scene, part: Part, length: u64, check: impl Fn(&crate::sim::Sim)) {
    for state in 1.. {
        let mut sim = scene.begun();
        sim.run_until(|sim| sim.last().visited.len() >= state || sim.last().end.is_some());
        if sim.last().end.is_some() {
            assert!(state > 12, "{:?}", sim.last().visited);
            return;
        }
        sim.account.outage(part, seconds(length));
        sim.finish();
        sim.run(seconds(length) + minutes(4));
        sim.must_be_clean();
        check(&sim);
    }
}

/// For less than a minute: the retries bear it.
#[test]
fn a_short_outage_is_waited_for() {
    for part in [Part::Table, Part::Ecs, Part::Elb, Part::Other] {
        for scene in [BALANCED, ALONE] {
            at_every_state(scene, part, 40, |sim| assert_eq!(sim.account.desired(), 3));
        }
    }
}

/// For longer: the scale-in gives up, or its execution fails, and the tick gives back what it took.
#[test]
fn a_long_outage_leaves_nothing_behind() {
    for part in [Part::Table, Part::Ecs, Part::Elb, Part::Other] {
        at_every_state(BALANCED, part, 200, |_| {});
    }
}

/// People are told once it works again, and once only.
#[test]
fn a_notice_that_cannot_be_sent_is_sent_later() {
    let mut sim = BALANCED.begun();
    sim.run_to("Lower");
    sim.account.outage(Part::Other, minutes(4));
    sim.finish();
    sim.run(minutes(6));
    sim.must_be_clean();
    let notices = sim.account.notices.borrow();
    assert_eq!((notices.len(), notices[0].from, notices[0].to), (1, 6, 3));
}
