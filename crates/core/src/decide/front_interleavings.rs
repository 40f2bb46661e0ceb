//! Whatever functions do at the same time, and whenever they die: an address that is led by us never leads to an app that
//! is not there, and ends as its owner made it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::front::{Door, DoorId, Forward, Place};
use crate::ids::GroupName;
use crate::intent::Cause;
use crate::observation::{Health, TaskAddress, TaskStage, TaskState};
use crate::settings::Defaults;

const APP: &str = "tg/app";
const OTHER: &str = "tg/other";
const WAKE: &str = "tg/wake";
/// A call lands within this time of its decision, or never: [`LEADS_WITHIN`], and that of an UpdateService.
const LANDS_WITHIN: u64 = 14;
/// Parts of the load balancer go on with the old actions for so long. Shorter than the time that is waited for it.
const SPREADS_IN: u64 = 4;
const STARTS_IN: u64 = 7;

/// One function: what it is asked, after how long, and what becomes of the calls that it makes.
#[derive(Clone, Debug)]
struct Step {
    seconds: u64,
    action: Action,
    /// When each call lands; none: the function dies before it.
    calls: Vec<Option<u64>>,
}

struct Scene {
    group: GroupSettings,
    record: Record,
    second: u64,
    owners: Forward,
    forward: Forward,
    /// What parts of the load balancer may still use, and until when.
    old: Vec<(u64, Forward)>,
    desired: u32,
    /// When each task answers.
    tasks: Vec<u64>,
    calls: Vec<(u64, Effect)>,
    fronted: bool,
}

fn at(second: u64) -> Timestamp {
    duration::after(Timestamp::UNIX_EPOCH, Duration::from_secs(1_000_000 + second))
}

fn web() -> ServiceId {
    ServiceId::new("dev", "web")
}

fn door() -> DoorId {
    DoorId("rule".to_owned())
}

impl Scene {
    fn new(owners: Forward) -> Self {
        let defaults = Defaults {
            idle_after: Duration::from_secs(20),
            grace: Duration::ZERO,
            signals: crate::settings::Signals::FixedTimer,
            ..Defaults::default()
        };
        let mut settings = ServiceSettings::of(web(), &defaults);
        settings.front = true;
        let name = GroupName::parse("dev").expect("a name");
        let mut group = GroupSettings::of(&name, vec![settings]);
        group.wake_timeout = Duration::from_secs(300);
        let mut scene = Self {
            group,
            record: Record::unseen(at(0)),
            second: 0,
            forward: owners.clone(),
            owners,
            old: Vec::new(),
            desired: 2,
            tasks: vec![0, 0],
            calls: Vec::new(),
            fronted: true,
        };
        for _ in 0..3 {
            scene.take(&Step {
                seconds: 1,
                action: Action::Tick,
                calls: vec![Some(0); 4],
            });
        }
        assert_eq!(scene.record.phase, Phase::Awake);
        scene
    }

