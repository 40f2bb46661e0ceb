//! When it does not get ready, or AWS refuses.

use super::*;

/// Idle after a minute, without grace.
fn impatient(names: &[&str]) -> Timeline {
    let mut t = Timeline::new(names);
    for service in &mut t.group.services {
        service.idle_after = Duration::from_secs(60);
        service.grace = Duration::from_secs(0);
    }
    t
}

#[test]
fn a_failed_count_is_tried_again_soon_but_not_by_every_tab() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    let error = Error::new(Code::Throttled, "UpdateService: Rate exceeded");
    t.record.service(&id("web")).failure = Some(Failure { error, at: at(1) });
    assert_eq!(counts(&t.wake(2)), []);
    assert_eq!(counts(&t.wake(10)), []);
    assert_eq!(counts(&t.wake(11)), web(1));
    t.sees("web", service(1, 0, false)).decide(13, Action::Look);
    assert_eq!(t.record.services[&id("web")].failure, None);
}

#[test]
fn one_refused_service_does_not_hold_the_others() {
    let mut t = Timeline::new(&["api", "web"]);
    assert_eq!(counts(&t.wake(0)).len(), 2);
    let error = Error::new(Code::AccessDenied, "UpdateService dev/api: not authorized");
    t.record.service(&id("api")).failure = Some(Failure { error, at: at(0) });
    t.sees("web", service(1, 1, true));
    assert_eq!(counts(&t.tick(60)), [("api".to_owned(), 1)]);
}

#[test]
fn a_wake_that_gets_nowhere_is_given_its_time_and_then_put_to_sleep() {
    let mut t = Timeline::new(&["web"]);
    t.group.services[0].idle_after = Duration::from_secs(60);
    t.group.services[0].grace = Duration::from_secs(60);
    t.wake(0);
    t.sees("web", service(1, 0, false));
    assert_eq!(
        t.tick(299).reason,
        Reason::StillWaking,
        "pulling an image may take its time"
    );
    let tick = t.tick(300);
    assert_eq!(tick.reason, Reason::NothingAnswers { seconds: 300 });
    assert_eq!(counts(&tick), web(0));
}

#[test]
fn a_wake_that_ecs_says_fails_is_put_to_sleep_when_its_idle_time_is_over() {
    let mut t = impatient(&["web"]);
    t.wake(0);
    t.sees("web", service(1, 0, false)).changes("web", |state| {
        state.troubles = vec![Trouble {
            at: at(20),
            message: "Essential container in task exited".into(),
        }];
    });
    assert_eq!(t.tick(59).reason, Reason::AskedRecently { until: at(60) });
    assert_eq!(t.tick(60).reason, Reason::NothingAnswers { seconds: 60 });
}

#[test]
fn trouble_of_an_earlier_generation_is_not_held_against_this_one() {
    let mut t = Timeline::new(&["web"]);
    t.group.services[0].idle_after = Duration::from_secs(60);
    t.wake(0);
    t.sees("web", service(1, 0, false)).changes("web", |state| {
        state.troubles = vec![Trouble {
            at: at(-20),
            message: "Essential container in task exited".into(),
        }];
    });
    assert_eq!(t.tick(299).reason, Reason::StillWaking);
}

#[test]
fn an_awake_group_that_stops_answering_sleeps_after_its_idle_time() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    t.sees("web", service(1, 1, false));
    t.tick(1000);
    assert_eq!(t.tick(1599).reason, Reason::NoSignal);
    assert_eq!(t.tick(1600).reason, Reason::NothingAnswers { seconds: 600 });
}

/// Seed 13023 of the simulation: ECS was out of order while a visitor waited, and the group slept as soon as it woke.
#[test]
fn while_nobody_could_look_it_may_have_answered() {
    let mut t = impatient(&["web"]);
    t.wake(0);
    let error = Error::new(Code::Throttled, "DescribeServices: Rate exceeded");
    t.sees("web", Seen::Unknown(error));
    t.tick(60);
    t.sees("web", service(1, 0, false)).wake(319);
    assert_eq!(t.tick(320).reason, Reason::AskedRecently { until: at(379) });
}

#[test]
fn tasks_that_ecs_refused_at_first_are_given_their_time() {
    let mut t = impatient(&["web"]);
    t.wake(0);
    let error = Error::new(Code::Throttled, "UpdateService: Rate exceeded");
    t.record.service(&id("web")).failure = Some(Failure { error, at: at(1) });
    assert_eq!(counts(&t.decide(298, Action::wake())), web(1));
    t.sees("web", service(1, 0, false));
    assert_ne!(t.tick(357).reason.code(), "nothing-answers");
    assert_eq!(t.tick(358).reason, Reason::NothingAnswers { seconds: 60 });
}

#[test]
fn a_service_that_ecs_refuses_again_and_again_is_not_waited_for() {
    let mut t = impatient(&["web"]);
    t.wake(0);
    let refused = |t: &mut Timeline, seconds| {
        let error = Error::new(Code::AccessDenied, "UpdateService dev/web: not authorized");
        let at = at(seconds);
        t.record.service(&id("web")).failure = Some(Failure { error, at });
    };
    for seconds in [20, 40] {
        refused(&mut t, seconds);
        assert_eq!(counts(&t.wake(seconds + 10)), web(1));
    }
    // What was asked for at 50 s is no longer on its way.
    refused(&mut t, 65);
    assert_eq!(t.tick(66).reason, Reason::NothingAnswers { seconds: 66 });
}

#[test]
fn who_looks_at_part_of_a_group_does_not_know_whether_it_answers() {
    let gone = || Seen::Unknown(Error::new(Code::ServiceNotFound, "service `dev/web` is gone"));
    let unknown = || Seen::Unknown(Error::new(Code::Throttled, "DescribeServices: Rate exceeded"));
    let after = |before: Option<Timestamp>, api: Option<Seen>, web: Option<Seen>| {
        let mut t = Timeline::awake(&["api", "web"], 1);
        t.record.unanswered_since = before;
        t.seen.services.clear();
        let seen = [("api", api), ("web", web)];
        let seen = seen
            .into_iter()
            .filter_map(|(name, seen)| Some((id(name), seen?)));
        t.seen.services.extend(seen);
        t.decide(50, Action::Look);
        t.record.unanswered_since
    };
    let dead = || Some(service(1, 1, false));
    let since = |api, web| after(Some(at(40)), api, web);
    assert_eq!(since(dead(), dead()), Some(at(40)));
    assert_eq!(
        since(dead(), Some(gone())),
        Some(at(40)),
        "what is gone does not answer"
    );
    assert_eq!(
        since(dead(), None),
        Some(at(40)),
        "it was not looked at, as before"
    );
    assert_eq!(since(None, dead()), Some(at(40)));
    assert_eq!(since(dead(), Some(unknown())), None, "it may have answered");
    assert_eq!(since(Some(unknown()), None), None);
    assert_eq!(since(None, Some(unknown())), None);
    assert_eq!(since(dead(), Some(service(1, 1, true))), None);
    assert_eq!(after(None, dead(), dead()), Some(at(50)));
    assert_eq!(after(None, dead(), None), None);
    assert_eq!(after(None, None, dead()), None);
}

#[test]
fn what_is_gone_keeps_nobody_waiting() {
    let mut t = impatient(&["api", "web"]);
    t.wake(0);
    t.sees(
        "api",
        Seen::Unknown(Error::new(Code::ServiceNotFound, "service `dev/api` is gone")),
    );
    t.sees("web", service(1, 0, false));
    assert_eq!(t.tick(60).reason, Reason::NothingAnswers { seconds: 60 });
}
