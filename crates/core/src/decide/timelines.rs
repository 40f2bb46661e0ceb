//! Decisions as timelines: what is seen and asked at `t` seconds, and what follows.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::error::Error;
use crate::intent::Cause;
use crate::observation::{Health, Trouble};
use crate::observation::{TaskAddress, TaskStage, TaskState};
use crate::reading::Reading;
use crate::record::Failure;
use crate::settings::{Defaults, Signals};

/// A group of services that remembers its record between decisions.
struct Timeline {
    group: GroupSettings,
    record: Record,
    seen: Observation,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
}

fn id(name: &str) -> ServiceId {
    ServiceId::new("dev", name)
}

/// A service with this many tasks wanted and running; they answer if `ready`.
fn service(desired: u32, running: u32, ready: bool) -> Seen {
    let task = |number: u32| TaskState {
        id: number.to_string(),
        stage: TaskStage::Running,
        health: Some(if ready {
            Health::Healthy
        } else {
            Health::Unhealthy("UNHEALTHY".into())
        }),
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
    };
    Seen::Known(ServiceState {
        desired,
        running,
        tasks: (0..running).map(task).collect(),
        ..ServiceState::default()
    })
}

impl Timeline {
    /// Idle after 10 minutes, grace 5 minutes, wakes may take 5 minutes, fixed timer.
    fn new(names: &[&str]) -> Self {
        let defaults = Defaults {
            idle_after: Duration::from_secs(600),
            signals: Signals::FixedTimer,
            ..Defaults::default()
        };
        let services = names
            .iter()
            .map(|name| ServiceSettings::of(id(name), &defaults))
            .collect();
        let seen = names
            .iter()
            .map(|name| (id(name), service(0, 0, false)))
            .collect::<BTreeMap<_, _>>();
        Self {
            group: GroupSettings {
                name: crate::ids::GroupName::parse("dev").expect("a name"),
                services,
                wake_timeout: defaults.wake_timeout,
                problems: Vec::new(),
            },
            record: Record::unseen(at(0)),
            seen: Observation {
                services: seen,
                readings: Vec::new(),
            },
        }
    }

    fn sees(&mut self, name: &str, seen: Seen) -> &mut Self {
        self.seen.services.insert(id(name), seen);
        self
    }

    fn changes(&mut self, name: &str, change: impl FnOnce(&mut ServiceState)) -> &mut Self {
        if let Some(Seen::Known(state)) = self.seen.services.get_mut(&id(name)) {
            change(state);
        }
        self
    }

    fn decide(&mut self, seconds: i64, action: Action) -> Decision {
        let cause = match action {
            Action::Tick => Cause::Tick,
            Action::Timer { .. } => Cause::SleepTimer,
            _ => Cause::Http,
        };
        let decision = decide(
            &self.group,
            &self.record,
            &self.seen,
            &Intent { action, cause },
            at(seconds),
        );
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record.clone()
        };
        decision
    }

    fn wake(&mut self, seconds: i64) -> Decision {
        self.decide(seconds, Action::Wake { desired_count: None })
    }

    fn tick(&mut self, seconds: i64) -> Decision {
        self.decide(seconds, Action::Tick)
    }

    /// A group that was woken at 0 and is awake since 30 s.
    fn awake(names: &[&str], count: u32) -> Self {
        let mut timeline = Self::new(names);
        timeline.wake(0);
        for name in names {
            timeline.sees(name, service(count, count, true));
        }
        assert_eq!(timeline.decide(30, Action::Look).reason, Reason::BecameReady);
        timeline
    }
}

/// The counts that a decision sets.
fn counts(decision: &Decision) -> Vec<(String, u32)> {
    decision
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::SetDesired { service, count } => Some((service.name.clone(), *count)),
            Effect::StartTimer { .. } => None,
        })
        .collect()
}

fn web(count: u32) -> Vec<(String, u32)> {
    vec![("web".to_owned(), count)]
}

#[test]
fn a_cold_wake_begins_a_generation_sets_one_task_and_starts_its_timer() {
    let mut t = Timeline::new(&["web"]);
    let decision = t.wake(0);
    assert_eq!(decision.reason, Reason::WakeAsked);
    assert_eq!(
        (t.record.phase, t.record.generation),
        (Phase::Waking, Generation(1))
    );
    assert_eq!(counts(&decision), web(1));
    assert!(decision.effects.contains(&Effect::StartTimer {
        generation: Generation(1),
        woken_at: at(0),
        at: at(600)
    }));
}

