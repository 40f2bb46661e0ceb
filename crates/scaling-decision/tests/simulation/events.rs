//! What can happen in the middle of a scale-in.

use dormouse_core::intent::{Action, Cause};
use fargate_sim::model::{Answer, AppExit, TargetKey, TaskId};

use crate::account::{Account, short, web};
use crate::sim::minutes;

impl Account {
    /// The tasks that are to go; before they are chosen, those that could be.
    pub(crate) fn victims(&self) -> Vec<String> {
        let in_use = self.with_sessions();
        match self.table.borrow().plan(&web()) {
            Some(plan) => plan.victims.into_keys().collect(),
            None => self
                .alive()
                .into_iter()
                .filter(|id| !in_use.contains(id))
                .collect(),
        }
    }

    /// The tasks that are to stay.
    pub(crate) fn others(&self) -> Vec<String> {
        let victims = self.victims();
        self.alive()
            .into_iter()
            .filter(|id| !victims.contains(id))
            .collect()
    }

    /// A task's app exits.
    pub(crate) fn crash(&self, id: &str) {
        self.note(&format!("-- {} crashes", short(id)));
        let mut clock = self.clock.borrow_mut();
        let (now, task) = (clock.now, TaskId(id.to_owned()));
        clock.world.answer(
            now,
            Answer::AppExited {
                task,
                exit: AppExit::Code(1),
            },
        );
    }

    /// The owner deploys anew.
    pub(crate) fn deploy(&self) {
        self.note("-- a deployment");
        self.update(|input| input.force_new_deployment = true);
    }

    /// Somebody registers a task's targets.
    pub(crate) fn put_back(&self, id: &str) {
        self.note(&format!("-- somebody registers {}", short(id)));
        let plan = self.table.borrow().plan(&web());
        let targets = plan
            .and_then(|plan| plan.victims.get(id).cloned())
            .unwrap_or_default();
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        for target in targets {
            let address = target.name.id.parse().expect("an address");
            let key = TargetKey {
                address,
                port: target.name.port,
            };
            let done = clock.world.register_targets(now, &target.group, &[key]);
            done.expect("RegisterTargets");
        }
    }

    /// Somebody sets the desired count by hand.
    pub(crate) fn set_by_hand(&self, count: u32) {
        self.note(&format!("-- somebody sets {count}"));
        self.update(|input| input.desired_count = Some(count.into()));
    }

    /// The protections of these tasks are over, whosever they were.
    pub(crate) fn expire(&self, ids: &[String]) {
        self.note("-- protections expire");
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        for id in ids {
            let done = clock
                .world
                .update_task_protection(now, "dev", std::slice::from_ref(id), false, None);
            done.expect("UpdateTaskProtection");
        }
    }

    /// The CPU was busy for a minute, just now, and a tick sees it.
    pub(crate) fn busy_tick(&self) {
        let now = self.at();
        self.cpu.borrow_mut().push((now - minutes(2), 90.0));
        self.tick();
        self.cpu.borrow_mut().push((now, 50.0));
    }

    /// Somebody puts the group to sleep.
    pub(crate) fn sleep(&self) {
        self.allow_cuts();
        let _ = self.intent(Action::Sleep, Cause::Direct);
    }
}
