//! Services that Application Auto Scaling scales.

use super::*;
use crate::scalable::{Bounds, SavedBounds, Suspended};

/// As its owner wants it: scheduled actions are suspended, policies are not.
const OWNERS: Suspended = Suspended {
    dynamic_in: false,
    dynamic_out: false,
    scheduled: true,
};

fn target(suspended: Suspended) -> Bounds {
    Bounds {
        min: 2,
        max: 6,
        suspended,
    }
}

fn suspend(name: &str, suspended: Suspended) -> Effect {
    Effect::Suspend {
        service: id(name),
        suspended,
    }
}

fn set(name: &str, count: u32) -> Effect {
    Effect::SetDesired {
        service: id(name),
        count,
    }
}

fn denied() -> Error {
    Error::new(Code::AccessDenied, "DescribeScalableTargets: not authorized")
}

impl Timeline {
    /// The scalable target of a service is found like this; it has none if it is none.
    fn finds(&mut self, name: &str, found: Result<Option<Bounds>, Error>) -> &mut Self {
        self.seen.bounds.get_or_insert_default().insert(id(name), found);
        self
    }

    fn saved(&self, name: &str) -> Option<Bounds> {
        self.record.services[&id(name)].bounds.map(|saved| saved.bounds)
    }

    /// Asleep since 800 s, suspended by us.
    fn asleep_and_suspended() -> Self {
        let mut t = Self::awake(&["web"], 4);
        t.finds("web", Ok(Some(target(OWNERS)))).tick(700);
        t.finds("web", Ok(Some(target(Suspended::ALL))));
        t.sees("web", service(0, 0, false)).tick(800);
        assert_eq!(t.record.phase, Phase::Asleep);
        t
    }
}

#[test]
fn a_target_is_asked_for_only_when_a_count_is_to_go() {
    let mut t = Timeline::awake(&["web"], 4);
    t.seen.bounds = None;
    assert!(!t.tick(100).wants.bounds);
    let record = t.record.clone();
    let first = t.tick(700);
    assert!(first.wants.bounds && first.effects.is_empty());
    t.record = record;
    let second = t.finds("web", Ok(None)).tick(700);
    assert_eq!((second.wants.bounds, counts(&second)), (false, web(0)));
    assert_eq!(t.saved("web"), None);
}

#[test]
fn a_target_is_saved_and_suspended_before_the_count_goes() {
    let mut t = Timeline::awake(&["web"], 4);
    let sleep = t.finds("web", Ok(Some(target(OWNERS)))).tick(700);
    assert_eq!(sleep.effects, [suspend("web", Suspended::ALL), set("web", 0)]);
    assert_eq!(t.saved("web"), Some(target(OWNERS)));
}

#[test]
fn what_was_saved_is_not_replaced_by_what_sleep_has_made_of_it() {
    let mut t = Timeline::awake(&["web"], 4);
    t.finds("web", Ok(Some(target(OWNERS)))).tick(700);
    // The function died after it had suspended the target.
    let again = t.finds("web", Ok(Some(target(Suspended::ALL)))).tick(760);
    assert_eq!(
        (again.effects, t.saved("web")),
        (vec![set("web", 0)], Some(target(OWNERS)))
    );
    // Somebody resumed it meanwhile: that is what they want from now on.
    let theirs = Suspended::default();
    let third = t.finds("web", Ok(Some(target(theirs)))).tick(820);
    assert_eq!(third.effects, [suspend("web", Suspended::ALL), set("web", 0)]);
    assert_eq!(t.saved("web"), Some(target(theirs)));
}

#[test]
fn a_target_that_its_owner_suspended_stays_so() {
    let mut t = Timeline::awake(&["web"], 4);
    let sleep = t.finds("web", Ok(Some(target(Suspended::ALL)))).tick(700);
    assert_eq!((sleep.effects, t.saved("web")), (vec![set("web", 0)], None));
}

#[test]
fn a_target_that_is_not_known_holds_the_count_and_says_why() {
    let mut t = Timeline::awake(&["api", "web"], 4);
    let sleep = t.finds("web", Err(denied())).tick(700);
    assert_eq!(counts(&sleep), [("api".to_owned(), 0)], "its neighbour sleeps");
    let failure = t.record.services[&id("web")].failure.clone();
    assert_eq!(failure.map(|failure| failure.error), Some(denied()));
    assert_eq!(t.record.phase, Phase::FallingAsleep);
    assert_eq!(t.tick(705).effects, [], "tried again after ten seconds");
    assert_eq!(counts(&t.finds("web", Ok(None)).tick(711)), web(0));
    // A port that leaves a service out does not know of it either.
    let mut t = Timeline::awake(&["web"], 4);
    t.seen.bounds = Some(BTreeMap::new());
    assert_eq!(t.tick(700).effects, []);
}