#[test]
fn however_many_ask_again_the_count_is_set_once() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    for second in 1..15 {
        let again = t.wake(second);
        assert_eq!(
            (again.effects, t.record.generation),
            (Vec::new(), Generation(1)),
            "at {second} s"
        );
    }
}

#[test]
fn a_count_that_does_not_arrive_is_set_again() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    assert_eq!(counts(&t.tick(14)), []);
    assert_eq!(
        counts(&t.tick(15)),
        web(1),
        "the function died before it acted, or its call was lost"
    );
}

#[test]
fn a_wake_never_lowers_a_count() {
    let mut t = Timeline::new(&["web"]);
    t.sees("web", service(3, 3, true));
    let decision = t.wake(0);
    assert_eq!(counts(&decision), []);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Awake, "woken-outside")
    );
    assert_eq!(
        counts(&t.decide(
            20,
            Action::Wake {
                desired_count: Some(2)
            }
        )),
        []
    );
    assert_eq!(
        counts(&t.decide(
            40,
            Action::Wake {
                desired_count: Some(5)
            }
        )),
        web(5)
    );
}

#[test]
fn a_wake_gives_back_what_sleep_took_away() {
    let mut t = Timeline::awake(&["web"], 3);
    assert_eq!(counts(&t.decide(60, Action::Sleep)), web(0));
    t.sees("web", service(0, 0, false));
    t.decide(70, Action::Look);
    assert_eq!(t.record.phase, Phase::Asleep);
    assert_eq!(counts(&t.wake(100)), web(3));
    assert_eq!(t.record.generation, Generation(2));
}

#[test]
fn a_wake_that_never_got_its_count_does_not_forget_it() {
    let mut t = Timeline::awake(&["web"], 3);
    t.decide(60, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(70, Action::Look);
    t.wake(100);
    t.sees("web", service(1, 1, true)).decide(110, Action::Look);
    t.decide(120, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(130, Action::Look);
    assert_eq!(counts(&t.wake(200)), web(3));
}

#[test]
fn the_tagged_wake_count_goes_before_the_remembered_one() {
    let mut t = Timeline::awake(&["web"], 3);
    t.group.services[0].wake_count = Some(2);
    t.decide(60, Action::Sleep);
    t.sees("web", service(0, 0, false)).decide(70, Action::Look);
    assert_eq!(counts(&t.wake(100)), web(2));
}

#[test]
fn running_is_not_awake_until_it_is_ready() {
    let mut t = Timeline::new(&["web"]);
    t.wake(0);
    t.sees("web", service(1, 1, false));
    assert_eq!(
        (t.decide(20, Action::Look).reason, t.record.phase),
        (Reason::StillWaking, Phase::Waking)
    );
    t.sees("web", service(1, 1, true));
    assert_eq!(
        (t.decide(30, Action::Look).reason, t.record.phase),
        (Reason::BecameReady, Phase::Awake)
    );
}

#[test]
fn a_group_is_awake_when_all_its_services_are_ready() {
    let mut t = Timeline::new(&["api", "web"]);
    t.wake(0);
    t.sees("api", service(1, 1, true))
        .sees("web", service(1, 0, false));
    assert_eq!(t.decide(20, Action::Look).reason, Reason::StillWaking);
    t.sees("web", service(1, 1, true));
    assert_eq!(t.decide(30, Action::Look).reason, Reason::BecameReady);
}

#[test]
fn the_fixed_timer_counts_from_the_last_wake() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(t.wake(500).reason, Reason::AlreadyAwake);
    assert_eq!(t.tick(1099).reason, Reason::AskedRecently { until: at(1100) });
    let asleep = t.tick(1100);
    assert_eq!(
        asleep.reason,
        Reason::FixedTimeOver {
            idle_after_seconds: 600
        }
    );
    assert_eq!(counts(&asleep), web(0));
    assert_eq!(t.record.phase, Phase::FallingAsleep);
}

#[test]
fn the_grace_counts_from_becoming_ready() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].idle_after = Duration::from_secs(60);
    assert_eq!(t.tick(329).reason, Reason::Grace { until: at(330) });
    assert_eq!(t.tick(330).reason.code(), "fixed-time-over");
}

