//! What becomes of a world that is left alone: no faults any more, nobody who asks for anything, and a tick a minute. This
//! is how what must happen in the end is checked, from every world in which no function is in flight.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

use dormouse_core::record::Phase;

use crate::function::Function;
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::model::Small;
use crate::world::{Budget, Place, Session, World};

/// After so many steps on its own a world that is not at rest never will be: more than half an hour of ticks.
const STEPS: u32 = 80;

/// What becomes of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What is broken on the way or in the end.
    broken: Option<Invariant>,
    /// How many ticks it takes until all services have the counts that the last wake asked for; none if it was asleep
    /// that was asked for last.
    ticks: Option<u8>,
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

impl Small {
    /// Leaves a world alone, and says what is broken then.
    pub(crate) fn left_alone(&self, world: &World) -> Option<Invariant> {
        let verdict = self.verdict(&calm(world), STEPS);
        if let Some(ticks) = verdict.ticks {
            self.slowest.fetch_max(ticks, Ordering::Relaxed);
        }
        let late = verdict
            .ticks
            .is_some_and(|ticks| ticks > self.scene.ticks_to_wake);
        verdict.broken.or(late.then_some(Invariant::Wake))
    }

    fn verdict(&self, world: &World, steps: u32) -> Verdict {
        let key = fingerprint(world);
        let known = |verdicts: &std::collections::HashMap<u64, Verdict>| verdicts.get(&key).copied();
        if let Some(verdict) = self.verdicts.lock().ok().as_deref().and_then(known) {
            return verdict;
        }
        let verdict = self.judge(world, steps);
        if let Ok(mut verdicts) = self.verdicts.lock() {
            self.left_alone.fetch_add(1, Ordering::Relaxed);
            verdicts.insert(key, verdict);
        }
        verdict
    }

    fn judge(&self, world: &World, steps: u32) -> Verdict {
        let unrest = self.unrest(world);
        if self.is_left_protected(world) {
            return Verdict {
                broken: Some(Invariant::Rest),
                ticks: None,
            };
        }
        if unrest.is_none() {
            return Verdict {
                broken: self.not_restored(world),
                ticks: world.ghost.awake.then_some(0),
            };
        }
        if steps == 0 {
            return Verdict {
                broken: unrest,
                ticks: None,
            };
        }
        let mut next = world.clone();
        let (ticked, broken) = self.go_on(&mut next);
        if broken.is_some() {
            return Verdict { broken, ticks: None };
        }
        next.forget_versions();
        let verdict = self.verdict(&next, steps - 1);
        Verdict {
            ticks: match self.is_woken(world) {
                true => world.ghost.awake.then_some(0),
                false => verdict.ticks.map(|ticks| ticks.saturating_add(u8::from(ticked))),
            },
            ..verdict
        }
    }

    /// What becomes of a world step by step, in words, until it is at rest or nobody would read on.
    pub(crate) fn tell(&self, world: &World) -> Vec<String> {
        const LINES: u32 = 12;
        let mut world = calm(world);
        let mut lines = Vec::new();
        for _ in 0..LINES {
            let unrest = self.unrest(&world);
            lines.push(format!("{world}; {}", unrest.map_or("at rest", Invariant::name)));
            if unrest.is_none() {
                lines.extend(
                    self.not_restored(&world)
                        .map(|_| "sleep and wake do not restore it".to_owned()),
                );
                break;
            }
            if let Some(broken) = self.go_on(&mut world).1 {
                lines.push(format!("{world}; broken: {broken}"));
                break;
            }
        }
        lines
    }

