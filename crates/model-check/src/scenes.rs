//! The scenes that are explored.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dormouse_core::ids::GroupName;
use dormouse_core::needs::Need;
use dormouse_core::reading::Signal;
use dormouse_core::record::Record;
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::scaling::bounds::Range;
use dormouse_core::scaling::reason::Reason as ScalingReason;
use dormouse_core::settings::{Defaults, GroupSettings, ServiceSettings, Signals};

use crate::function::Function;
use crate::ghost::Ghost;
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::kept::Kept;
use crate::names;
use crate::protocol::{Protocol, Shipped};
use crate::scene::Scene;
use crate::world::{Budget, Execution, Service, World};

/// How far a scene is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// To the end, in the time that tests and CI have.
    Test,
    /// More faults and more time; nobody has seen the end yet.
    Full,
}

/// Idle time of the groups: a few ticks.
const IDLE_AFTER: Duration = Duration::from_secs(180);

fn defaults(signals: Signals) -> Defaults {
    Defaults {
        idle_after: IDLE_AFTER,
        grace: Duration::from_secs(30),
        wake_timeout: IDLE_AFTER,
        signals,
        ..Defaults::default()
    }
}

fn group(services: Vec<ServiceSettings>) -> GroupSettings {
    GroupSettings {
        wake_timeout: IDLE_AFTER,
        ..GroupSettings::of(&GroupName::default_group(), services)
    }
}

/// All scenes, as they are shipped.
#[must_use]
pub fn all(size: Size) -> Vec<Scene> {
    let shipped = || Arc::new(Shipped) as Arc<dyn Protocol>;
    vec![
        wake_and_sleep(size, shipped()),
        scalable_target(size, shipped()),
        scale_in(size, shipped()),
        wake_against_scale_in(size, shipped()),
    ]
}

/// Two services, of which one needs the other: wakes, sleeps, ticks and timers against each other.
#[must_use]
pub fn wake_and_sleep(size: Size, protocol: Arc<dyn Protocol>) -> Scene {
    let db = ServiceSettings::of(names::service("db"), &defaults(Signals::FixedTimer));
    let mut web = ServiceSettings::of(
        names::service("web"),
        &defaults(Signals::Listed(BTreeSet::from([Signal::Requests]))),
    );
    web.needs = Need::parse_list("db").unwrap_or_default();
    let scene = Scene {
        name: "wake and sleep",
        about: "2 services of which one needs the other, 3 tasks; wakes, sleeps, ticks and sleep timers",
        settings: group(vec![db, web]),
        begins: Vec::new(),
        protocol,
        counts: vec![1, 2],
        bounds: vec![None, None],
        ticks: vec![Job::Tick(false)],
        between: Some(20),
        horizon: match size {
            Size::Test => 60,
            Size::Full => 120,
        },
        at_once: 2,
        lifetime: 20,
        lateness: 40,
        ticks_to_wake: 2,
        invariants: vec![
            (
                Invariant::Sessions,
                Err("who asks for sleep means tasks in use too; idle groups have none"),
            ),
            (Invariant::Wake, Ok(())),
            (Invariant::Unknown, Ok(())),
            (Invariant::Restored, Ok(())),
            (Invariant::Stale, Ok(())),
            (Invariant::Rest, Ok(())),
        ],
    };
    let asked = Budget {
        wakes: 1,
        sleeps: 1,
        ..Budget::default()
    };
    let timers = Budget {
        wakes: 1,
        timers: 1,
        ..Budget::default()
    };
    let mut budgets = vec![crash(asked)];
    if size == Size::Full {
        budgets.extend([unsure(asked), unknown(asked), crash(timers), unsure(timers)]);
        budgets.push(Budget { wakes: 2, ..asked });
    }
    begin(scene, &budgets)
}

