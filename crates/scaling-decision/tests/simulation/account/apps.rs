//! What the tasks' apps do: the connections that they share, and how they answer for them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use fargate_sim::model::{Load, Millis, Stage, Target, TargetState, Task, TaskId, World};

use super::checks::{alive, targets};
use super::{Account, short};

#[derive(Default)]
pub(crate) struct Apps {
    /// Connections of the whole service; none: a task has those that a test gives it.
    load: Cell<Option<u64>>,
    /// How long an app takes to answer; none: as long as everybody.
    pub(crate) latency: Cell<Option<Duration>>,
    /// From RUNNING until a task answers. Until then it has no connections either.
    pub(crate) warm_up: Cell<Duration>,
    /// Tasks that do not answer, though they work.
    silent: RefCell<BTreeSet<String>>,
}

impl Account {
    /// The service's connections from now on. Its tasks share them evenly, whichever they are.
    pub(crate) fn set_load(&self, connections: u64) {
        self.note(&format!("-- {connections} connections"));
        self.apps.load.set(Some(connections));
        self.spread_load();
    }

    /// Gives each task that can be reached its share of the connections.
    pub(super) fn spread_load(&self) {
        let Some(load) = self.apps.load.get() else { return };
        let mut clock = self.clock.borrow_mut();
        let (tasks, now) = (alive(&clock.world), clock.now);
        let serves = |task: &&Task| self.is_up(task, now) && !is_leaving(&clock.world, task);
        let (serving, others): (Vec<&Task>, Vec<&Task>) = tasks.into_iter().partition(serves);
        let n = serving.len() as u64;
        let share = |i: u64| load / n + u64::from(i < load % n);
        let shares = serving
            .iter()
            .zip(0..)
            .map(|(task, i)| (task.id.clone(), share(i)));
        let shares: Vec<(TaskId, u64)> = shares
            .chain(others.iter().map(|task| (task.id.clone(), 0)))
            .collect();
        for (id, connections) in shares {
            let load = Load {
                connections,
                ..Load::default()
            };
            clock.world.report_load(&id, load);
        }
    }

    /// Whether a task's app has come up.
    fn is_up(&self, task: &Task, now: Millis) -> bool {
        let since = task.started_at.filter(|_| task.stage == Stage::Running);
        since.is_some_and(|since| now >= since + self.apps.warm_up.get())
    }

    /// What a task's app says about its connections; none: nothing.
    pub(super) fn app_says(&self, id: &str) -> Option<u64> {
        let clock = self.clock.borrow();
        let task = alive(&clock.world).into_iter().find(|task| task.id.0 == id)?;
        let silent = self.apps.silent.borrow().contains(id);
        (self.is_up(task, clock.now) && !silent).then_some(task.load.connections)
    }

    /// From now on a task says nothing, or speaks again.
    pub(crate) fn silence(&self, id: &str, is_silent: bool) {
        self.note(&format!("-- {} is silent: {is_silent}", short(id)));
        let mut silent = self.apps.silent.borrow_mut();
        if is_silent {
            silent.insert(id.to_owned());
        } else {
            silent.remove(id);
        }
    }
}

/// Whether a task was taken out of its target groups.
fn is_leaving(world: &World, task: &Task) -> bool {
    let out = |target: &Option<&Target>| target.is_none_or(|t| t.state == TargetState::Draining);
    targets(world, task).iter().any(out)
}