    /// Takes one step on its own. Says whether a tick came, and what is broken, if something is.
    fn go_on(&self, world: &mut World) -> (bool, Option<Invariant>) {
        for service in &mut world.services {
            service.start_missing();
            for task in service
                .tasks
                .iter_mut()
                .filter(|task| task.session == Session::Begun)
            {
                task.session = Session::Live;
            }
        }
        for n in 0..world.services.len() {
            while let Some(task) = world.services.get(n).and_then(|service| {
                let may_stop = service.may_stop(world.now);
                may_stop.first().copied()
            }) {
                if let Some(broken) = world.stop(n, task) {
                    return (false, Some(broken));
                }
            }
        }
        if let Some(execution) = world.execution.as_ref()
            && let Some(payload) = execution.payload.clone()
        {
            let job = Job::Step(payload);
            world.count_start(&job);
            let (outcome, broken) = Function::run(&self.scene, world, &job);
            if let Some((execution, outcome)) = world.execution.take().zip(outcome) {
                world.execution = execution.answered(world.now, outcome);
            }
            return (false, broken);
        }
        world.pass(world.next_moment(None));
        let ticks = world.now.is_multiple_of(60);
        let mut broken = None;
        // A wake is not to wait until it is the group's turn to be looked at.
        let due = !world.ghost.awake || self.is_woken(world);
        for job in self.scene.ticks.iter().filter(|_| ticks) {
            let job = match job {
                Job::Tick(_) => Job::Tick(due),
                other => other.clone(),
            };
            broken = broken.or(Function::run(&self.scene, world, &job).1);
        }
        (ticks, broken)
    }

    /// Whether a scale-in is over and has left protections behind, which only their expiry ends.
    fn is_left_protected(&self, world: &World) -> bool {
        let mut services = world.record.services.values();
        let claimed = services.any(|service| service.scaling.claim.is_some());
        let mut tasks = world.services.iter().flat_map(|service| &service.tasks);
        let over = world.execution.is_none() && world.plan.is_none() && !claimed;
        over && tasks.any(|task| task.is_protected(world.now))
    }

    /// Whether all services have at least the counts that were asked for.
    fn is_woken(&self, world: &World) -> bool {
        let wanted = self.scene.counts.iter().zip(&world.services);
        let mut enough = wanted.map(|(count, service)| match service.balanced {
            true => service.desired >= world.ghost.floor,
            false => service.desired >= *count,
        });
        enough.all(|enough| enough)
    }

    /// What is missing until the world is at rest.
    fn unrest(&self, world: &World) -> Option<Invariant> {
        let mut tasks = world.services.iter().flat_map(|service| &service.tasks);
        let record = &world.record;
        let claimed = record
            .services
            .values()
            .any(|service| service.scaling.claim.is_some());
        let settled = world
            .services
            .iter()
            .all(|service| service.count() == service.desired);
        let over = world.execution.is_none() && world.plan.is_none() && !claimed && settled;
        if over && tasks.any(|task| task.session != Session::None && task.target != Place::Registered) {
            return Some(Invariant::Sessions);
        }
        if world.ghost.awake && (record.phase != Phase::Awake || !self.is_woken(world)) {
            return Some(Invariant::Wake);
        }
        let mut tasks = world.services.iter().flat_map(|service| &service.tasks);
        let taken = tasks.any(|task| task.target != Place::Registered || task.is_protected(world.now));
        let empty = world.services.iter().all(|service| service.desired == 0);
        let steady = match record.phase {
            Phase::Awake => self.is_woken(world),
            Phase::Asleep => empty,
            Phase::Waking | Phase::FallingAsleep => false,
        };
        if !over || taken || !steady {
            return Some(Invariant::Rest);
        }
        let theirs = world.services.iter().map(|service| &service.bounds);
        let restored = record.phase == Phase::Asleep || theirs.eq(&self.scene.bounds);
        (!restored).then_some(Invariant::Restored)
    }

    /// Puts a world at rest to sleep and wakes it: whether all is as before then.
    fn not_restored(&self, world: &World) -> Option<Invariant> {
        if !self.scene.can_break(Invariant::Restored) {
            return None;
        }
        let mut world = world.clone();
        for (job, phase) in [(Job::Sleep, Phase::Asleep), (Job::Wake(None), Phase::Awake)] {
            let mut broken = Function::run(&self.scene, &mut world, &job).1;
            for _ in 0..8 {
                if broken.is_none() && (world.record.phase != phase || self.unrest(&world).is_some()) {
                    broken = self.go_on(&mut world).1;
                }
            }
            if broken.is_some() {
                return broken;
            }
        }
        let counts = world.services.iter().map(|service| service.desired);
        let bounds = world.services.iter().map(|service| &service.bounds);
        let is_back = counts.eq(self.scene.counts.iter().copied()) && bounds.eq(&self.scene.bounds);
        (!is_back).then_some(Invariant::Restored)
    }
}

/// The same world, in which nothing more happens.
fn calm(world: &World) -> World {
    World {
        budget: Budget::default(),
        high: false,
        ..world.clone()
    }
}