/// One service that Application Auto Scaling scales too.
#[must_use]
pub fn scalable_target(size: Size, protocol: Arc<dyn Protocol>) -> Scene {
    let signals = Signals::Listed(BTreeSet::from([Signal::Requests]));
    let web = ServiceSettings::of(names::service("web"), &defaults(signals));
    let bounds = Bounds {
        min: 2,
        max: 3,
        suspended: Suspended::default(),
    };
    let scene = Scene {
        name: "scalable target",
        about: "1 service with 2 tasks that Application Auto Scaling scales too, and does the worst it may; wakes and sleeps",
        settings: group(vec![web]),
        begins: Vec::new(),
        protocol,
        counts: vec![2],
        bounds: vec![Some(Kept::new(bounds))],
        ticks: vec![Job::Tick(false)],
        between: Some(20),
        horizon: match size {
            Size::Test => 60,
            Size::Full => 120,
        },
        at_once: 2,
        lifetime: 20,
        lateness: 40,
        ticks_to_wake: 1,
        invariants: vec![
            (
                Invariant::Sessions,
                Err("who asks for sleep means tasks in use too; idle groups have none"),
            ),
            (Invariant::Wake, Ok(())),
            (Invariant::Unknown, Ok(())),
            (Invariant::Restored, Ok(())),
            (Invariant::Stale, Ok(())),
            (Invariant::Rest, Ok(())),
        ],
    };
    let asked = Budget {
        wakes: 1,
        sleeps: 1,
        ..Budget::default()
    };
    let timers = Budget {
        wakes: 1,
        timers: 1,
        ..Budget::default()
    };
    let budgets = match size {
        Size::Test => vec![crash(asked)],
        Size::Full => vec![crash(asked), unsure(asked), crash(timers), unsure(timers)],
    };
    begin(scene, &budgets)
}

/// A scale-in of a service with three tasks, and sessions that come and go.
#[must_use]
pub fn scale_in(size: Size, protocol: Arc<dyn Protocol>) -> Scene {
    let scene = Scene {
        name: "scale-in",
        about: "1 service with 3 tasks that scales in by its state machine, sessions that come and go, and the scaling tick",
        ..scaling(protocol)
    };
    let used = Budget {
        begins: 1,
        ..Budget::default()
    };
    let comes_and_goes = Budget { ends: 1, ..used };
    let begins = match size {
        Size::Test => vec![scaling_in(&scene, crash(used), 2)],
        Size::Full => [
            (crash(comes_and_goes), 2),
            (unsure(comes_and_goes), 2),
            (unknown(used), 2),
            (lost(used), 2),
            (burst(used), 2),
            (crash(used), 1),
            (unsure(used), 1),
            (Budget { begins: 2, ..used }, 1),
        ]
        .map(|(budget, to)| scaling_in(&scene, budget, to))
        .to_vec(),
    };
    Scene {
        begins,
        horizon: match size {
            Size::Test => 60,
            Size::Full => 120,
        },
        ..scene
    }
}

/// A scale-in, while somebody asks for the group.
#[must_use]
pub fn wake_against_scale_in(size: Size, protocol: Arc<dyn Protocol>) -> Scene {
    let scene = Scene {
        name: "wake against scale-in",
        about: "the same service, and somebody who asks for the group at any moment, without a count or with 3",
        ..scaling(protocol)
    };
    let wake = Budget {
        wakes: 1,
        ..Budget::default()
    };
    let wake_to = Budget {
        wakes_to: (1, 3),
        ..Budget::default()
    };
    let budgets = match size {
        Size::Test => vec![wake],
        Size::Full => vec![crash(wake), unsure(wake), lost(wake), unsure(wake_to)],
    };
    Scene {
        begins: budgets
            .into_iter()
            .map(|budget| scaling_in(&scene, budget, 1))
            .collect(),
        horizon: 50,
        ..scene
    }
}

fn scaling(protocol: Arc<dyn Protocol>) -> Scene {
    let signals = Signals::Listed(BTreeSet::from([Signal::Requests]));
    let mut web = ServiceSettings::of(names::service("web"), &defaults(signals));
    web.scaling.max = Some(4);
    web.scaling.cpu = Range::parse("30-70");
    Scene {
        name: "",
        about: "",
        settings: group(vec![web]),
        begins: Vec::new(),
        protocol,
        counts: vec![3],
        bounds: vec![None],
        ticks: vec![Job::ScalingTick],
        between: None,
        horizon: 60,
        at_once: 2,
        lifetime: 15,
        lateness: 15,
        ticks_to_wake: 3,
        invariants: vec![
            (Invariant::Sessions, Ok(())),
            (Invariant::Wake, Ok(())),
            (Invariant::Unknown, Ok(())),
            (Invariant::Restored, Err("nothing sleeps here")),
            (Invariant::Stale, Ok(())),
            (Invariant::Rest, Ok(())),
        ],
    }
}

/// A function may die.
fn crash(budget: Budget) -> Budget {
    Budget { crashes: 1, ..budget }
}

/// A call may get no answer, and land late or never.
fn unsure(budget: Budget) -> Budget {
    Budget { unsure: 1, ..budget }
}

