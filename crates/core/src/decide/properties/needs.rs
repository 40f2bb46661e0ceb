//! What holds for every order of services: whatever is seen, and whatever tasks do meanwhile.

use super::*;
use crate::error::Error;
use crate::needs::Need;
use crate::observation::{GroupState, Neighbour};
use crate::readiness::{self, Readiness};
use crate::scalable::Bounds;

/// Services `s0` to `s4`; the last one needs `shared/db` too if `foreign`. Each bit says whether a service needs one of
/// those before it, so that there is no circle.
fn ordered(bits: u32, foreign: bool) -> GroupSettings {
    let defaults = Defaults {
        idle_after: Duration::from_secs(600),
        grace: Duration::ZERO,
        signals: Signals::FixedTimer,
        ..Defaults::default()
    };
    let mut bit = 0;
    let services = (0..5).map(|number| {
        let mut service = ServiceSettings::of(id(number), &defaults);
        for before in 0..number {
            if bits >> bit & 1 == 1 {
                service.needs.push(need(&format!("s{before}")));
            }
            bit += 1;
        }
        if foreign && number == 4 {
            service.needs.push(need("shared/db"));
        }
        service
    });
    GroupSettings {
        wake_timeout: defaults.wake_timeout,
        ..GroupSettings::of(&name("dev"), services.collect())
    }
}

fn need(text: &str) -> Need {
    Need::parse(text).expect("a need")
}

fn name(text: &str) -> crate::ids::GroupName {
    crate::ids::GroupName::parse(text).expect("a name")
}

fn id(number: usize) -> ServiceId {
    ServiceId::new("dev", &format!("s{number}"))
}

fn db() -> ServiceId {
    ServiceId::new("dev", "db")
}

fn needs_of(group: &GroupSettings, id: &ServiceId) -> Vec<ServiceId> {
    let service = group.services.iter().find(|service| service.id == *id);
    let needs = service.into_iter().flat_map(|service| &service.needs);
    needs.map(|need| ServiceId::new("dev", &need.service)).collect()
}

fn is_ready(seen: &Observation, id: &ServiceId) -> bool {
    known(seen, id)
        .is_some_and(|state| state.desired > 0 && readiness::of_service(&state) == Readiness::Ready)
}

fn is_gone(seen: &Observation, id: &ServiceId) -> bool {
    known(seen, id).is_some_and(|state| (state.desired, state.running, state.pending) == (0, 0, 0))
}

/// No service has a scalable target.
fn nothing_scales() -> Option<BTreeMap<ServiceId, Result<Option<Bounds>, Error>>> {
    Some((0..5).map(|number| (id(number), Ok(None))).collect())
}

/// A service that was started before all that it needs was ready, or stopped before all that needs it was gone.
fn out_of_order(group: &GroupSettings, seen: &Observation, effects: &[Effect]) -> Option<Effect> {
    let wrong = |effect: &&Effect| match effect {
        Effect::SetDesired { service, count: 0 } => group
            .services
            .iter()
            .any(|other| needs_of(group, &other.id).contains(service) && !is_gone(seen, &other.id)),
        // More tasks of one that runs are another matter.
        Effect::SetDesired { service, .. } => {
            let starts = known(seen, service).is_none_or(|state| state.desired == 0);
            starts
                && !needs_of(group, service)
                    .iter()
                    .all(|needed| is_ready(seen, needed))
        }
        _ => false,
    };
    effects.iter().find(wrong).cloned()
}

fn shared(up: bool) -> BTreeMap<crate::ids::GroupName, Neighbour> {
    let state = GroupState {
        phase: if up { Phase::Awake } else { Phase::Asleep },
        since: None,
        put_to_sleep: false,
        services: vec![db()],
        failures: BTreeMap::new(),
    };
    BTreeMap::from([(name("shared"), Neighbour::Known(state))])
}

/// A service as ECS reports it, with tasks that answer or not.
fn state(desired: u32, running: u32, ready: bool) -> Seen {
    let task = TaskState {
        id: "t".into(),
        stage: TaskStage::Running,
        health: Some(if ready {
            Health::Healthy
        } else {
            Health::Unhealthy("no".into())
        }),
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: None,
        times: Default::default(),
    };
    Seen::Known(ServiceState {
        desired,
        running,
        tasks: vec![task; running as usize],
        ..ServiceState::default()
    })
}