#[test]
fn keep_awake_holds_until_its_end_and_wakes_what_sleeps() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(
        counts(&t.decide(0, Action::KeepAwake { until: at(7200) })),
        web(1)
    );
    t.sees("web", service(1, 1, true)).decide(30, Action::Look);
    assert_eq!(t.tick(7199).reason, Reason::KeptAwake { until: at(7200) });
    assert_eq!(t.tick(7200).reason.code(), "fixed-time-over");
}

#[test]
fn only_a_tick_or_its_own_timer_puts_to_sleep() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(t.decide(5000, Action::Look).reason, Reason::AlreadyAwake);
    let old = t.decide(
        5000,
        Action::Timer {
            generation: Generation(0),
        },
    );
    assert_eq!(
        (old.reason, old.superseded),
        (
            Reason::Superseded {
                current: Generation(1)
            },
            true
        )
    );
    assert!(old.effects.is_empty() && old.look_again.is_none());
    assert_eq!(
        t.decide(
            5000,
            Action::Timer {
                generation: Generation(1)
            }
        )
        .reason
        .code(),
        "fixed-time-over"
    );
}

#[test]
fn two_ticks_at_once_do_the_work_of_one() {
    let mut t = Timeline::awake(&["web"], 1);
    assert_eq!(counts(&t.tick(700)), web(0));
    let second = t.tick(700);
    assert_eq!(
        (counts(&second), second.reason),
        (Vec::new(), Reason::StillFallingAsleep)
    );
}

#[test]
fn a_wake_while_falling_asleep_wins() {
    let mut t = Timeline::awake(&["web"], 2);
    assert_eq!(counts(&t.tick(700)), web(0));
    // Whether the 0 has landed or not, the wake sets the count again.
    for landed in [false, true] {
        let mut t = Timeline {
            group: t.group.clone(),
            record: t.record.clone(),
            seen: t.seen.clone(),
        };
        if landed {
            t.sees("web", service(0, 1, true));
        }
        let wake = t.wake(703);
        assert_eq!(
            (counts(&wake), t.record.generation),
            (web(2), Generation(2)),
            "landed: {landed}"
        );
        assert_eq!(
            t.decide(
                704,
                Action::Timer {
                    generation: Generation(1)
                }
            )
            .reason
            .code(),
            "superseded"
        );
    }
}

#[test]
fn a_sleep_that_lands_after_the_wake_is_undone() {
    let mut t = Timeline::awake(&["web"], 2);
    t.tick(700);
    t.wake(703);
    t.sees("web", service(2, 2, true)).decide(705, Action::Look);
    assert_eq!(t.record.phase, Phase::Awake);
    t.sees("web", service(0, 2, true));
    assert_eq!(counts(&t.tick(760)), web(2), "within one tick");
}

#[test]
fn a_sleep_from_outside_is_respected() {
    let mut t = Timeline::awake(&["web"], 2);
    t.sees("web", service(0, 0, false));
    t.tick(300);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Asleep, "put-to-sleep-outside")
    );
    assert_eq!(counts(&t.wake(400)), web(2));
}

#[test]
fn a_wake_from_outside_counts_as_a_wake() {
    let mut t = Timeline::new(&["api", "web"]);
    t.tick(0);
    t.sees("web", service(4, 0, false));
    let tick = t.tick(60);
    assert_eq!(
        (t.record.phase, t.record.generation),
        (Phase::Waking, Generation(1))
    );
    assert_eq!(
        counts(&tick),
        [("api".to_owned(), 1)],
        "the rest of the group follows, what was set stays"
    );
}

#[test]
fn a_look_never_wakes() {
    let mut t = Timeline::new(&["web"]);
    assert_eq!(t.decide(0, Action::Look).effects, []);
    t.sees("web", service(1, 1, true));
    assert_eq!(
        (t.decide(60, Action::Look).effects, t.record.phase),
        (Vec::new(), Phase::Asleep)
    );
}

#[test]
fn what_cannot_be_looked_at_is_not_put_to_sleep() {
    let mut t = Timeline::awake(&["web"], 1);
    let denied = Error::new(Code::AccessDenied, "DescribeServices: not authorized");
    t.sees("web", Seen::Unknown(denied));
    for action in [Action::Tick, Action::Sleep] {
        let decision = t.decide(5000, action);
        assert_eq!(
            (decision.reason.code(), decision.effects),
            ("unobserved", Vec::new())
        );
    }
    assert_eq!(t.record.phase, Phase::Awake);
}

