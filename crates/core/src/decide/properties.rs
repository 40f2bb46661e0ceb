//! What holds for every record, sight and intent.

mod needs;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::error::{Code, Error};
use crate::hours::Hours;
use crate::ids::Generation;
use crate::intent::{Cause, Wake};
use crate::observation::{Health, TaskAddress, TaskStage, TaskState};
use crate::reading::Reading;
use crate::record::Command;
use crate::scalable::{Bounds, SavedBounds, Suspended};
use crate::settings::{Defaults, Signals};

const NOW: i64 = 1_800_000_000;

fn moment() -> impl Strategy<Value = Timestamp> {
    (-5000i64..100).prop_map(|s| Timestamp::from_second(NOW + s).expect("a moment"))
}

fn seen() -> impl Strategy<Value = Seen> {
    let known =
        (0u32..4, 0u32..4, any::<bool>(), any::<bool>()).prop_map(|(desired, running, ready, balanced)| {
            let health = if ready {
                Health::Healthy
            } else {
                Health::Unhealthy("no".into())
            };
            let task = TaskState {
                id: "t".into(),
                stage: TaskStage::Running,
                health: Some(health.clone()),
                targets: vec![health],
                probe: None,
                address: TaskAddress::Unknown,
                private: None,
                times: Default::default(),
            };
            Seen::Known(ServiceState {
                desired,
                running,
                tasks: vec![task; running as usize],
                target_groups: if balanced { vec!["tg".into()] } else { Vec::new() },
                ..ServiceState::default()
            })
        });
    let unknown = prop_oneof![
        Just(Code::Throttled),
        Just(Code::AccessDenied),
        Just(Code::Unavailable)
    ];
    prop_oneof![4 => known, 1 => unknown.prop_map(|code| Seen::Unknown(Error::new(code, "x")))]
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        moment().prop_map(Reading::Active),
        (moment(), moment()).prop_map(|(since, until)| Reading::Quiet { since, until }),
        Just(Reading::Unknown("x".into())),
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let suspended = (any::<bool>(), any::<bool>(), any::<bool>());
    suspended.prop_map(|(dynamic_in, dynamic_out, scheduled)| Bounds {
        min: 1,
        max: 3,
        suspended: Suspended {
            dynamic_in,
            dynamic_out,
            scheduled,
        },
    })
}

/// What is known of a scalable target.
fn found() -> impl Strategy<Value = Result<Option<Bounds>, Error>> {
    prop_oneof![
        4 => proptest::option::of(bounds()).prop_map(Ok),
        1 => Just(Err(Error::new(Code::AccessDenied, "x"))),
    ]
}

prop_compose! {
    fn record()(
        phase in prop_oneof![
            Just(Phase::Asleep), Just(Phase::Waking), Just(Phase::Awake), Just(Phase::FallingAsleep)
        ],
        since in moment(),
        generation in 0u64..5,
        woken_at in proptest::option::of(moment()),
        last_wake_at in proptest::option::of(moment()),
        unanswered_since in proptest::option::of(moment()),
        override_until in proptest::option::of(moment()),
        asleep_until in proptest::option::of(moment()),
        saved in proptest::option::of(1u32..4),
        wanted in proptest::option::of(1u32..4),
        command in proptest::option::of((0u32..4, moment())),
        active_at in proptest::option::of(moment()),
        fell_asleep_at in proptest::option::of(moment()),
        bounds in proptest::option::of((bounds(), moment())),
    ) -> Record {
        let mut record = Record {
            version: 1, phase, since, generation: Generation(generation), woken_at, last_wake_at,
            unanswered_since, override_until, asleep_until, fell_asleep_at, ..Record::unseen(since)
        };
        let service = record.service(&ServiceId::new("dev", "web"));
        service.saved = saved;
        service.wanted = wanted;
        service.active_at = active_at;
        service.bounds = bounds.map(|(bounds, at)| SavedBounds::of(bounds, at));
        service.command = command.map(|(count, at)| Command { count, at });
        record
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (proptest::option::of(1u32..5), proptest::option::of(1u64..5000)).prop_map(
            |(desired_count, idle_after)| {
                Action::Wake(Wake {
                    desired_count,
                    exact: false,
                    idle_after: idle_after.map(Duration::from_secs),
                })
            }
        ),
        moment().prop_map(|at| Action::Activity(BTreeMap::from([(ServiceId::new("dev", "web"), at)]))),
        Just(Action::Sleep),
        moment().prop_map(|until| Action::KeepAwake { until }),
        moment().prop_map(|until| Action::KeepAsleep { until }),
        Just(Action::Look),
        Just(Action::Tick),
        (0u64..5).prop_map(|n| Action::Timer {
            generation: Generation(n)
        }),
    ]
}

