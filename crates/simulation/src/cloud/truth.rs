//! What is really so, whatever functions believe: who uses what, and what owners want.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use dormouse_core::front::{DoorId, Forward};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::scale_in::{REPORTS, plan::Plan};
use dormouse_core::sessions::{Row, SessionId, TaskKey};
use fargate_sim::model::{Millis, Route, Stage, TargetState, Task, World};

use super::{CLUSTER, Cloud, service_id};
use crate::script::Script;

/// From the last look of a step to the end of what follows from it: a step takes 50 s at most, and a call that nobody
/// waits for any more lands within 15 s.
const A_STEP: Duration = Duration::from_secs(70);
/// For so long after somebody meddled, what happens to a service may be their doing.
const MEDDLED: Duration = Duration::from_secs(600);

/// A sleep that was so short may still be what stops a task.
const TAKEN: Duration = Duration::from_secs(60);

/// Use of a service, as a signal shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// When it was.
    pub(crate) at: Millis,
    /// From when on the signal can show it.
    pub(crate) visible: Millis,
}

/// A live session.
#[derive(Clone, Copy, Debug)]
struct Session {
    began: Millis,
    /// From when on the table knows of it.
    known: Option<Millis>,
}

#[derive(Default)]
pub(crate) struct Truth {
    /// Live sessions by task, under the ids that are reported.
    sessions: BTreeMap<String, BTreeMap<String, Session>>,
    /// Tasks that have connections, since when.
    connected: BTreeMap<String, Millis>,
    /// Tasks that their app protects: from when until when.
    protected: BTreeMap<String, (Millis, Millis)>,
    /// Use that lines of logs and minutes of metrics show.
    uses: BTreeMap<(ServiceId, &'static str), Vec<Use>>,
    /// Tasks whose end was seen.
    ended: BTreeSet<String>,
    /// When somebody last did something to a service that Dormouse can only watch.
    pub(super) meddled: BTreeMap<ServiceId, Millis>,
    /// Visitors who have come and not left.
    pub(crate) visitors: u32,
    /// What apps have reported of each task's sessions, all of it.
    pub(crate) reported: BTreeMap<TaskKey, Row>,
    /// Doors as their owners made them.
    pub(crate) doors: BTreeMap<DoorId, Forward>,
    /// When a service last answered, by its name.
    ready_at: BTreeMap<String, Millis>,
    /// Services that somebody set to 0 behind our back, which is their wish, and their address is theirs to answer.
    pub(super) switched_off: BTreeSet<ServiceId>,
    /// Groups whose wake was answered, since when.
    pub(super) promised: BTreeMap<GroupName, Millis>,
    /// When somebody last asked that a group sleeps.
    pub(super) sleep_called: BTreeMap<GroupName, Millis>,
    /// When those ticks began that nothing disturbed.
    pub(super) good_ticks: Vec<Millis>,
    /// When a count was last set.
    pub(super) counts_since: BTreeMap<ServiceId, Millis>,
    /// When a sleep last took all tasks.
    pub(super) emptied: BTreeMap<ServiceId, Millis>,
    /// What the last sleep took: from what was decided to what ran.
    pub(super) took: BTreeMap<ServiceId, RangeInclusive<u32>>,
    /// CPU utilization in percent, from each of these moments on.
    pub(crate) cpu: BTreeMap<ServiceId, Vec<(Millis, f64)>>,
    /// Pipeline jobs that were invoked and not yet told about.
    pub(crate) jobs: BTreeSet<String>,
    /// What each job was given.
    pub(crate) job_parameters: BTreeMap<String, String>,
    /// Whether Application Auto Scaling may scale, as its owner wants it.
    pub(crate) bounds: BTreeMap<ServiceId, dormouse_core::scalable::Bounds>,
}

impl Truth {
    pub(super) fn of(script: &Script, world: &World) -> Self {
        let ours = script.services.iter().filter(|scene| scene.scalable);
        let bounds = ours.filter_map(|scene| {
            let id = service_id(&scene.name);
            let target = world.scalable_target(&super::ecs::key(&id))?;
            let bounds = dormouse_core::scalable::Bounds {
                min: target.min,
                max: target.max,
                suspended: Default::default(),
            };
            Some((id, bounds))
        });
        Self {
            bounds: bounds.collect(),
            ..Self::default()
        }
    }

