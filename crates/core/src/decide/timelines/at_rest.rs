//! What a tick need not look at.

use std::collections::BTreeSet;

use super::*;
use crate::connections::Endpoint;
use crate::front::{DoorId, Forward, Led};
use crate::hours::Hours;
use crate::scalable::{Bounds, SavedBounds, Suspended};

fn rests(t: &Timeline, seconds: i64) -> bool {
    is_at_rest(&t.group, &t.record, at(seconds))
}

fn asleep() -> Timeline {
    let mut t = Timeline::new(&["web"]);
    t.tick(0);
    t
}

/// Awake since 0 s, and kept so until 5000 s.
fn kept_awake() -> Timeline {
    let mut t = Timeline::awake(&["web"], 1);
    t.record.override_until = Some(at(5000));
    t
}

fn led_away(t: &mut Timeline) {
    let led = Led {
        original: Forward::to("tg/app"),
        set: Forward::to("tg/wake"),
        wake: "tg/wake".to_owned(),
        ours: BTreeSet::from(["tg/app".to_owned()]),
        place: front::place(),
        from: Forward::to("tg/app"),
        at: Some(at(0)),
        arrived_at: Some(at(0)),
        proven_at: None,
        posted: None,
        failure: None,
    };
    t.record.front.doors.insert(DoorId("rule".to_owned()), led);
}

#[test]
fn what_sleeps_rests_outside_of_its_hours() {
    assert!(rests(&asleep(), 1000));
    assert!(!rests(&Timeline::new(&["web"]), 1000), "nobody has seen it yet");
    let mut t = asleep();
    t.record.would = Some(crate::record::Would {
        since: at(0),
        phase: Phase::Waking,
        reason: Reason::WakeAsked,
        counts: BTreeMap::new(),
    });
    assert!(!rests(&t, 1000), "what would be done may be over");
    let mut t = asleep();
    t.group.services[0].awake = Hours::parse("Daily 09:00-17:00");
    assert!(rests(&t, 1000) && !rests(&t, 3600), "second 0 is 08:00");
    // What is unfinished in a group that sleeps is for its wake.
    let mut t = asleep();
    led_away(&mut t);
    let error = Error::new(Code::Throttled, "UpdateService: Rate exceeded");
    t.record.service(&id("web")).failure = Some(Failure { error, at: at(1) });
    assert!(rests(&t, 1000));
}

#[test]
fn what_moves_never_rests() {
    for phase in [Phase::Waking, Phase::FallingAsleep] {
        let mut t = kept_awake();
        t.record.phase = phase;
        assert!(!rests(&t, 1000), "{phase:?}");
    }
}

#[test]
fn a_group_that_is_kept_awake_rests_once_no_late_sleep_can_land() {
    let mut t = Timeline::awake(&["web"], 1);
    assert!(!rests(&t, 1000), "nothing keeps it awake");
    t.record.override_until = Some(at(5000));
    // It was woken at 0 s; a sleep that was on its way then may land for 120 s, and the next tick finds it.
    let rest: Vec<bool> = [40, 100, 179, 180, 181, 4999, 5000].map(|s| rests(&t, s)).into();
    assert_eq!(rest, [false, false, false, true, true, true, false]);
}

#[test]
fn a_group_that_is_kept_awake_does_not_rest_before_all_is_as_it_was() {
    let mut t = kept_awake();
    let error = Error::new(Code::Throttled, "UpdateService: Rate exceeded");
    t.record.service(&id("web")).failure = Some(Failure { error, at: at(1) });
    assert!(!rests(&t, 1000));
    let mut t = kept_awake();
    let bounds = Bounds {
        min: 1,
        max: 2,
        suspended: Suspended::ALL,
    };
    t.record.service(&id("web")).bounds = Some(SavedBounds::of(bounds, at(0)));
    assert!(!rests(&t, 1000));
    let mut t = kept_awake();
    led_away(&mut t);
    assert!(!rests(&t, 1000));
}

#[test]
fn who_must_be_asked_at_each_tick_does_not_rest_while_awake() {
    let with = |change: fn(&mut ServiceSettings)| {
        let mut t = kept_awake();
        change(&mut t.group.services[0]);
        rests(&t, 1000)
    };
    assert!(with(|_| {}));
    assert!(with(
        |web| web.signals = Signals::Listed([Signal::Requests].into())
    ));
    assert!(!with(
        |web| web.signals = Signals::Listed([Signal::Connections].into())
    ));
    assert!(with(|web| web.signals = Signals::Configured));
    let configured = |web: &mut ServiceSettings, signals| {
        web.connections = Some(Endpoint::parse(":8080/nginx_status").expect("an endpoint"));
        web.signals = signals;
    };
    let mut t = kept_awake();
    configured(&mut t.group.services[0], Signals::Configured);
    assert!(!rests(&t, 1000));
    configured(&mut t.group.services[0], Signals::FixedTimer);
    assert!(rests(&t, 1000));
    assert!(!with(
        |web| web.needs = Need::parse_list("shared/db").expect("needs")
    ));
}

#[test]
fn a_tick_of_the_schedule_looks_at_what_does_not_rest_and_all_others_look() {
    let looks =
        |t: &Timeline, action, cause| needs_look(&t.group, &t.record, &Intent::of(action, cause), at(1000));
    assert!(!looks(&kept_awake(), Action::Tick, Cause::Tick));
    assert!(
        looks(&kept_awake(), Action::Tick, Cause::Http),
        "somebody asks for this tick"
    );
    assert!(looks(&kept_awake(), Action::Look, Cause::Tick));
    assert!(looks(&Timeline::awake(&["web"], 1), Action::Tick, Cause::Tick));
    // Use of what runs is only written down.
    let activity = || Action::Activity(BTreeMap::new());
    assert!(looks(&asleep(), activity(), Cause::Http));
    for phase in [Phase::Awake, Phase::Waking] {
        let mut t = kept_awake();
        t.record.phase = phase;
        assert!(!looks(&t, activity(), Cause::Http), "{phase:?}");
    }
}

#[test]
fn doors_of_what_sleeps_are_watched() {
    let watched = |t: &Timeline| watches_front(&t.group, &t.record);
    assert!(!watched(&asleep()));
    let mut t = asleep();
    led_away(&mut t);
    assert!(watched(&t), "until they are back");
    let mut t = asleep();
    t.group.services[0].front = true;
    assert!(watched(&t));
    let mut t = kept_awake();
    t.group.services[0].front = true;
    led_away(&mut t);
    assert!(!watched(&t));
}
