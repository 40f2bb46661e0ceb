//! A service that Application Auto Scaling scales, through any sequence of wakes, sleeps, looks and deaths.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::intent::Cause;
use crate::observation::{Health, TaskAddress, TaskStage, TaskState};
use crate::scalable::{Bounds, Suspended};
use crate::settings::{Defaults, Signals};

/// The count of the service while it is awake; within its bounds.
const COUNT: u32 = 3;

struct Scene {
    group: GroupSettings,
    record: Record,
    desired: u32,
    target: Option<Bounds>,
    now: Timestamp,
}

/// What happens next: after so many seconds somebody asks, and the function dies after so many of its effects.
#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    action: Action,
    effects: usize,
}

fn web() -> ServiceId {
    ServiceId::new("dev", "web")
}

impl Scene {
    /// Awake, with all tasks ready.
    fn new(target: Option<Bounds>) -> Self {
        let defaults = Defaults {
            signals: Signals::FixedTimer,
            ..Defaults::default()
        };
        let services = vec![ServiceSettings::of(web(), &defaults)];
        let now = Timestamp::from_second(1_800_000_000).expect("a moment");
        let mut scene = Self {
            group: GroupSettings {
                wake_timeout: defaults.wake_timeout,
                ..GroupSettings::of(&crate::ids::GroupName::parse("dev").expect("a name"), services)
            },
            record: Record::unseen(now),
            desired: COUNT,
            target,
            now,
        };
        scene.take(&whole(60, Action::Tick));
        scene.take(&whole(60, Action::Tick));
        assert_eq!(scene.record.phase, Phase::Awake);
        scene
    }

    fn take(&mut self, step: &Step) {
        self.now = duration::after(self.now, Duration::from_secs(step.seconds.unsigned_abs()));
        self.scale();
        let mut seen = Observation {
            services: BTreeMap::from([(web(), self.state())]),
            ..Observation::default()
        };
        let intent = Intent::of(step.action.clone(), Cause::Http);
        let mut decision = decide(&self.group, &self.record, &seen, &intent, self.now);
        if decision.wants.bounds {
            seen.bounds = Some(BTreeMap::from([(web(), Ok(self.target))]));
            decision = decide(&self.group, &self.record, &seen, &intent, self.now);
            assert!(!decision.wants.bounds);
        }
        self.record = Record {
            version: self.record.version + 1,
            ..decision.record
        };
        for effect in decision.effects.iter().take(step.effects) {
            self.carry_out(effect);
            self.scale();
        }
    }

    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::SetDesired { count, .. } => {
                assert!(
                    *count > 0 || self.target.is_none_or(|target| target.is_held()),
                    "the count goes while {:?} is scaled",
                    self.target
                );
                self.desired = *count;
            }
            Effect::Suspend { suspended, .. } => {
                let target = self.target.as_mut().expect("a target");
                target.suspended = *suspended;
                // RegisterScalableTarget does this, whatever it sets.
                self.desired = self.desired.clamp(target.min, target.max);
            }
            Effect::StartTimer { .. } | Effect::WakeGroup { .. } | Effect::Lead(_) | Effect::Post(_) => {}
        }
    }

    /// Application Auto Scaling does the worst that it may.
    fn scale(&mut self) {
        if let Some(target) = self.target {
            if !target.suspended.dynamic_out || !target.suspended.scheduled {
                self.desired = self.desired.max(target.min);
            }
            if !target.suspended.dynamic_in || !target.suspended.scheduled {
                self.desired = self.desired.min(target.max);
            }
        }
    }

    fn state(&self) -> Seen {
        let task = TaskState {
            id: "t".into(),
            stage: TaskStage::Running,
            health: Some(Health::Healthy),
            targets: Vec::new(),
            probe: None,
            address: TaskAddress::Unknown,
            private: None,
            times: Default::default(),
        };
        Seen::Known(ServiceState {
            desired: self.desired,
            running: self.desired,
            tasks: vec![task; self.desired as usize],
            ..ServiceState::default()
        })
    }
}

fn whole(seconds: i64, action: Action) -> Step {
    Step {
        seconds,
        action,
        effects: usize::MAX,
    }
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![1i64..20, 1i64..300];
    let action = prop_oneof![
        Just(Action::wake()),
        Just(Action::Sleep),
        Just(Action::Look),
        Just(Action::Tick)
    ];
    let effects = prop_oneof![Just(usize::MAX), 0usize..3];
    (seconds, action, effects).prop_map(|(seconds, action, effects)| Step {
        seconds,
        action,
        effects,
    })
}

fn target() -> impl Strategy<Value = Option<Bounds>> {
    let suspended = (any::<bool>(), any::<bool>(), any::<bool>());
    let bounds = suspended.prop_map(|(dynamic_in, dynamic_out, scheduled)| Bounds {
        min: 2,
        max: 6,
        suspended: Suspended {
            dynamic_in,
            dynamic_out,
            scheduled,
        },
    });
    proptest::option::weighted(0.9, bounds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_count_goes_while_something_scales_it_and_all_is_given_back(
        target in target(), steps in proptest::collection::vec(step(), 1..25)
    ) {
        let mut scene = Scene::new(target);
        for step in &steps {
            scene.take(step);
            if scene.record.phase == Phase::Asleep {
                prop_assert_eq!(scene.desired, 0);
            }
        }
        scene.take(&whole(20, Action::wake()));
        for _ in 0..6 {
            scene.take(&whole(60, Action::Tick));
        }
        prop_assert_eq!((scene.target, scene.desired), (target, COUNT));
        prop_assert_eq!(scene.record.services[&web()].bounds, None);
    }
}
