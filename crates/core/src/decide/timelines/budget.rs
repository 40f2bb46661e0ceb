//! The wake budget: so many wakes over HTTP a day, and then none until the next.

use super::*;

/// 1,800,000,000 is 2027-01-15T08:00:00Z: 16 hours before midnight.
const MIDNIGHT: i64 = 16 * 3600;

fn limited(limit: u32) -> Timeline {
    let mut t = Timeline::new(&["web", "api"]);
    t.group.services[1].wakes_per_day = Some(limit);
    t
}

/// Everything of the group is gone, and it is asleep.
fn sleeps(t: &mut Timeline, seconds: i64) {
    t.decide(seconds, Action::Sleep);
    t.sees("web", service(0, 0, false))
        .sees("api", service(0, 0, false))
        .tick(seconds + 1);
    assert_eq!(t.record.phase, Phase::Asleep);
}

fn through(t: &mut Timeline, seconds: i64, action: Action, cause: Cause) -> Decision {
    let decision = decide(
        &t.group,
        &t.record,
        &t.seen,
        &Intent::of(action, cause),
        at(seconds),
    );
    t.record = decision.record.clone();
    decision
}

#[test]
fn when_the_days_wakes_are_spent_a_visitor_wakes_nothing_until_midnight() {
    let mut t = limited(2);
    for begin in [0, 1000] {
        assert_eq!(t.wake(begin).reason, Reason::WakeAsked);
        sleeps(&mut t, begin + 100);
    }
    let generation = t.record.generation;
    let spent = Reason::WakeBudgetSpent {
        limit: 2,
        until: at(MIDNIGHT),
    };
    for seconds in [2000, MIDNIGHT - 1] {
        let refused = t.wake(seconds);
        assert_eq!((refused.reason, refused.effects), (spent.clone(), Vec::new()));
    }
    assert_eq!((t.record.phase, t.record.generation), (Phase::Asleep, generation));
    assert_eq!(counts(&t.wake(MIDNIGHT)).len(), 2, "a new day");
    assert_eq!(t.record.http_wakes.map(|wakes| wakes.count), Some(1));
}

#[test]
fn who_comes_while_it_is_awake_or_waking_spends_nothing_and_is_never_refused() {
    let mut t = limited(1);
    t.wake(0);
    assert_eq!(t.wake(10).reason, Reason::StillWaking);
    t.sees("web", service(1, 1, true))
        .sees("api", service(1, 1, true));
    t.decide(30, Action::Look);
    assert_eq!(t.wake(40).reason, Reason::AlreadyAwake);
    t.changes("api", |state| state.desired = 0);
    assert_eq!(
        t.wake(50).reason,
        Reason::WakeAsked,
        "a straggler of an awake group"
    );
    assert_eq!(t.record.http_wakes.map(|wakes| wakes.count), Some(1));
}

#[test]
fn other_doors_and_admins_are_neither_limited_nor_counted() {
    let mut t = limited(1);
    t.wake(0);
    sleeps(&mut t, 100);
    for (n, cause) in [
        Cause::Direct,
        Cause::Pipeline,
        Cause::Alarm,
        Cause::Logs,
        Cause::Eventbridge,
        Cause::Needed,
    ]
    .into_iter()
    .enumerate()
    {
        let seconds = 1000 + 1000 * i64::try_from(n).expect("a number");
        let woken = through(&mut t, seconds, Action::wake(), cause);
        assert_eq!(woken.reason, Reason::WakeAsked, "{cause}");
        sleeps(&mut t, seconds + 100);
    }
    let until = at(20_000);
    let kept = through(&mut t, 10_000, Action::KeepAwake { until }, Cause::Http);
    assert_eq!(kept.reason, Reason::WakeAsked);
    assert_eq!(t.record.http_wakes.map(|wakes| wakes.count), Some(1));
}

#[test]
fn no_limit_is_no_limit_and_the_fewest_of_the_tags_hold() {
    let mut t = limited(0);
    t.group.usual_wakes_per_day = 1;
    for n in 0..20 {
        assert_eq!(t.wake(n * 1000).reason, Reason::WakeAsked, "the tag goes first");
        sleeps(&mut t, n * 1000 + 100);
    }
    assert_eq!(t.record.http_wakes, None);
    t.group.services[0].wakes_per_day = Some(7);
    assert_eq!(t.group.wakes_per_day(), Some(7));
    t.group.services[1].wakes_per_day = Some(3);
    assert_eq!(t.group.wakes_per_day(), Some(3));
    for service in &mut t.group.services {
        service.wakes_per_day = None;
    }
    assert_eq!(t.group.wakes_per_day(), Some(1), "as the stack says");
}

#[test]
fn a_clock_that_is_behind_at_midnight_begins_no_third_day() {
    let mut t = limited(1);
    t.wake(MIDNIGHT);
    sleeps(&mut t, MIDNIGHT + 1);
    let refused = t.wake(MIDNIGHT - 1);
    assert_eq!(
        refused.reason,
        Reason::WakeBudgetSpent {
            limit: 1,
            until: at(MIDNIGHT + 24 * 3600)
        }
    );
}

#[test]
fn kept_asleep_is_told_before_the_budget_and_spends_nothing() {
    let mut t = limited(1);
    t.decide(0, Action::KeepAsleep { until: at(500) });
    assert_eq!(t.wake(10).reason, Reason::KeptAsleep { until: at(500) });
    assert_eq!(t.record.http_wakes, None);
    assert_eq!(t.wake(500).reason, Reason::WakeAsked);
}

#[test]
fn in_observe_mode_nothing_is_spent() {
    let mut t = limited(1);
    t.group.services[0].mode = Mode::Observe;
    for seconds in [0, 1000] {
        let observed = t.wake(seconds);
        assert!(observed.would.is_some());
    }
    assert_eq!(t.record.http_wakes, None);
}
