//! Hours in which the group is kept awake. Second 0 is Friday, 2027-01-15, 08:00 UTC.

use super::*;
use crate::hours::Hours;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A group with these hours, asleep since it was never seen.
fn with(hours: &str) -> Timeline {
    let mut timeline = Timeline::new(&["web"]);
    timeline.group.services[0].awake = Hours::parse(hours);
    assert!(timeline.group.services[0].awake.is_some(), "{hours}");
    timeline
}

/// Its service runs and answers.
fn run(timeline: &mut Timeline, seconds: i64) {
    timeline.sees("web", service(1, 1, true));
    assert_eq!(timeline.decide(seconds, Action::Look).reason, Reason::BecameReady);
}

/// It is asleep, because somebody asked for that.
fn put_to_sleep(timeline: &mut Timeline, seconds: i64) {
    assert_eq!(timeline.decide(seconds, Action::Sleep).reason, Reason::SleepAsked);
    timeline.sees("web", service(0, 0, false));
    timeline.tick(seconds + 1);
    assert_eq!(timeline.record.phase, Phase::Asleep);
}

fn in_hours(until: i64) -> Reason {
    Reason::InHours {
        until: Some(at(until)),
    }
}

#[test]
fn it_is_woken_ahead_of_its_hours_by_its_usual_wake_time() {
    let mut t = with("Mon-Fri 09:00-17:00");
    // Nothing is known of its wakes yet, so two minutes.
    assert_eq!(t.tick(HOUR - 121).reason, Reason::AlreadyAsleep);
    let woken = t.tick(HOUR - 120);
    assert_eq!((counts(&woken), woken.reason), (web(1), in_hours(9 * HOUR)));
    assert!(
        woken
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::StartTimer { .. }))
    );
    run(&mut t, HOUR + 180);
    assert_eq!(t.record.usual_wake(), Duration::from_secs(300));
    put_to_sleep(&mut t, 10 * HOUR);
    // Its last wake took five minutes; the next day with hours is Monday.
    let monday = 3 * DAY + HOUR;
    assert_eq!(t.tick(monday - 301).reason, Reason::AlreadyAsleep);
    assert_eq!(t.tick(monday - 300).reason, in_hours(monday + 8 * HOUR));
}

#[test]
fn it_does_not_sleep_in_its_hours_and_outside_only_when_it_is_idle() {
    let mut t = with("Daily 08:00-17:00");
    t.tick(0);
    run(&mut t, 30);
    let at_noon = t.tick(4 * HOUR);
    assert_eq!(
        (at_noon.reason, at_noon.look_again),
        (in_hours(9 * HOUR), Some(at(9 * HOUR)))
    );
    // The wake was long ago, so it sleeps at once: the fixed timer counts from the last wake.
    assert!(matches!(t.tick(9 * HOUR).reason, Reason::FixedTimeOver { .. }));
    let mut t = with("Daily 08:00-17:00");
    t.tick(0);
    run(&mut t, 30);
    t.wake(9 * HOUR - MINUTE);
    assert_eq!(
        t.tick(9 * HOUR).reason,
        Reason::AskedRecently {
            until: at(9 * HOUR + 9 * MINUTE)
        },
        "somebody still uses it"
    );
}

#[test]
fn who_puts_it_to_sleep_in_its_hours_finds_it_asleep_until_the_next_ones() {
    let mut t = with("Daily 08:00-17:00");
    t.tick(0);
    run(&mut t, 30);
    put_to_sleep(&mut t, 4 * HOUR);
    assert_eq!(t.tick(4 * HOUR + MINUTE).reason, Reason::AlreadyAsleep);
    assert_eq!(t.tick(9 * HOUR - MINUTE).reason, Reason::AlreadyAsleep);
    let theirs = |seconds| was_put_to_sleep_in_hours(&t.group, &t.record, at(seconds));
    assert!(theirs(9 * HOUR - 1) && !theirs(9 * HOUR));
    let next = DAY - 30;
    assert_eq!(t.tick(next - 1).reason, Reason::AlreadyAsleep);
    assert_eq!(t.tick(next).reason, in_hours(DAY + 9 * HOUR));
}

#[test]
fn who_asks_for_it_meanwhile_gets_it_and_it_stays() {
    let mut t = with("Daily 08:00-17:00");
    t.tick(0);
    run(&mut t, 30);
    put_to_sleep(&mut t, 4 * HOUR);
    t.wake(5 * HOUR);
    run(&mut t, 5 * HOUR + 30);
    assert_eq!(t.tick(7 * HOUR).reason, in_hours(9 * HOUR));
}

#[test]
fn a_crash_loop_in_its_hours_does_not_put_it_to_sleep_and_back_again() {
    let mut t = with("Daily 08:00-17:00");
    t.tick(0);
    t.sees("web", service(1, 1, false));
    for minute in 1..=480 {
        let decision = t.tick(minute * MINUTE);
        assert_eq!(t.record.phase, Phase::Waking, "{:?}", decision.reason);
    }
}

#[test]
fn one_service_with_hours_keeps_the_whole_group_awake() {
    let mut t = Timeline::new(&["web", "db"]);
    t.group.services[0].awake = Hours::parse("Daily 08:00-12:00");
    t.group.services[1].awake = Hours::parse("Daily 10:00-17:00");
    let woken = t.tick(0);
    assert_eq!(counts(&woken).len(), 2);
    for name in ["web", "db"] {
        t.sees(name, service(1, 1, true));
    }
    t.decide(30, Action::Look);
    assert_eq!(t.tick(HOUR).reason, in_hours(4 * HOUR));
    assert_eq!(
        t.tick(3 * HOUR).reason,
        in_hours(9 * HOUR),
        "the longer one counts"
    );
    assert_eq!(t.tick(5 * HOUR).reason, in_hours(9 * HOUR));
}
