//! Use that log lines show.

use super::*;

fn line(seconds: i64) -> Action {
    Action::Activity(BTreeMap::from([(id("web"), at(seconds))]))
}

/// Fell asleep at 1000 s because it was idle, and sleeps since 1010 s.
fn asleep() -> Timeline {
    let mut t = Timeline::awake(&["api", "web"], 1);
    assert_eq!(t.tick(1000).reason.code(), "fixed-time-over");
    t.sees("web", service(0, 0, false))
        .sees("api", service(0, 0, false));
    t.decide(1010, Action::Look);
    assert_eq!(t.record.phase, Phase::Asleep);
    t
}

#[test]
fn a_line_wakes_a_sleeping_group_with_all_its_services() {
    let woken = asleep().decide(2000, line(1999));
    assert_eq!(woken.reason, Reason::WakeAsked);
    assert_eq!(counts(&woken), [("api".to_owned(), 1), ("web".to_owned(), 1)]);
}

#[test]
fn a_line_while_falling_asleep_wakes_it_again() {
    let mut t = Timeline::awake(&["web"], 1);
    t.tick(1000);
    assert_eq!(t.decide(1003, line(1002)).reason, Reason::WakeAsked);
    assert_eq!(t.record.phase, Phase::Waking);
}

#[test]
fn a_line_from_before_it_fell_asleep_does_not_wake_it_but_one_on_its_way_does() {
    let old = asleep().decide(2000, line(900));
    assert_eq!(
        (old.reason, old.record.phase),
        (Reason::ActivityBeforeSleep { at: at(900) }, Phase::Asleep)
    );
    assert_eq!(asleep().decide(1020, line(995)).reason, Reason::WakeAsked);
}

#[test]
fn what_it_said_before_it_was_put_to_sleep_by_hand_does_not_wake_it() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(t.decide(400, Action::Sleep).reason, Reason::SleepAsked);
    assert_eq!(t.decide(402, line(399)).reason.code(), "activity-before-sleep");
    assert_eq!(t.decide(402, line(400)).reason.code(), "activity-before-sleep");
    assert_eq!(t.record.phase, Phase::FallingAsleep);
}

#[test]
fn a_line_that_is_delivered_twice_wakes_once() {
    let mut t = asleep();
    t.decide(2000, line(1999));
    t.decide(2001, Action::Sleep);
    assert_eq!(t.decide(2002, line(1999)).reason, Reason::AlreadyAsleep);
    assert_eq!(
        (t.record.phase, t.record.generation),
        (Phase::Asleep, Generation(2))
    );
}

#[test]
fn a_line_right_after_a_sleep_by_hand_wakes_it_however_soon_it_follows_the_last_one() {
    let mut t = Timeline::awake(&["web"], 1);
    t.decide(400, line(400));
    t.decide(401, Action::Sleep);
    assert_eq!(t.decide(402, line(402)).reason, Reason::WakeAsked);
}

#[test]
fn a_burst_is_written_down_once_in_a_few_seconds_and_needs_no_look() {
    let mut t = Timeline::awake(&["web"], 1);
    let mut writes = 0;
    for n in 0..100 {
        let before = t.record.clone();
        let intent = Intent::of(line(400 + n / 10), Cause::Logs);
        assert!(!needs_look(&t.group, &before, &intent, at(400)));
        let after = decide(
            &t.group,
            &before,
            &Observation::default(),
            &intent,
            at(400 + n / 10),
        )
        .record;
        writes += u32::from(after != before);
        t.record = after;
    }
    assert_eq!(writes, 2, "100 lines in 10 s");
    assert!(needs_look(
        &t.group,
        &asleep().record,
        &Intent::of(line(1), Cause::Logs),
        at(1)
    ));
}

#[test]
fn a_clock_that_is_ahead_does_not_hold_it_awake_for_longer() {
    let mut t = Timeline::awake(&["web"], 1);
    t.decide(400, line(400 + 3600));
    assert_eq!(t.record.services[&id("web")].active_at, Some(at(400)));
}