fn group(signals: Signals) -> GroupSettings {
    let defaults = Defaults {
        idle_after: Duration::from_secs(600),
        signals,
        ..Defaults::default()
    };
    let services = ["api", "web"].map(|name| ServiceSettings::of(ServiceId::new("dev", name), &defaults));
    GroupSettings {
        wake_timeout: defaults.wake_timeout,
        ..GroupSettings::of(
            &crate::ids::GroupName::parse("dev").expect("a name"),
            services.to_vec(),
        )
    }
}

/// Now is Friday, 08:00 UTC.
fn hours() -> impl Strategy<Value = Option<Hours>> {
    let texts = [
        "Fri 07:00-09:00",
        "Fri 08:01-10:00",
        "Fri 06:00-08:00",
        "Sat 07:00-09:00",
        "Daily 00:00-24:00",
    ];
    let parsed = texts.map(|text| Hours::parse(text).expect("hours"));
    proptest::option::of(proptest::sample::select(parsed.to_vec()))
}

prop_compose! {
    fn scene()(
        record in record(),
        api in seen(),
        web in seen(),
        readings in proptest::option::of((reading(), reading())),
        action in action(),
        fixed in any::<bool>(),
        hours in hours(),
        bounds in proptest::option::of((found(), found())),
    ) -> (GroupSettings, Record, Observation, Intent) {
        let (api_id, web_id) = (ServiceId::new("dev", "api"), ServiceId::new("dev", "web"));
        let readings = readings.map_or_else(Vec::new, |(a, b)| vec![
            (api_id.clone(), Signal::Requests, a), (web_id.clone(), Signal::Requests, b),
        ]);
        let bounds = bounds.map(|(a, b)| BTreeMap::from([(api_id.clone(), a), (web_id.clone(), b)]));
        let services = BTreeMap::from([(api_id, api), (web_id, web)]);
        let seen = Observation { services, readings, bounds, ..Observation::default() };
        let mut group = group(if fixed { Signals::FixedTimer } else { Signals::Configured });
        group.services[0].awake = hours;
        (group, record, seen, Intent::of(action, Cause::Http))
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a moment")
}

fn known(seen: &Observation, id: &ServiceId) -> Option<ServiceState> {
    match &seen.services[id] {
        Seen::Known(state) => Some(state.clone()),
        Seen::Unknown(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_unknown_reading_or_service_never_puts_to_sleep((group, record, seen, intent) in scene()) {
        let decision = decide(&group, &record, &seen, &intent, now());
        let fell_asleep = record.phase != Phase::FallingAsleep && decision.record.phase == Phase::FallingAsleep
            && matches!(decision.reason, Reason::Idle { .. });
        if fell_asleep {
            let unknown_reading = seen.readings.iter().any(|(id, _, reading)| {
                let decides = known(&seen, id).is_some_and(|state| !state.target_groups.is_empty());
                decides && matches!(reading, Reading::Unknown(_))
            });
            prop_assert!(!unknown_reading);
            prop_assert!(seen.services.values().all(|seen| matches!(seen, Seen::Known(_))));
        }
    }

    #[test]
    fn a_wake_never_lowers_and_a_sleep_sets_only_zero((group, record, seen, intent) in scene()) {
        let decision = decide(&group, &record, &seen, &intent, now());
        for effect in &decision.effects {
            let Effect::SetDesired { service, count } = effect else { continue };
            let state = known(&seen, service);
            prop_assert!(state.is_some(), "an unseen service is never changed");
            if matches!(decision.record.phase, Phase::FallingAsleep) {
                prop_assert_eq!(*count, 0);
            } else {
                prop_assert!(*count >= state.map_or(0, |state| state.desired));
            }
        }
    }

    #[test]
    fn no_count_goes_before_its_target_is_known_to_be_suspended((group, record, seen, intent) in scene()) {
        let decision = decide(&group, &record, &seen, &intent, now());
        for (n, effect) in decision.effects.iter().enumerate() {
            let Effect::SetDesired { service, count: 0 } = effect else { continue };
            let found = seen.bounds.as_ref().and_then(|all| all[service].clone().ok());
            prop_assert!(found.is_some(), "a target that is not known");
            let suspend = Effect::Suspend { service: service.clone(), suspended: Suspended::ALL };
            let is_held = found.flatten().is_none_or(|found| found.is_held());
            prop_assert!(is_held || decision.effects[..n].contains(&suspend));
            prop_assert!(is_held || decision.record.services[service].bounds.is_some());
        }
    }

    #[test]
    fn an_old_timer_changes_nothing((group, record, seen, _) in scene(), other in 5u64..9) {
        let intent = Intent::of(Action::Timer { generation: Generation(other) }, Cause::SleepTimer);
        let decision = decide(&group, &record, &seen, &intent, now());
        prop_assert!(decision.superseded && decision.effects.is_empty());
        prop_assert_eq!(decision.record, record);
    }

    #[test]
    fn after_a_wake_every_service_that_can_be_seen_is_or_gets_as_it_was((group, record, seen, _) in scene()) {
        let intent = Intent::of(Action::wake(), Cause::Http);
        let before = record.services.get(&ServiceId::new("dev", "web")).and_then(|web| web.saved);
        let decision = decide(&group, &record, &seen, &intent, now());
        if let Reason::KeptAsleep { until } = decision.reason {
            prop_assert!(record.asleep_until == Some(until) && until > now());
            let falls = |effect: &Effect| {
                matches!(effect, Effect::SetDesired { count: 0, .. } | Effect::Suspend { .. })
            };
            prop_assert!(decision.effects.iter().all(falls));
            return Ok(());
        }
        prop_assert!(matches!(decision.record.phase, Phase::Waking | Phase::Awake));
        let asleep = matches!(record.phase, Phase::Asleep | Phase::FallingAsleep);
        if let (true, Some(saved)) = (asleep, before) {
            let web = &decision.record.services[&ServiceId::new("dev", "web")];
            let outside = matches!(decision.record.reason, Reason::WokenOutside);
            prop_assert!(outside || web.wanted == Some(saved));
        }
    }

    #[test]
    fn leaving_sleep_raises_the_generation_by_one((group, record, seen, intent) in scene()) {
        let decision = decide(&group, &record, &seen, &intent, now());
        let rise = decision.record.generation.0 - record.generation.0;
        let sleeping = |phase| matches!(phase, Phase::Asleep | Phase::FallingAsleep);
        prop_assert!(rise <= 1);
        if sleeping(record.phase) {
            prop_assert!(rise == 1 || sleeping(decision.record.phase));
        }
        if !sleeping(decision.record.phase) {
            let timers = decision.effects.iter().filter(|e| matches!(e, Effect::StartTimer { .. })).count();
            prop_assert_eq!(timers as u64, rise, "each generation has one timer");
        }
    }

    #[test]
    fn in_its_hours_only_somebody_puts_it_to_sleep((group, record, seen, intent) in scene()) {
        let in_hours = group.outlook(now(), record.usual_wake()).is_some_and(|outlook| outlook.awake);
        let decision = decide(&group, &record, &seen, &intent, now());
        let up = |phase| matches!(phase, Phase::Waking | Phase::Awake);
        if in_hours && up(record.phase) && !up(decision.record.phase) {
            prop_assert!(matches!(decision.record.reason, Reason::SleepAsked | Reason::PutToSleepOutside));
        }
        let kept = record.asleep_until.is_some_and(|until| until > now());
        if in_hours && !kept && intent.action == Action::Tick && record.phase == Phase::Asleep {
            // Nobody put it to sleep: what the record begins with is that it was never seen.
            prop_assert!(decision.record.phase != Phase::Asleep);
        }
    }

    #[test]
    fn in_observe_mode_nothing_is_changed((mut group, record, seen, intent) in scene()) {
        group.services[1].mode = Mode::Observe;
        let decision = decide(&group, &record, &seen, &intent, now());
        prop_assert_eq!(decision.effects, Vec::new());
        let acting = { group.services[1].mode = Mode::Act; decide(&group, &record, &seen, &intent, now()) };
        prop_assert!(decision.would.is_some() || acting.counts() == (0, 0));
        prop_assert_eq!(decision.reason, acting.reason, "the same is decided");
    }

    #[test]
    fn deciding_again_at_once_does_nothing_more((group, record, seen, intent) in scene()) {
        let first = decide(&group, &record, &seen, &intent, now());
        let again = decide(&group, &first.record, &seen, &intent, now());
        prop_assert!(again.effects.is_empty(), "{:?} then {:?}", first, again);
    }
}