/// A look may fail.
fn unknown(budget: Budget) -> Budget {
    Budget { unknown: 1, ..budget }
}

/// The execution of the state machine may be lost.
fn lost(budget: Budget) -> Budget {
    Budget { lost: 1, ..budget }
}

/// More tasks may be needed.
fn burst(budget: Budget) -> Budget {
    Budget { bursts: 1, ..budget }
}

/// A world whose group was woken long ago, by the shipped code.
fn awake(scene: &Scene, budget: Budget, balanced: bool) -> World {
    let mut services: Vec<Service> = scene
        .counts
        .iter()
        .map(|count| Service::running(*count, balanced))
        .collect();
    for (service, bounds) in services.iter_mut().zip(&scene.bounds) {
        service.bounds.clone_from(bounds);
    }
    let mut world = World {
        now: 0,
        record: Kept::new(Record::unseen(names::at(-3600))),
        plan: None,
        services,
        late: Vec::new(),
        execution: None,
        high: false,
        budget,
        ghost: Ghost {
            wakes: 0,
            woken_at: None,
            awake: true,
            floor: 0,
        },
    };
    // Two looks: one finds it awake, the next finds it ready.
    for _ in 0..2 {
        Function::run(scene, &mut world, &Job::Tick(true));
    }
    let mut record = Record::clone(&world.record);
    long_ago(&mut record);
    world.record = Kept::new(record);
    world.forget_versions();
    world
}

/// Moves all that happened to an hour before the beginning.
fn long_ago(record: &mut Record) {
    let then = names::at(-3600);
    record.since = then;
    for at in [
        &mut record.woken_at,
        &mut record.last_wake_at,
        &mut record.fell_asleep_at,
    ] {
        *at = at.map(|_| then);
    }
    record.told.clear();
}

/// Begins awake, and asleep, with each of these budgets.
fn begin(scene: Scene, budgets: &[Budget]) -> Scene {
    let awake = awake(&scene, Budget::default(), false);
    let mut asleep = awake.clone();
    asleep.ghost.awake = false;
    for job in [Job::Sleep, Job::Tick(true), Job::Tick(true), Job::Tick(true)] {
        Function::run(&scene, &mut asleep, &job);
        for service in &mut asleep.services {
            service.tasks.truncate(service.desired as usize);
        }
        asleep.now += 60;
    }
    asleep.now = 0;
    let mut record = Record::clone(&asleep.record);
    long_ago(&mut record);
    for bounds in record
        .services
        .values_mut()
        .filter_map(|service| service.bounds.as_mut())
    {
        bounds.suspended_at = names::at(-3600);
    }
    asleep.record = Kept::new(record);
    asleep.forget_versions();
    let with = |world: &World, budget: &Budget| World {
        budget: *budget,
        ..world.clone()
    };
    let begins = budgets
        .iter()
        .flat_map(|budget| [with(&awake, budget), with(&asleep, budget)])
        .collect();
    Scene { begins, ..scene }
}

/// A world whose group is awake, and whose service has just begun to scale in to so many tasks.
fn scaling_in(scene: &Scene, budget: Budget, to: u32) -> World {
    let mut world = awake(scene, budget, true);
    let mut record = Record::clone(&world.record);
    let service = names::service("web");
    let from = scene.counts.first().copied().unwrap_or(0);
    let scaling = &mut record.service(&service).scaling;
    let claim = scaling.begin_scale_in(&service, from, to, ScalingReason::Asked, names::at(0));
    let execution = claim.execution.clone();
    world.record = Kept::new(record);
    world.ghost.awake = true;
    world.execution = Execution::start(&execution, scene.settings.name.as_str(), &service.to_string(), 0);
    world.forget_versions();
    world
}

#[cfg(test)]
mod tests {
    use dormouse_core::record::Phase;

    use super::*;

    #[test]
    fn scenes_begin_at_rest_as_the_shipped_code_leaves_them() {
        for scene in all(Size::Test) {
            for world in &scene.begins {
                let phase = world.record.phase;
                assert!(
                    matches!(phase, Phase::Awake | Phase::Asleep),
                    "{}: {phase:?}",
                    scene.name
                );
                let counts: Vec<u32> = world.services.iter().map(|service| service.desired).collect();
                let wanted = match phase {
                    Phase::Awake => scene.counts.clone(),
                    _ => vec![0; scene.counts.len()],
                };
                assert_eq!(counts, wanted, "{}", scene.name);
            }
        }
    }
}