#[test]
fn a_wake_asks_nothing_and_the_look_that_finds_the_count_gives_back() {
    let mut t = Timeline::asleep_and_suspended();
    let answers = t.seen.bounds.take();
    let wake = t.wake(1000);
    assert_eq!((counts(&wake), wake.wants.bounds), (web(4), false));
    // A target whose count is 0 would be scaled out to its minimum by being touched.
    let look = t.decide(1001, Action::Look);
    assert_eq!((look.effects, look.wants.bounds), (Vec::new(), false));
    t.sees("web", service(2, 0, false));
    assert!(!t.decide(1001, Action::Look).wants.bounds, "4 are on their way");
    t.sees("web", service(4, 0, false));
    assert!(t.decide(1002, Action::Look).wants.bounds);
    t.seen.bounds = answers;
    let restore = t.decide(1002, Action::Look);
    assert_eq!(restore.effects, [suspend("web", OWNERS)]);
    assert_eq!(t.decide(1004, Action::Look).effects, [], "it is on its way");
    t.finds("web", Ok(Some(target(OWNERS))))
        .decide(1006, Action::Look);
    assert_eq!(t.saved("web"), None);
    t.seen.bounds = None;
    assert!(!t.tick(1060).wants.bounds, "there is nothing left to ask");
}

#[test]
fn a_tick_gives_back_what_a_function_that_died_did_not() {
    let mut t = Timeline::asleep_and_suspended();
    t.wake(1000);
    t.sees("web", service(4, 4, true)).decide(1010, Action::Look);
    assert_eq!(
        (t.record.phase, t.saved("web")),
        (Phase::Awake, Some(target(OWNERS)))
    );
    assert_eq!(t.tick(1060).effects, [suspend("web", OWNERS)]);
    assert_eq!(
        t.tick(1120).effects,
        [suspend("web", OWNERS)],
        "that did not happen"
    );
}

#[test]
fn what_others_made_of_a_target_is_respected() {
    let theirs = Suspended {
        dynamic_in: true,
        ..Suspended::default()
    };
    for found in [Some(target(theirs)), None] {
        let mut t = Timeline::asleep_and_suspended();
        t.wake(1000);
        t.sees("web", service(4, 4, true)).finds("web", Ok(found));
        assert_eq!(t.decide(1010, Action::Look).effects, []);
        assert_eq!(t.tick(1060).effects, []);
        assert_eq!(t.saved("web"), None);
    }
}

#[test]
fn a_wake_goes_on_while_targets_cannot_be_asked_for() {
    let mut t = Timeline::asleep_and_suspended();
    t.wake(1000);
    t.finds("web", Err(denied())).sees("web", service(4, 4, true));
    assert_eq!(t.decide(1010, Action::Look).reason, Reason::BecameReady);
    t.tick(1060);
    assert_eq!(
        t.record.services[&id("web")].failure,
        None,
        "the service itself is fine"
    );
    assert_eq!(t.saved("web"), Some(target(OWNERS)), "it is not forgotten");
}

#[test]
fn nothing_is_given_back_while_a_late_sleep_may_still_land() {
    let mut t = Timeline::awake(&["web"], 4);
    t.finds("web", Ok(Some(target(OWNERS)))).tick(700);
    t.wake(703);
    assert_eq!(t.decide(705, Action::Look).effects, [], "it has not landed");
    t.finds("web", Ok(Some(target(Suspended::ALL)))).tick(760);
    assert_eq!(t.tick(819).effects, [], "its 0 may follow");
    assert_eq!(t.saved("web"), Some(target(OWNERS)));
    assert_eq!(t.tick(820).effects, [suspend("web", OWNERS)]);
    t.finds("web", Ok(Some(target(OWNERS)))).tick(880);
    assert_eq!(t.saved("web"), None);
}

#[test]
fn a_sleep_waits_until_what_gives_back_has_landed() {
    let mut t = Timeline::asleep_and_suspended();
    t.wake(1000);
    t.sees("web", service(4, 4, true)).decide(1010, Action::Look);
    assert_eq!(t.decide(1012, Action::Look).effects, [suspend("web", OWNERS)]);
    assert_eq!(t.decide(1014, Action::Sleep).effects, []);
    let landed = t.finds("web", Ok(Some(target(OWNERS)))).tick(1020);
    assert_eq!(landed.effects, [suspend("web", Suspended::ALL), set("web", 0)]);
}

#[test]
fn a_group_that_others_put_to_sleep_is_not_suspended() {
    let mut t = Timeline::awake(&["web"], 4);
    t.finds("web", Ok(Some(target(OWNERS))))
        .sees("web", service(0, 0, false));
    assert_eq!(t.tick(300).effects, []);
    assert_eq!((t.record.phase, t.saved("web")), (Phase::Asleep, None));
}

#[test]
fn a_service_that_others_hold_at_0_is_left_alone() {
    let mut t = Timeline::awake(&["api", "web"], 4);
    t.record.service(&id("web")).bounds = Some(SavedBounds::of(target(OWNERS), at(-900)));
    t.finds("web", Ok(Some(target(Suspended::ALL))));
    t.sees("web", service(0, 0, false));
    assert_eq!(t.tick(300).effects, [], "touching its target would start tasks");
    t.sees("web", service(2, 2, true));
    assert_eq!(t.tick(360).effects, [suspend("web", OWNERS)]);
}
