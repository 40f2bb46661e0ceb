//! A world under a clock that runs as fast as it can, for simulation tests.

use std::time::Duration;

use super::effects::{Answer, AppExit, Effect, ProbeOutcome};
use super::time::Millis;
use super::world::World;

/// A world, its present moment, and something that answers its effects.
pub struct VirtualClock<F> {
    /// The world.
    pub world: World,
    /// The present moment.
    pub now: Millis,
    outside: F,
    /// Every effect so far.
    pub log: Vec<(Millis, Effect)>,
}

impl VirtualClock<fn(&World, &Effect) -> Option<Answer>> {
    /// Apps that start, answer 200 at once and stop when asked; those with the command `crash` exit 1.
    pub fn well_behaved(world: World, now: Millis) -> Self {
        VirtualClock::new(world, now, well_behaved)
    }

    /// The answers of [`VirtualClock::well_behaved`], to build an outside on.
    pub fn well_behaved_answers() -> fn(&World, &Effect) -> Option<Answer> {
        well_behaved
    }
}

impl<F: FnMut(&World, &Effect) -> Option<Answer>> VirtualClock<F> {
    /// `outside` answers effects; what it answers is taken in at the same moment.
    pub fn new(world: World, now: Millis, outside: F) -> Self {
        VirtualClock {
            world,
            now,
            outside,
            log: Vec::new(),
        }
    }

    /// Lets `length` go by, moment by moment, with every effect answered before the next moment.
    pub fn run(&mut self, length: Duration) {
        let end = self.now + length;
        loop {
            self.now = self.world.next_due().map_or(end, |due| due.clamp(self.now, end));
            let effects = self.world.advance(self.now);
            for effect in effects {
                if let Some(answer) = (self.outside)(&self.world, &effect) {
                    self.world.answer(self.now, answer);
                }
                self.log.push((self.now, effect));
            }
            if self.now >= end && self.world.next_due().is_none_or(|due| due > end) {
                return;
            }
        }
    }

    /// Runs until `done`, at most `limit`; how long it took, or `None`.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&World) -> bool) -> Option<Duration> {
        let start = self.now;
        while !done(&self.world) {
            if self.now.since(start) >= limit {
                return None;
            }
            self.run(Duration::from_millis(100));
        }
        Some(self.now.since(start))
    }
}

/// The outside of [`VirtualClock::well_behaved`].
fn well_behaved(world: &World, effect: &Effect) -> Option<Answer> {
    match effect {
        Effect::StartApp { task, command, .. } if command.first().is_some_and(|c| c == "crash") => {
            Some(Answer::AppExited {
                task: task.clone(),
                exit: AppExit::Code(1),
            })
        }
        Effect::StartApp { task, .. } => Some(Answer::AppStarted { task: task.clone() }),
        Effect::StopApp { task, .. } => Some(Answer::AppExited {
            task: task.clone(),
            exit: AppExit::Code(0),
        }),
        Effect::ProbeTarget {
            target_group, target, ..
        } => {
            let runs = world.interfaces().any(|(_, i)| i.private == target.address);
            let outcome = if runs {
                ProbeOutcome::Status(200)
            } else {
                ProbeOutcome::Failed
            };
            Some(Answer::TargetProbed {
                target_group: target_group.clone(),
                target: *target,
                outcome,
            })
        }
        Effect::ProbeContainer { task, .. } => Some(Answer::ContainerProbed {
            task: task.clone(),
            healthy: true,
        }),
        Effect::TaskStateChanged { .. } | Effect::InvokeJob { .. } => None,
    }
}
