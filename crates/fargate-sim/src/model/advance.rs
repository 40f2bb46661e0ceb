//! Moving time on.

use super::effects::{Answer, Effect};
use super::service::ServiceKey;
use super::stages::STOPPED_VISIBLE;
use super::target_group::TargetKey;
use super::task::TaskId;
use super::time::Millis;
use super::world::World;

impl World {
    /// Moves time on to `now`, moment by moment, and returns what the outside has to do, in order. Calls made
    /// with a later `now` than the next may be given are harmless: time does not run backwards here.
    pub fn advance(&mut self, now: Millis) -> Vec<Effect> {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            let moment = due.max(self.clock);
            self.clock = moment;
            self.step(moment);
        }
        self.clock = self.clock.max(now);
        std::mem::take(&mut self.effects)
    }

    /// When something happens next without anybody's doing.
    pub fn next_due(&self) -> Option<Millis> {
        let tasks = self.tasks.values().flat_map(|t| {
            let gone = t.stopped_at.map(|at| at + STOPPED_VISIBLE);
            [t.due, t.health.next, t.protected_until, gone]
        });
        let targets = self
            .target_groups
            .values()
            .flat_map(|g| g.targets.values())
            .flat_map(|t| [t.next_probe, t.drained_at]);
        let services = self.services.values().map(|s| s.look_at);
        let taken_out = self.taken_out.iter().map(|(at, _)| Some(*at));
        let jobs = self.jobs.values().map(|j| j.continues_at());
        tasks
            .chain(targets)
            .chain(services)
            .chain(taken_out)
            .chain(jobs)
            .chain(self.rules_settle())
            .chain(self.activities_due())
            .flatten()
            .min()
    }

    /// Takes in what the outside reports.
    pub fn answer(&mut self, now: Millis, answer: Answer) {
        let now = now.max(self.clock);
        match answer {
            Answer::AppStarted { task } => self.app_started(&task, now),
            Answer::AppExited { task, exit } => self.app_exited(&task, exit, now),
            Answer::TargetProbed {
                target_group,
                target,
                outcome,
            } => {
                self.target_probed(&target_group, target, outcome, now);
            }
            Answer::ContainerProbed { task, healthy } => self.container_probed(&task, healthy, now),
            Answer::JobNotInvoked { job, why } => self.job_not_invoked(&job, why),
        }
    }

    /// Everything that is due at `now`.
    fn step(&mut self, now: Millis) {
        let due = |at: Option<Millis>| at.is_some_and(|at| at <= now);
        self.tasks
            .retain(|_, t| !due(t.stopped_at.map(|at| at + STOPPED_VISIBLE)));

        for id in self.task_ids(|t| due(t.due)) {
            self.next_stage(&id, now);
        }
        for id in self.task_ids(|t| due(t.health.next)) {
            self.probe_container(&id);
        }
        for id in self.task_ids(|t| due(t.protected_until)) {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.protected_until = None;
                let service = task.service.clone();
                self.poke(&service, now);
            }
        }
        self.settle_rules(now);
        for (group, key) in self.target_keys(|t| due(t.drained_at)) {
            self.drained(&group, key, now);
        }
        for id in self.task_ids(|t| t.stage == super::Stage::Deactivating) {
            if !self.is_draining(&id) {
                self.terminate(&id, now);
            }
        }
        for (group, key) in self.target_keys(|t| due(t.next_probe)) {
            self.probe_target(&group, key);
        }
        let (back, later) = std::mem::take(&mut self.taken_out)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.taken_out = later;
        for (_, id) in back {
            if self
                .tasks
                .get(&id)
                .is_some_and(|t| t.stage == super::Stage::Running && t.is_alive())
            {
                self.register_task(&id, now);
            }
        }
        self.scale_by_policy(now);
        let looks: Vec<ServiceKey> = self
            .services
            .values()
            .filter(|s| due(s.look_at))
            .map(|s| s.key.clone())
            .collect();
        for key in looks {
            self.reconcile(&key, now);
        }
        self.continue_jobs(now);
    }

    /// Ids of the tasks that `wanted` names, oldest first, so that the order of effects is that of creation.
    fn task_ids(&self, wanted: impl Fn(&super::Task) -> bool) -> Vec<TaskId> {
        let mut found: Vec<_> = self.tasks.values().filter(|t| wanted(t)).collect();
        found.sort_by_key(|t| t.number);
        found.into_iter().map(|t| t.id.clone()).collect()
    }

    fn target_keys(&self, wanted: impl Fn(&super::Target) -> bool) -> Vec<(String, TargetKey)> {
        let groups = self.target_groups.values();
        let targets = groups.flat_map(|g| g.targets.iter().map(move |(key, target)| (&g.arn, key, target)));
        targets
            .filter(|(_, _, t)| wanted(t))
            .map(|(arn, key, _)| (arn.clone(), *key))
            .collect()
    }
}
