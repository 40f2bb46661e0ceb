//! What is really so, whatever functions believe: who has sessions where, and what apps protect.

use std::collections::{BTreeMap, BTreeSet};

use dormouse_core::sessions::Message;
use fargate_sim::model::{Load, Millis, Stage, Target, TargetState};
use serde_json::json;

use super::checks::{alive, targets};
use super::{Account, web};

#[derive(Default)]
pub(crate) struct Truth {
    /// Live sessions by task.
    pub(super) sessions: BTreeMap<String, BTreeSet<String>>,
    /// How many sessions there ever were.
    pub(super) begun: u64,
    /// What apps protect, until when.
    pub(super) protected: BTreeMap<String, Millis>,
    /// Tasks whose end was seen.
    pub(super) ended: BTreeSet<String>,
    /// Whether somebody wants the tasks gone, sessions or not.
    pub(super) cuts_allowed: bool,
}

impl Account {
    /// A session begins on a task, if the task can be reached, and its app says so. While a target drains, somebody
    /// who is connected may begin one more. Without a load balancer nothing keeps clients from a task that is about to
    /// go: what begins between the last look and the end is not ours to save.
    pub(crate) fn begin_session(&self, id: &str) -> bool {
        let (arn, connections) = {
            let clock = self.clock.borrow();
            let Some(task) = alive(&clock.world).into_iter().find(|task| task.id.0 == id) else {
                return false;
            };
            let open = |target: &Option<&Target>| {
                target.is_some_and(|t| matches!(t.state, TargetState::Healthy | TargetState::Draining))
            };
            let is_going = task.load_balancers.is_empty() && self.is_going(id);
            if task.stage != Stage::Running || is_going || !targets(&clock.world, task).iter().all(open) {
                return false;
            }
            (task.arn.clone(), task.load.connections + 1)
        };
        let session = {
            let mut truth = self.truth.borrow_mut();
            truth.begun += 1;
            let session = format!("s{}", truth.begun);
            truth
                .sessions
                .entry(id.to_owned())
                .or_default()
                .insert(session.clone());
            session
        };
        self.note(&format!("-- session on {}", short(id)));
        self.report(&arn, &session, "started");
        self.work(id, connections);
        true
    }

    fn is_going(&self, id: &str) -> bool {
        let is_victim = self
            .table
            .borrow()
            .plan(&web())
            .is_some_and(|plan| plan.victims.contains_key(id));
        let claim = self.scaling().claim;
        is_victim && (self.is_in("lower") || claim.is_some_and(|claim| claim.lowering.is_some()))
    }

    /// All sessions of a task end.
    pub(crate) fn end_sessions(&self, id: &str) {
        let ended = self.truth.borrow_mut().sessions.remove(id).unwrap_or_default();
        self.note(&format!("-- no sessions on {} any more", short(id)));
        let arn = format!("arn:aws:ecs:us-east-1:000000000000:task/dev/{id}");
        for session in ended {
            self.report(&arn, &session, "ended");
        }
        self.work(id, 0);
    }

    fn report(&self, arn: &str, session: &str, event: &str) {
        let at = self.at().0;
        let message = json!({"task_arn": arn, "session_id": session, "event": event, "at": at});
        let message = Message::parse(&message).expect("a message");
        let mut table = self.table.borrow_mut();
        let stored = table.rows.entry(message.task.clone()).or_default();
        stored.row.apply(&message);
        stored.version += 1;
    }

    /// The busiest task is the one that the model's scale-in likes best.
    fn work(&self, id: &str, connections: u64) {
        let mut clock = self.clock.borrow_mut();
        let load = Load {
            connections,
            ..Load::default()
        };
        clock
            .world
            .report_load(&fargate_sim::model::TaskId(id.to_owned()), load);
    }

    /// A task's app protects it itself, or with 0 minutes takes its protection away.
    pub(crate) fn app_protects(&self, id: &str, minutes: i64) {
        self.note(&format!(
            "-- the app protects {} for {minutes} minutes",
            short(id)
        ));
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        let minutes = (minutes > 0).then_some(minutes);
        let task = [id.to_owned()];
        let done = clock
            .world
            .update_task_protection(now, "dev", &task, minutes.is_some(), minutes);
        let (done, _) = done.expect("UpdateTaskProtection");
        if let Some(state) = done.first() {
            let until = state.until.unwrap_or_default();
            self.truth.borrow_mut().protected.insert(id.to_owned(), until);
        }
    }

    /// A task's app takes its own protection away, if it has one.
    pub(crate) fn app_lets_go(&self, id: &str) {
        if self.truth.borrow().protected.contains_key(id) {
            self.app_protects(id, 0);
        }
    }

    /// From now on tasks may go with their sessions: somebody wants it so.
    pub(crate) fn allow_cuts(&self) {
        self.truth.borrow_mut().cuts_allowed = true;
    }

    /// The tasks that run or are on their way in, oldest first.
    pub(crate) fn alive(&self) -> Vec<String> {
        alive(&self.clock.borrow().world)
            .iter()
            .map(|task| task.id.0.clone())
            .collect()
    }

    /// How many tasks were ever started.
    pub(crate) fn ever_started(&self) -> u64 {
        self.clock
            .borrow()
            .world
            .tasks()
            .iter()
            .map(|task| task.number)
            .max()
            .unwrap_or_default()
    }

    /// Those of these tasks that are not protected from scale-in.
    pub(crate) fn unprotected(&self, ids: &[String]) -> Vec<String> {
        let clock = self.clock.borrow();
        let open = alive(&clock.world)
            .into_iter()
            .filter(|task| !task.is_protected(clock.now));
        open.map(|task| task.id.0.clone())
            .filter(|id| ids.contains(id))
            .collect()
    }

    /// Whether a task takes connections through all its target groups.
    pub(crate) fn is_registered(&self, id: &str) -> bool {
        let clock = self.clock.borrow();
        let task = alive(&clock.world).into_iter().find(|task| task.id.0 == id);
        let open = |target: &Option<&Target>| target.is_some_and(|t| t.state != TargetState::Draining);
        task.is_some_and(|task| targets(&clock.world, task).iter().all(open))
    }

    pub(crate) fn with_sessions(&self) -> Vec<String> {
        self.truth.borrow().sessions.keys().cloned().collect()
    }
}

/// The beginning of an id, for people.
pub(crate) fn short(id: &str) -> &str {
    id.get(..6).unwrap_or(id)
}
