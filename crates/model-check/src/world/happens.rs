//! What may happen in the world besides calls.

use dormouse_core::ids::Generation;
use dormouse_core::record::{Phase, Record};
use dormouse_core::scale_in::plan::Plan;

use super::{Place, Session, World};
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::kept::Kept;
use crate::model::Action;

impl World {
    /// The next moment at which something is due: a tick, a moment between two, or a state of the execution.
    #[must_use]
    pub fn next_moment(&self, between: Option<u32>) -> u32 {
        let minute = self.now / 60 * 60;
        let tick = minute + 60;
        let between = between.map(|seconds| minute + seconds);
        let due = self.execution.as_ref().map(|execution| execution.due());
        let others = [between, due].into_iter().flatten();
        others.filter(|at| *at > self.now).fold(tick, u32::min)
    }

    /// Whether the state machine is about to call the function, or waits for its answer.
    #[must_use]
    pub fn calls_for_step(&self) -> bool {
        let execution = self.execution.as_ref();
        execution.is_some_and(|execution| execution.payload.is_some() && !execution.calling)
    }

    /// Whether a session was not reported yet.
    #[must_use]
    pub fn has_unreported(&self) -> bool {
        let mut tasks = self.services.iter().flat_map(|service| &service.tasks);
        tasks.any(|task| task.session == Session::Begun)
    }

    /// The functions that may start now.
    #[must_use]
    pub fn may_start(&self) -> Vec<Job> {
        let budget = &self.budget;
        let mut jobs = Vec::new();
        let mut may = |left: u8, job: Job| jobs.extend((left > 0).then_some(job));
        may(budget.wakes, Job::Wake(None));
        may(budget.wakes_to.0, Job::Wake(Some(budget.wakes_to.1)));
        may(budget.sleeps, Job::Sleep);
        may(budget.looks, Job::Look);
        let generation = self.record.generation.0;
        may(budget.timers, Job::Timer(generation));
        may(budget.timers, Job::Timer(generation.saturating_sub(1)));
        let payload = self.execution.as_ref().filter(|_| self.calls_for_step());
        jobs.extend(payload.and_then(|e| e.payload.clone()).map(Job::Step));
        jobs
    }

    /// Writes down that a function started.
    pub fn count_start(&mut self, job: &Job) {
        match job {
            Job::Wake(None) => self.budget.wakes -= 1,
            Job::Wake(Some(_)) => self.budget.wakes_to.0 -= 1,
            Job::Sleep => self.budget.sleeps -= 1,
            Job::Look => self.budget.looks -= 1,
            Job::Timer(_) => self.budget.timers -= 1,
            Job::Step(_) => {
                if let Some(execution) = &mut self.execution {
                    execution.calling = true;
                }
            }
            Job::Tick(_) | Job::ScalingTick => {}
        }
    }

    /// What ECS, Application Auto Scaling, people and faults may do now.
    pub fn may_happen(&self, actions: &mut Vec<Action>) {
        for (n, service) in self.services.iter().enumerate() {
            if service.count() < service.desired {
                actions.push(Action::StartTasks(n));
            }
            let may_stop = service.may_stop(self.now);
            // Where nobody can tell tasks apart, one way is as good as another.
            let ways = if service.balanced { may_stop.len() } else { 1 };
            actions.extend(
                may_stop
                    .into_iter()
                    .take(ways)
                    .map(|task| Action::StopTask(n, task)),
            );
            if let Some(bounds) = service.bounds.as_ref().filter(|bounds| !bounds.is_held()) {
                let count = service.desired.clamp(bounds.min, bounds.max);
                if count != service.desired {
                    actions.push(Action::Scale(n, count));
                }
            }
            for task in service.tasks.iter().filter(|_| service.balanced) {
                // A target that drains still serves those who are connected.
                let reachable = task.target != Place::Out;
                match task.session {
                    Session::None if reachable && self.budget.begins > 0 => {
                        actions.push(Action::Begin(task.number));
                    }
                    Session::None => {}
                    Session::Begun => actions.push(Action::Report(task.number)),
                    Session::Live if self.budget.ends > 0 => actions.push(Action::End(task.number)),
                    Session::Live => {}
                }
            }
        }
        if self.budget.bursts > 0 {
            actions.push(Action::Burst);
        }
        let idle = self
            .execution
            .as_ref()
            .is_some_and(|execution| !execution.calling);
        if self.budget.lost > 0 && idle {
            actions.push(Action::Lose);
        }
    }

    /// ECS stops a task, because fewer are desired than run.
    pub fn stop(&mut self, service: usize, task: u8) -> Option<Invariant> {
        let service = self.services.get_mut(service)?;
        let used = service
            .task(task)
            .is_some_and(|task| task.session != Session::None);
        service.tasks.retain(|other| other.number != task);
        // Whoever puts the group to sleep, or asks for fewer tasks, means those that are in use too.
        let sleeps = matches!(self.record.phase, Phase::FallingAsleep | Phase::Asleep);
        (used && !sleeps).then_some(Invariant::Sessions)
    }

    /// Somebody uses a task, or no longer.
    pub fn use_task(&mut self, number: u8, session: Session) {
        let tasks = self.services.iter_mut().flat_map(|service| &mut service.tasks);
        for task in tasks.filter(|task| task.number == number) {
            task.session = session;
        }
    }

    /// Versions and generations only tell who came later. Once no function is in flight, nobody can tell how many there
    /// were.
    pub fn forget_versions(&mut self) {
        const ANY: u64 = 2;
        if (self.record.version, self.record.generation.0) != (ANY, ANY) {
            self.record = Kept::new(Record {
                version: ANY,
                generation: Generation(ANY),
                ..Record::clone(&self.record)
            });
        }
        if let Some(plan) = self.plan.as_ref().filter(|plan| plan.version != ANY) {
            self.plan = Some(Kept::new(Plan {
                version: ANY,
                ..Plan::clone(plan)
            }));
        }
    }
}