    /// A task answers now.
    fn answers(&mut self, world: &World, task: &Task, now: Millis) {
        let name = &task.service.name;
        match self.ready_at.get_mut(name) {
            Some(at) => *at = now,
            None => drop(self.ready_at.insert(name.clone(), now)),
        }
        // Whoever switched it off may still be stopping it.
        let is_wanted = || {
            world
                .service(CLUSTER, name)
                .is_some_and(|service| service.desired_count > 0)
        };
        if !self.switched_off.is_empty() && is_wanted() {
            self.switched_off.remove(&service_id(name));
        }
    }

    /// A signal can show use from some moment on.
    pub(crate) fn used(&mut self, service: &ServiceId, signal: &'static str, shown: Use) {
        self.uses
            .entry((service.clone(), signal))
            .or_default()
            .push(shown);
    }

    /// When a signal shows use, of what can be seen at a moment.
    pub(crate) fn uses(&self, service: &ServiceId, signal: &'static str, seen: Millis) -> Vec<Millis> {
        let uses = self.uses.get(&(service.clone(), signal)).into_iter().flatten();
        uses.filter(|shown| shown.visible <= seen)
            .map(|shown| shown.at)
            .collect()
    }

    pub(crate) fn begin_session(&mut self, task: &str, session: &str, now: Millis) {
        let began = Session {
            began: now,
            known: None,
        };
        let sessions = self.sessions.entry(task.to_owned()).or_default();
        sessions.insert(session.to_owned(), began);
    }

    /// Ends a session, if it has not ended with its task.
    pub(crate) fn end_session(&mut self, task: &str, session: &str) -> bool {
        let sessions = self.sessions.get_mut(task);
        sessions.is_some_and(|sessions| sessions.remove(session).is_some())
    }

    /// Somebody connects to a task, or is the last to leave.
    pub(crate) fn connect(&mut self, task: &str, connected: bool, now: Millis) {
        if connected {
            self.connected.entry(task.to_owned()).or_insert(now);
        } else {
            self.connected.remove(task);
        }
    }

    pub(crate) fn app_protects(&mut self, task: &str, from: Millis, until: Millis) {
        self.protected.insert(task.to_owned(), (from, until));
    }

    /// The CPU utilization of a service at a moment, percent.
    pub(crate) fn cpu(&self, service: &ServiceId, at: Millis) -> f64 {
        let set = self.cpu.get(service).into_iter().flatten();
        set.filter(|(from, _)| *from < at)
            .map(|(_, percent)| *percent)
            .next_back()
            .unwrap_or(20.0)
    }

    /// Until when an app protects its task.
    pub(crate) fn protected_until(&self, task: &str, now: Millis) -> Option<Millis> {
        let until = self.protected.get(task).map(|(_, until)| *until);
        until.filter(|until| *until > now)
    }
}

impl Cloud {
    pub(super) fn remember_doors(&self) {
        let doors = self.doors().into_iter();
        self.truth.borrow_mut().doors = doors.map(|(id, door)| (id, door.forward)).collect();
    }

    /// Somebody does something to a service that Dormouse can only watch.
    pub(crate) fn meddle(&self, service: &ServiceId) {
        let now = self.now();
        self.truth.borrow_mut().meddled.insert(service.clone(), now);
    }

    /// Whether what happens to a service now may be somebody else's doing.
    pub(crate) fn is_meddled(&self, service: &ServiceId) -> bool {
        let truth = self.truth.borrow();
        truth
            .meddled
            .get(service)
            .is_some_and(|at| self.age(*at) < MEDDLED)
    }

    /// Somebody sets a count behind our back.
    pub(crate) fn set_by_hand(&self, service: &ServiceId, count: u32) {
        self.meddle(service);
        let mut truth = self.truth.borrow_mut();
        if count == 0 {
            truth.switched_off.insert(service.clone());
        } else {
            truth.switched_off.remove(service);
            // This is what its owner wants now.
            truth.took.remove(service);
        }
        drop(truth);
        let _ = self.update(service, |input| input.desired_count = Some(count.into()));
    }