#[test]
fn a_wake_of_what_cannot_be_looked_at_is_not_lost() {
    let mut t = Timeline::new(&["web"]);
    t.sees(
        "web",
        Seen::Unknown(Error::new(Code::Throttled, "DescribeServices: Rate exceeded")),
    );
    assert_eq!(counts(&t.wake(0)), []);
    t.sees("web", service(0, 0, false));
    assert_eq!(counts(&t.tick(60)), web(1));
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
    let mut t = Timeline::new(&["web"]);
    t.group.services[0].idle_after = Duration::from_secs(60);
    t.group.services[0].grace = Duration::from_secs(0);
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

#[test]
fn a_rollout_is_not_cut() {
    let mut t = Timeline::awake(&["web"], 1);
    t.changes("web", |state| state.rollout_since = Some(at(900)));
    assert_eq!(
        t.tick(1000).reason,
        Reason::RolloutUnderWay { service: id("web") }
    );
    t.changes("web", |state| state.rollout_since = Some(at(1000 - 3600)));
    assert_eq!(
        t.tick(1000).reason.code(),
        "fixed-time-over",
        "a rollout that never ends does not keep it awake"
    );
}

#[test]
fn uptime_alone_is_not_idleness() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    assert_eq!(t.tick(1_000_000).reason, Reason::NoSignal);
}

#[test]
fn requests_decide_behind_a_load_balancer() {
    let mut t = Timeline::awake(&["web"], 1);
    t.group.services[0].signals = Signals::Configured;
    t.changes("web", |state| {
        state.target_groups = vec!["tg".into()];
        state
            .tasks
            .iter_mut()
            .for_each(|task| task.targets = vec![Health::Healthy]);
    });
    let intent = Intent {
        action: Action::Tick,
        cause: Cause::Tick,
    };
    let wanted = |t: &Timeline, seconds| wanted_readings(&t.group, &t.record, &t.seen, &intent, at(seconds));
    assert_eq!(wanted(&t, 599), [], "nothing is read while sleep is no question");
    assert_eq!(wanted(&t, 2000), [(id("web"), Signal::Requests)]);

    let mut decide_on = |reading: Option<Reading>| {
        t.seen.readings = reading
            .into_iter()
            .map(|reading| (id("web"), Signal::Requests, reading))
            .collect();
        let record = t.record.clone();
        let reason = t.tick(2000).reason;
        t.record = record;
        reason.code()
    };
    assert_eq!(decide_on(None), "signal-unknown");
    assert_eq!(
        decide_on(Some(Reading::Unknown("throttled".into()))),
        "signal-unknown"
    );
    assert_eq!(decide_on(Some(Reading::Active(at(1990)))), "in-use");
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1301),
            until: at(1900)
        })),
        "quiet-too-short"
    );
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1300),
            until: at(1900)
        })),
        "idle"
    );
    assert_eq!(
        decide_on(Some(Reading::Quiet {
            since: at(1500),
            until: at(9000)
        })),
        "quiet-too-short",
        "a clock ahead"
    );
}

#[test]
fn a_missing_service_is_waited_for_but_does_not_keep_the_others_awake() {
    let mut t = Timeline::awake(&["api", "web"], 1);
    t.sees(
        "api",
        Seen::Unknown(Error::new(Code::ServiceNotFound, "service `dev/api` is MISSING")),
    );
    let tick = t.tick(700);
    assert_eq!((tick.reason.code(), counts(&tick)), ("fixed-time-over", web(0)));
    t.sees("web", service(0, 0, false));
    t.tick(760);
    assert_eq!(t.record.phase, Phase::Asleep);
}

#[test]
fn it_is_asleep_when_the_last_task_is_gone() {
    let mut t = Timeline::awake(&["web"], 1);
    t.tick(700);
    t.sees("web", service(0, 1, true));
    assert_eq!(
        (t.decide(705, Action::Look).reason, t.record.phase),
        (Reason::StillFallingAsleep, Phase::FallingAsleep)
    );
    t.sees("web", service(0, 0, false)).decide(710, Action::Look);
    assert_eq!(
        (t.record.phase, t.record.reason.code()),
        (Phase::Asleep, "fixed-time-over")
    );
}
