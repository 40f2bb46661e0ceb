//! Where a service is in its wake.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;

use super::{CHECKING, FirstReady, PastWake, STEPS};
use crate::duration;
use crate::ids::Generation;
use crate::observation::{ServiceState, TaskStage, TaskState};
use crate::readiness::{self, Readiness};

/// Where a service is in its wake, by the task that is furthest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The step that is under way; none: the service is ready.
    step: Option<usize>,
    /// When each step began, and last when the service was first seen ready. None: not yet, or nobody says.
    marks: [Option<Timestamp>; STEPS.len() + 1],
    /// Whether its task was there before the wake.
    was_up: bool,
}

impl Place {
    /// Where a service is in the wake that began at `since`; none if its tasks could not be looked at.
    #[must_use]
    pub fn of(state: &ServiceState, since: Timestamp, first_ready: Option<FirstReady>) -> Option<Self> {
        let Some(task) = leading(state) else {
            let marks = [Some(since), None, None, None, None, None];
            return state.tasks_unknown.is_none().then_some(Self {
                step: Some(0),
                marks,
                was_up: false,
            });
        };
        let times = &task.times;
        let ready = readiness::of_service(state) == Readiness::Ready;
        // While a pull is under way, the agent's connection may be all that is told; once both are, the earlier one counts.
        let provisioned = times.connected.into_iter().chain(times.pull_started).min();
        let told = [times.created, provisioned, times.pull_stopped, times.started];
        // What was there before the wake took none of its time.
        let [created, provisioned, pulled, started] = told.map(|at| at.map(|at| at.max(since)));
        Some(Self {
            step: (!ready).then(|| step_of(task)),
            marks: [
                Some(since),
                created,
                provisioned,
                pulled,
                started,
                first_ready.filter(|_| ready).map(|first| first.at),
            ],
            was_up: times.created.is_some_and(|created| created < since),
        })
    }

    /// Whether the service is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.step.is_none()
    }

    /// Whether it was up, so that this wake has nothing to do with it.
    #[must_use]
    pub fn was_up(&self) -> bool {
        self.was_up && self.is_ready()
    }

    /// The step that is under way.
    #[must_use]
    pub fn step(&self) -> Option<usize> {
        self.step
    }

    /// How long a step took, or takes so far; none if it did not begin, or if that is not known.
    #[must_use]
    pub fn took(&self, step: usize, now: Timestamp) -> Option<Duration> {
        let begin = *self.marks.get(step)?;
        let end = match self.step {
            Some(current) if step > current => None,
            Some(current) if step == current => Some(now),
            _ => *self.marks.get(step + 1)?,
        };
        Some(duration::between(begin?, end?))
    }

    /// The first of the steps that are under way as far as anybody can tell, the last of them, and the time since the first
    /// of them began: where ECS does not tell when a step began, it is one with those before. None: the service is ready.
    pub(super) fn span(&self, now: Timestamp) -> Option<(usize, usize, Duration)> {
        let last = self.step?;
        let known = self.marks.iter().enumerate().take(last + 1);
        let mut begun = known.filter_map(|(step, mark)| Some((step, (*mark)?)));
        let (first, at) = begun.next_back()?;
        Some((first, last, duration::between(at, now)))
    }

    /// What the wake took, now that the service is ready; none if it was up already, or if ECS does not tell all times. A
    /// task that failed on the way makes the first step of the one that took its place a long one, which the median of
    /// several wakes is not moved by.
    #[must_use]
    pub fn past_wake(&self, generation: Generation, watched: bool) -> Option<PastWake> {
        if self.was_up || !self.is_ready() {
            return None;
        }
        let seconds = |step: usize| {
            let (begin, end) = (self.marks[step]?, self.marks[step + 1]?);
            let millis = duration::between(begin, end).as_millis();
            u32::try_from((millis + 500) / 1000).ok()
        };
        // A task that came up after the service was first ready does not tell how long the first one took.
        let in_order = self.marks[CHECKING] <= self.marks[CHECKING + 1];
        let checking = seconds(CHECKING).filter(|_| in_order)?;
        Some(PastWake {
            generation,
            took: [seconds(0)?, seconds(1)?, seconds(2)?, seconds(3)?],
            checking: watched.then_some(checking),
        })
    }
}

/// The task that is furthest: one that answers, else by its stage; of equals the oldest.
fn leading(state: &ServiceState) -> Option<&TaskState> {
    let alive = state
        .tasks
        .iter()
        .filter(|task| task.stage != TaskStage::Stopping);
    alive.max_by_key(|task| {
        let ready = readiness::of_task(task, state) == Readiness::Ready;
        (ready, task.stage, Reverse(task.times.created))
    })
}

/// By what ECS tells of its times, and by its stage: ECS may tell of a pull only when it is over.
fn step_of(task: &TaskState) -> usize {
    let times = &task.times;
    let by_times = match (times.started, times.pull_stopped, times.pull_started) {
        (Some(_), _, _) => 4,
        (None, Some(_), _) => 3,
        (None, None, Some(_)) => 2,
        (None, None, None) => 1,
    };
    let by_stage = match task.stage {
        TaskStage::Provisioning | TaskStage::Stopping => 1,
        TaskStage::Pending => 2,
        TaskStage::Activating => 3,
        TaskStage::Running => 4,
    };
    by_times.max(by_stage)
}
