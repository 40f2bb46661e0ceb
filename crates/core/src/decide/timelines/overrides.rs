//! Overrides: kept awake, kept asleep, and what becomes of them.

use super::*;

fn keep_awake(t: &mut Timeline, seconds: i64, until: i64) -> Decision {
    t.decide(seconds, Action::KeepAwake { until: at(until) })
}

fn keep_asleep(t: &mut Timeline, seconds: i64, until: i64) -> Decision {
    t.decide(seconds, Action::KeepAsleep { until: at(until) })
}

fn gone(t: &mut Timeline, seconds: i64) {
    t.sees("web", service(0, 0, false)).tick(seconds);
    assert_eq!(t.record.phase, Phase::Asleep);
}

#[test]
fn keep_awake_holds_until_its_end_and_wakes_what_sleeps() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(counts(&keep_awake(&mut t, 0, 7200)), web(1));
    t.sees("web", service(1, 1, true)).decide(30, Action::Look);
    assert_eq!(t.tick(7199).reason, Reason::KeptAwake { until: at(7200) });
    assert_eq!(t.tick(7200).reason.code(), "fixed-time-over");
}

#[test]
fn keep_asleep_puts_to_sleep_and_refuses_every_wake_until_its_end() {
    let mut t = Timeline::awake(&["web"], 2);
    let slept = keep_asleep(&mut t, 100, 7200);
    assert_eq!(
        (slept.reason.clone(), counts(&slept)),
        (Reason::SleepAsked, web(0))
    );
    let refused = Reason::KeptAsleep { until: at(7200) };
    let wake = t.wake(101);
    assert_eq!((wake.reason, wake.effects), (refused.clone(), Vec::new()));
    gone(&mut t, 160);
    for action in [
        Action::wake(),
        Action::Activity(BTreeMap::from([(id("web"), at(7000))])),
    ] {
        let decision = t.decide(7199, action);
        assert_eq!((decision.reason, decision.effects), (refused.clone(), Vec::new()));
    }
    assert_eq!(counts(&t.wake(7200)), web(2), "it ends by itself");
    assert_eq!(t.record.asleep_until, None);
}

#[test]
fn the_later_wish_replaces_the_earlier_one() {
    let mut t = Timeline::awake(&["web"], 1);
    keep_awake(&mut t, 100, 9000);
    keep_asleep(&mut t, 200, 8000);
    gone(&mut t, 260);
    assert_eq!(counts(&keep_awake(&mut t, 300, 5000)), web(1));
    assert_eq!(
        (t.record.override_until, t.record.asleep_until),
        (Some(at(5000)), None)
    );
    t.sees("web", service(1, 1, true)).decide(330, Action::Look);
    assert_eq!(t.decide(400, Action::Sleep).reason, Reason::SleepAsked);
    gone(&mut t, 460);
    assert_eq!(counts(&t.wake(500)), web(1), "a plain sleep keeps nothing");
}

#[test]
fn asleep_already_it_can_still_be_kept_so_and_a_plain_sleep_ends_that() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(keep_asleep(&mut t, 0, 7200).reason, Reason::AlreadyAsleep);
    assert_eq!(t.wake(10).reason, Reason::KeptAsleep { until: at(7200) });
    t.decide(20, Action::Sleep);
    assert_eq!(counts(&t.wake(30)), web(1));
}

#[test]
fn what_cannot_be_put_to_sleep_is_not_kept_asleep() {
    let mut t = Timeline::awake(&["web"], 1);
    let denied = Error::new(Code::AccessDenied, "DescribeServices: not authorized");
    t.sees("web", Seen::Unknown(denied));
    assert_eq!(keep_asleep(&mut t, 100, 7200).reason.code(), "unobserved");
    assert_eq!(t.record.asleep_until, None);
}

#[test]
fn a_deployment_that_sets_counts_is_respected_and_the_wish_outlives_it() {
    let mut t = Timeline::awake(&["web"], 1);
    keep_asleep(&mut t, 100, 7200);
    gone(&mut t, 160);
    t.sees("web", service(2, 2, true));
    assert_eq!(t.tick(300).reason, Reason::BecameReady);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Awake, "woken-outside")
    );
    assert_eq!(t.tick(900).reason.code(), "fixed-time-over");
    gone(&mut t, 960);
    assert_eq!(t.wake(1000).reason, Reason::KeptAsleep { until: at(7200) });

    let mut t = Timeline::awake(&["web"], 1);
    keep_awake(&mut t, 100, 9000);
    t.changes("web", |state| state.rollout_since = Some(at(150)));
    assert_eq!(t.tick(2000).reason, Reason::KeptAwake { until: at(9000) });
    gone(&mut t, 3000);
    assert_eq!(t.record.reason, Reason::PutToSleepOutside, "respected");
    t.wake(3100);
    t.sees("web", service(1, 1, true)).decide(3130, Action::Look);
    assert_eq!(t.tick(8999).reason, Reason::KeptAwake { until: at(9000) });
}

#[test]
fn hours_do_not_wake_what_is_kept_asleep_and_do_so_at_its_end() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].awake = crate::hours::Hours::parse("Daily 08:00-17:00");
    keep_asleep(&mut t, 3600, 4 * 3600);
    gone(&mut t, 3660);
    assert_eq!(t.tick(4 * 3600 - 1).reason, Reason::AlreadyAsleep);
    assert_eq!(
        t.tick(4 * 3600).reason,
        Reason::InHours {
            until: Some(at(9 * 3600))
        }
    );
}

#[test]
fn a_sleep_that_is_refused_ends_no_override() {
    let mut t = Timeline::awake(&["web"], 1);
    keep_awake(&mut t, 100, 9000);
    let denied = Error::new(Code::AccessDenied, "DescribeServices: not authorized");
    t.sees("web", Seen::Unknown(denied));
    assert_eq!(t.decide(200, Action::Sleep).reason.code(), "unobserved");
    assert_eq!(t.record.override_until, Some(at(9000)));
}