    /// Whether somebody else sees to it that a service does not answer.
    pub(crate) fn is_switched_off(&self, service: &ServiceId) -> bool {
        self.truth.borrow().switched_off.contains(service)
    }

    /// When a service last answered.
    pub(crate) fn ready_at(&self, service: &ServiceId) -> Option<Millis> {
        self.truth.borrow().ready_at.get(&service.name).copied()
    }

    /// Looks for what must never be, and remembers what answers.
    pub(crate) fn watch(&self) {
        let mut cut = Vec::new();
        {
            let model = self.model.borrow();
            let mut truth = self.truth.borrow_mut();
            let now = model.now;
            // Nearly every moment passes here: names are made only of what is new.
            for task in model.world.tasks() {
                if task.is_alive() {
                    if task.stage == Stage::Running && super::elb::is_healthy(&model.world, task) {
                        truth.answers(&model.world, task, now);
                    }
                } else if !truth.ended.contains(&task.id.0) {
                    truth.ended.insert(task.id.0.clone());
                    truth.connected.remove(&task.id.0);
                    let sessions = truth.sessions.remove(&task.id.0).unwrap_or_default();
                    let primary = model.world.service(CLUSTER, &task.service.name);
                    let is_replaced = primary.is_some_and(|service| service.primary().id != task.deployment);
                    let lowered = primary.is_some_and(|service| service.desired_count > 0);
                    let by_ecs = task.stop_code == Some("ServiceSchedulerInitiated");
                    if by_ecs && lowered && !is_replaced {
                        cut.push((service_id(&task.service.name), task.clone(), sessions));
                    }
                }
            }
        }
        for (service, task, sessions) in cut {
            self.scaled_in(&service, &task, sessions.values());
        }
        self.learn_sessions();
    }

    /// A scale-in has taken a task.
    fn scaled_in<'a>(&self, service: &ServiceId, task: &Task, sessions: impl Iterator<Item = &'a Session>) {
        let end = task.stopping_at.unwrap_or(self.now());
        self.note(format!("-- {service} loses task {}", short(&task.id.0)));
        // What a sleep has just taken, a wake that comes right then gives back only as far as ECS had not begun.
        let emptied = self.truth.borrow().emptied.get(service).copied();
        if self.is_meddled(service) || emptied.is_some_and(|at| end.since(at) < TAKEN) {
            return;
        }
        let balanced = !task.load_balancers.is_empty();
        for session in sessions {
            let told_in_time = session
                .known
                .is_some_and(|known| balanced && known.since(session.began) <= REPORTS);
            let known_for_long = session.known.is_some_and(|known| known + A_STEP <= end);
            self.check(1, !told_in_time && !known_for_long, || {
                format!("task {} of {service} was stopped with a live session", task.id)
            });
        }
    }

    /// Somebody sets the protection of tasks, as it should be by what they have read, if anything. ECS has no condition for
    /// that: what an app has set since is gone, and nobody can know of it.
    pub(crate) fn overwrites_protections(&self, tasks: &[String], read_at: Option<Millis>) {
        let is_lost = |from: Millis| read_at.is_some_and(|read_at| from >= read_at);
        let mut truth = self.truth.borrow_mut();
        let protected = &mut truth.protected;
        protected.retain(|task, (from, _)| !(tasks.contains(task) && is_lost(*from)));
    }

    /// Which sessions the table knows by now.
    fn learn_sessions(&self) {
        let now = self.now();
        let table = self.table.borrow();
        for (task, sessions) in &mut self.truth.borrow_mut().sessions {
            let unknown = sessions.values().any(|session| session.known.is_none());
            let row = TaskKey::parse(&format!("{CLUSTER}/{task}"))
                .ok()
                .filter(|_| unknown)
                .and_then(|key| table.rows.get(&key));
            let Some(row) = row else { continue };
            for (id, session) in sessions {
                let is_known = SessionId::parse(id).is_some_and(|id| row.row.sessions.contains_key(&id));
                if is_known {
                    session.known.get_or_insert(now);
                }
            }
        }
    }