    fn take(&mut self, step: &Step) {
        for _ in 0..step.seconds {
            self.pass_a_second();
        }
        let intent = Intent::of(step.action.clone(), Cause::Http);
        let mut seen = Observation {
            services: BTreeMap::from([(web(), self.state())]),
            bounds: Some(BTreeMap::from([(web(), Ok(None))])),
            ..Observation::default()
        };
        let decision = loop {
            let decision = decide(&self.group, &self.record, &seen, &intent, at(self.second));
            if decision.wants.is_nothing() {
                break decision;
            }
            if decision.wants.doors {
                seen.doors = Some(Ok(BTreeMap::from([(door(), self.door())])));
            }
            for door in &decision.wants.proofs {
                let proof = match self.forward.leads_to(WAKE) {
                    true => Ok(()),
                    false => Err(Error::new(crate::error::Code::FrontUnproven, "the app answered")),
                };
                seen.proofs.insert(door.clone(), proof);
            }
        };
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record
        };
        for (index, effect) in decision.effects.into_iter().enumerate() {
            let lands = step.calls.get(index).copied().unwrap_or(Some(0));
            self.calls
                .extend(lands.map(|after| (self.second + after, effect)));
        }
        self.land();
    }

    fn pass_a_second(&mut self) {
        self.second += 1;
        self.land();
    }

    fn land(&mut self) {
        let second = self.second;
        for (_, effect) in self.calls.extract_if(.., |(at, _)| *at <= second) {
            match effect {
                Effect::SetDesired { count, .. } => {
                    self.desired = count;
                    self.tasks.resize(count as usize, second + STARTS_IN);
                }
                // The worst: it was compared long ago, and is written whatever is there now.
                Effect::Lead(lead) => {
                    let Lead {
                        door, to, at: led_at, ..
                    } = *lead;
                    // Who made the call knows that it has landed, and writes that down.
                    let led = self
                        .record
                        .front
                        .doors
                        .get_mut(&door)
                        .filter(|led| led.at == Some(led_at));
                    if let Some(led) = led {
                        led.arrived_at = Some(at(second));
                    }
                    let before = std::mem::replace(&mut self.forward, to);
                    self.old.push((second + SPREADS_IN, before));
                }
                _ => {}
            }
        }
        self.old.retain(|(until, _)| *until > second);
        let answers = self.tasks.iter().any(|at| *at <= second);
        let mut used = self.old.iter().map(|(_, forward)| forward).chain([&self.forward]);
        assert!(
            !self.fronted || answers || used.all(|forward| !forward.leads_to(APP)),
            "second {second}: nobody answers at {:?}\n{:?}",
            self.forward,
            self.record
        );
    }

    fn door(&self) -> Door {
        Door {
            forward: self.forward.clone(),
            place: Place {
                host: "lb.example".to_owned(),
                tls: false,
                port: 80,
                priority: None,
                conditions: Vec::new(),
                authenticates: false,
            },
            wake: Ok(WAKE.to_owned()),
        }
    }

    fn state(&self) -> Seen {
        let task = |(number, ready_at): (usize, &u64)| TaskState {
            id: number.to_string(),
            stage: TaskStage::Running,
            health: None,
            targets: vec![match *ready_at <= self.second {
                true => Health::Healthy,
                false => Health::Unhealthy("initial".into()),
            }],
            probe: None,
            address: TaskAddress::Unknown,
            private: None,
            times: Default::default(),
        };
        Seen::Known(ServiceState {
            desired: self.desired,
            running: self.desired,
            tasks: self.tasks.iter().enumerate().map(task).collect(),
            target_groups: vec![APP.to_owned()],
            ..ServiceState::default()
        })
    }

    /// Nobody dies any more, and ticks come.
    fn settle(&mut self, action: &Action) {
        for _ in 0..16 {
            self.take(&Step {
                seconds: 6,
                action: action.clone(),
                calls: Vec::new(),
            });
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![
        4 => Just(Action::Tick),
        3 => Just(Action::wake()),
        2 => Just(Action::Look),
        2 => Just(Action::Sleep),
    ];
    let seconds = prop_oneof![0..3_u64, 4..12_u64, 15..40_u64];
    let call = prop_oneof![3 => Just(Some(0)), 3 => (1..=LANDS_WITHIN).prop_map(Some), 1 => Just(None)];
    let calls = proptest::collection::vec(call, 4);
    let step = (seconds, action, calls).prop_map(|(seconds, action, calls)| Step {
        seconds,
        action,
        calls,
    });
    proptest::collection::vec(step, 1..40)
}

fn owners() -> impl Strategy<Value = Forward> {
    let shared = Forward::weighted([(APP, 70), (OTHER, 30)], Some(60));
    prop_oneof![Just(Forward::to(APP)), Just(shared)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_address_never_leads_to_an_app_that_is_not_there(owners in owners(), steps in steps()) {
        let mut scene = Scene::new(owners);
        for step in &steps {
            scene.take(step);
        }
        scene.settle(&Action::wake());
        prop_assert_eq!((scene.record.phase, &scene.forward), (Phase::Awake, &scene.owners));
        scene.settle(&Action::Sleep);
        prop_assert_eq!(scene.record.phase, Phase::Asleep);
        prop_assert!(scene.forward.leads_to(WAKE) && !scene.forward.leads_to(APP));
    }

    #[test]
    fn without_the_tag_it_ends_as_its_owner_made_it(owners in owners(), steps in steps()) {
        let mut scene = Scene::new(owners);
        for step in &steps {
            scene.take(step);
        }
        scene.group.services[0].front = false;
        scene.fronted = false;
        scene.settle(&Action::Tick);
        prop_assert_eq!(&scene.forward, &scene.owners);
        prop_assert!(scene.record.front.doors.is_empty());
    }
}