/// Services whose tasks take a step when the test says so.
struct World {
    group: GroupSettings,
    record: Record,
    seen: Observation,
    second: i64,
}

impl World {
    fn new(group: GroupSettings) -> Self {
        let ids = (0..5).map(id).chain([db()]);
        let services = ids.map(|id| (id, state(0, 0, false))).collect();
        let seen = Observation {
            services,
            groups: shared(false),
            bounds: nothing_scales(),
            ..Observation::default()
        };
        Self {
            group,
            record: Record::unseen(now()),
            seen,
            second: 0,
        }
    }

    /// Decides, and does what was decided; gives what was out of order.
    fn turn(&mut self, action: Action) -> Option<Effect> {
        self.second += 5;
        let moment = Timestamp::from_second(NOW + self.second).expect("a moment");
        let intent = Intent::of(action, Cause::Http);
        let decision = decide(&self.group, &self.record, &self.seen, &intent, moment);
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record
        };
        let wrong = out_of_order(&self.group, &self.seen, &decision.effects);
        for effect in decision.effects {
            match effect {
                Effect::SetDesired { service, count } => {
                    let running = known(&self.seen, &service).map_or(0, |state| state.running);
                    self.seen
                        .services
                        .insert(service, state(count, running, running > 0));
                }
                Effect::WakeGroup { .. } => {
                    self.seen.groups = shared(true);
                    self.seen.services.insert(db(), state(1, 0, false));
                }
                Effect::Suspend { .. } | Effect::StartTimer { .. } | Effect::Lead(_) | Effect::Post(_) => {}
            }
        }
        wrong
    }

    /// The tasks of some services start, answer or go.
    fn step(&mut self, which: u8) {
        for (number, (_, seen)) in self.seen.services.iter_mut().enumerate() {
            if which >> number & 1 == 0 {
                continue;
            }
            let Seen::Known(before) = seen.clone() else {
                continue;
            };
            let ready = readiness::of_service(&before) == Readiness::Ready;
            *seen = match (before.desired, before.running) {
                (0, _) => state(0, 0, false),
                (desired, 0) => state(desired, desired, false),
                (desired, _) => state(desired, desired, ready || which >> 7 == 1),
            };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_starts_before_what_it_needs_or_stops_before_what_needs_it(
        bits in 0u32..1024,
        foreign in any::<bool>(),
        up in any::<bool>(),
        record in record(),
        services in proptest::collection::vec(seen(), 6),
        commands in proptest::collection::vec(proptest::option::of((0u32..3, moment())), 5),
        action in action(),
    ) {
        let group = ordered(bits, foreign);
        let mut record = record;
        for (number, command) in commands.into_iter().enumerate() {
            record.service(&id(number)).command = command.map(|(count, at)| Command { count, at });
        }
        let ids = (0..5).map(id).chain([db()]);
        let seen = Observation { services: ids.zip(services).collect(), groups: shared(up), bounds: nothing_scales(), ..Observation::default() };
        let decision = decide(&group, &record, &seen, &Intent::of(action, Cause::Http), now());
        prop_assert_eq!(out_of_order(&group, &seen, &decision.effects), None);
        if !up && foreign {
            let last = |effect: &Effect| matches!(effect, Effect::SetDesired { service, count: 1.. } if *service == id(4));
            let runs = known(&seen, &id(4)).is_some_and(|state| state.desired > 0);
            prop_assert!(runs || !decision.effects.iter().any(last), "its group is asleep");
        }
    }

    #[test]
    fn every_order_comes_up_and_goes_down_whoever_asks_in_between(
        bits in 0u32..1024,
        foreign in any::<bool>(),
        turns in proptest::collection::vec((0u8..10, any::<u8>()), 0..40),
    ) {
        let mut world = World::new(ordered(bits, foreign));
        for (who, which) in turns {
            let action = match who {
                0 => Action::wake(),
                1 => Action::Sleep,
                2..5 => Action::Tick,
                _ => Action::Look,
            };
            prop_assert_eq!(world.turn(action), None);
            world.step(which);
        }
        for (asked, ends) in [(Action::wake(), Phase::Awake), (Action::Sleep, Phase::Asleep)] {
            prop_assert_eq!(world.turn(asked), None);
            for _ in 0..40 {
                world.step(u8::MAX);
                prop_assert_eq!(world.turn(Action::Look), None);
            }
            prop_assert_eq!(world.record.phase, ends);
        }
    }
}