    /// Whoever lowers a count that stays above 0 must have protected all tasks that are in use.
    pub(crate) fn check_before_lowering(&self, service: &ServiceId) {
        let now = self.now();
        let truth = self.truth.borrow();
        for task in self.alive(service) {
            let mut sessions = truth.sessions.get(&task.id.0).into_iter().flatten();
            let in_use =
                sessions.any(|(_, session)| session.known.is_some_and(|known| known + A_STEP <= now));
            self.check(1, !in_use || task.is_protected(now), || {
                format!(
                    "task {} of {service} has a session and no protection while the count falls",
                    task.id
                )
            });
        }
    }

    /// What shows that a service is in use, since before a moment: nobody may find it idle.
    pub(crate) fn in_use_since(
        &self,
        service: &ServiceId,
        before: Millis,
        idle_after: Duration,
    ) -> Option<String> {
        // What somebody has switched off nobody can be using, whatever its metrics show of before.
        let scene = self
            .scene_of(service)
            .filter(|_| !self.is_switched_off(service))?;
        let (now, truth) = (self.now(), self.truth.borrow());
        for signal in ["requests", "logs"] {
            // Metrics tell whole minutes, and clocks differ.
            let slack = Duration::from_secs(65);
            let recent = |at: &Millis| *at + idle_after > now + slack;
            let uses = truth.uses(service, signal, before);
            if let Some(at) = uses.into_iter().find(recent).filter(|_| scene.listens_to(signal)) {
                return Some(format!("{signal} showed use {:?} ago", now.since(at)));
            }
        }
        self.alive(service).into_iter().find_map(|task| {
            let id = &task.id.0;
            let mut sessions = truth.sessions.get(id).into_iter().flatten();
            let known = |since: Option<Millis>| since.is_some_and(|since| since < before);
            if scene.listens_to("sessions") && sessions.any(|(_, session)| known(session.known)) {
                return Some(format!("task {} has a session", short(id)));
            }
            if scene.listens_to("connections") && known(truth.connected.get(id).copied()) {
                return Some(format!("task {} has connections", short(id)));
            }
            let app = truth.protected.get(id).filter(|(_, until)| *until > now);
            if scene.listens_to("protection") && known(app.map(|(from, _)| *from)) {
                return Some(format!("the app protects task {}", short(id)));
            }
            None
        })
    }

    /// Whether the app answers where a load balancer leads.
    pub(crate) fn app_answers(&self, route: &Route) -> bool {
        let Route::Target { target, .. } = route else {
            return false;
        };
        let model = self.model.borrow();
        let tasks = model.world.tasks();
        tasks.iter().any(|task| {
            let own = task.interface.as_ref().map(|interface| interface.private);
            task.stage == Stage::Running && own == Some(target.address)
        })
    }

    /// What is left behind of scale-ins in a service; none if nothing is.
    pub(crate) fn left_behind(&self, service: &ServiceId) -> Option<String> {
        // One that took nothing is mended by the next scale-in.
        let plan = self.table.borrow().plan(service);
        let took = |plan: &Plan| plan.deregistered_at.is_some() || !plan.protected.is_empty();
        if let Some(plan) = plan.filter(took) {
            return Some(format!("a plan of a scale-in: {plan:?}"));
        }
        let alive = self.alive(service);
        let (model, truth) = (self.model.borrow(), self.truth.borrow());
        alive.iter().find_map(|task| {
            let app = truth.protected_until(&task.id.0, model.now);
            let protected = task.protected_until.filter(|until| *until > model.now);
            // Whole minutes are all that ECS takes.
            let rounded = app.is_some_and(|app| {
                protected.is_some_and(|until| until >= app && until.since(app) < Duration::from_secs(60))
            });
            if protected != app && !rounded {
                return Some(format!(
                    "task {} is protected until {protected:?}, by its app until {app:?}",
                    task.id
                ));
            }
            let mut targets = super::elb::targets_of(&model.world, task);
            let out = targets.any(|target| target.is_none_or(|t| t.state == TargetState::Draining));
            (out && task.stage == Stage::Running)
                .then(|| format!("the target of task {} is not registered", task.id))
        })
    }
}

/// The beginning of an id, for people.
pub(crate) fn short(id: &str) -> &str {
    id.get(..6).unwrap_or(id)
}
