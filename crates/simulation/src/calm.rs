//! The end of a run: nothing goes wrong any more, and all must come to rest, as its owner had it.

use dormouse_core::ids::GroupName;
use dormouse_core::record::{Phase, Record};

use crate::cloud::{Cloud, moment};
use crate::script::{Happening, Script};
use crate::sim::Sim;

/// After this long without use everything sleeps: the longest visit (25 min) with its wake, the longest override (15 min),
/// a front that could not be led (15 min), the longest idle time (12 min), grace, and the ticks and delays between.
const SLEEPS_WITHIN: u64 = 80 * 60;
/// Everything wakes within this: five minutes, and those that need each other one after the other.
const WAKES_WITHIN: u64 = 12 * 60;

impl Sim {
    /// Comes to rest, is woken once more, and comes to rest again.
    pub(crate) fn calm_down(&mut self, script: &Script) {
        self.cloud.note("-- from now on all is calm");
        self.cloud.is_calm.set(true);
        self.cloud.capacity();
        self.cloud.mend_tags();
        self.come_to_rest(script, script.calm_from + SLEEPS_WITHIN);
        let woken = self.cloud.second();
        for group in script.groups() {
            self.lets(&Happening::Visit {
                group,
                browser: false,
                stays: 0,
            });
        }
        let mut waiting: Vec<GroupName> = script
            .groups()
            .iter()
            .filter_map(|group| GroupName::parse(group).ok())
            .collect();
        while !waiting.is_empty()
            && self.cloud.second() < woken + WAKES_WITHIN
            && self.cloud.violation().is_none()
        {
            self.run_to(self.cloud.second() + 10);
            waiting.retain(|group| !self.cloud.is_back(group, woken));
        }
        self.cloud.check(2, waiting.is_empty(), || {
            format!(
                "{waiting:?} did not come back in {WAKES_WITHIN} s: {}",
                self.cloud.phases()
            )
        });
        self.come_to_rest(script, woken + SLEEPS_WITHIN);
    }

    /// Runs until all is as it must be in the end, or it is too late for that.
    fn come_to_rest(&mut self, script: &Script, latest: u64) {
        while self.cloud.second() < latest
            && self.cloud.violation().is_none()
            && !(self.is_still() && self.cloud.all_sleep())
        {
            self.run_to(self.cloud.second() + 60);
        }
        // What is on its way lands, and what was begun ends.
        self.run_to(self.cloud.second() + 240);
        // A tick or a timer may look just now.
        let latest = self.cloud.second() + 180;
        while !self.is_still() && self.cloud.second() < latest && self.cloud.violation().is_none() {
            self.run_to(self.cloud.second() + 1);
        }
        self.must_be_asleep(script);
    }

    fn must_be_asleep(&self, script: &Script) {
        if self.cloud.violation().is_some() {
            return;
        }
        let still = self.is_still();
        self.cloud
            .check(10, still, || "functions or scale-ins go on for ever".to_owned());
        for group in script.groups() {
            if let Ok(group) = GroupName::parse(&group) {
                self.cloud.must_sleep(&group);
            }
        }
        self.cloud.must_be_as_owned();
        self.cloud.must_know_all_reports();
        let jobs = self.cloud.truth.borrow().jobs.clone();
        self.cloud.check(7, jobs.is_empty(), || {
            format!("pipelines were never told of {jobs:?}")
        });
    }
}

impl Cloud {
    /// Whether nobody can tell that anything was ever awake.
    fn all_sleep(&self) -> bool {
        let table = self.table.borrow();
        let gone = {
            let truth = self.truth.borrow();
            truth.jobs.is_empty() && truth.visitors == 0
        };
        gone && self.ours().all(|(scene, service)| {
            let group = scene
                .group
                .as_ref()
                .and_then(|group| GroupName::parse(group).ok());
            let record = group.and_then(|group| table.record(&group).cloned());
            let asleep = record.is_some_and(|record| record.phase == Phase::Asleep);
            asleep && self.desired(&service) == Some(0) && self.left_behind(&service).is_none()
        })
    }

    fn phases(&self) -> String {
        let table = self.table.borrow();
        let phase = |record: &Record| format!("{} because {}", record.phase.as_str(), record.reason);
        let told = table.groups.iter().map(|(group, stored)| {
            let phase = stored.record.as_ref().map_or_else(|| "unseen".to_owned(), phase);
            format!("{group} is {phase}")
        });
        told.collect::<Vec<_>>().join("; ")
    }

    /// Whether a group is awake, has answered after a second of the run, and its scalable targets are as their owners
    /// made them. Its doors must be by then.
    fn is_back(&self, group: &GroupName, second: u64) -> bool {
        let since = crate::cloud::START + std::time::Duration::from_secs(second);
        let record = self.table.borrow().record(group).cloned();
        let awake = record.is_some_and(|record| record.phase == Phase::Awake);
        let owned = self.truth.borrow().bounds.clone();
        let back = awake
            && self.services_of(group).iter().all(|service| {
                self.ready_at(service).is_some_and(|at| at > since)
                    && owned
                        .get(service)
                        .is_none_or(|bounds| self.bounds(service).as_ref() == Some(bounds))
            });
        if back {
            self.must_be_given_back(group);
        }
        back
    }

    /// Whatever happened, a group that nobody uses sleeps, and nothing is left of what was under way.
    fn must_sleep(&self, group: &GroupName) {
        let record = self.table.borrow().record(group).cloned();
        let asleep = record
            .as_ref()
            .is_some_and(|record| record.phase == Phase::Asleep);
        self.check(10, asleep, || {
            format!("nobody uses {group}, and it does not sleep: {}", self.phases())
        });
        let Some(record) = record else { return };
        for service in self.services_of(group) {
            let desired = self.desired(&service).unwrap_or_default();
            self.check(10, desired == 0, || {
                format!("{group} is asleep, and {service} has {desired} tasks")
            });
            let left = self.left_behind(&service);
            self.check(10, left.is_none(), || {
                format!("{service}: {}", left.unwrap_or_default())
            });
            let scaling = record
                .services
                .get(&service)
                .map(|service| service.scaling.clone());
            let settled = scaling.is_none_or(|scaling| scaling.claim.is_none() && scaling.untold.is_empty());
            self.check(10, settled, || {
                format!("{service} has a scale-in, or a change that nobody was told of")
            });
        }
    }

    /// Each report of a session has been kept: what the table has of a task is what all of them say.
    fn must_know_all_reports(&self) {
        let (table, truth, now) = (self.table.borrow(), self.truth.borrow(), moment(self.now()));
        for (task, reported) in &truth.reported {
            let kept = table.rows.get(task).map_or(0, |row| row.row.live(now));
            // A task that has stopped has no sessions, whatever its app said last.
            self.check(7, kept <= reported.live(now), || {
                format!(
                    "{kept} sessions of task {task} live, and {} do",
                    reported.live(now)
                )
            });
            let stopped = self.alive_ids().iter().all(|id| id != task.id());
            self.check(7, stopped || kept == reported.live(now), || {
                format!(
                    "{kept} sessions of task {task} live, and {} do",
                    reported.live(now)
                )
            });
        }
    }

    fn alive_ids(&self) -> Vec<String> {
        let model = self.model.borrow();
        let tasks = model.world.tasks();
        tasks
            .iter()
            .filter(|task| task.is_alive())
            .map(|task| task.id.0.clone())
            .collect()
    }

    /// What Dormouse only borrows is as its owner made it; doors of services that sleep lead away, and remember where to.
    fn must_be_as_owned(&self) {
        let owned = self.truth.borrow().bounds.clone();
        for (service, bounds) in owned {
            let now = self.bounds(&service);
            let same = now
                .as_ref()
                .is_some_and(|now| (now.min, now.max) == (bounds.min, bounds.max));
            self.check(5, same, || {
                format!("the scalable target of {service} is {now:?}, and was {bounds:?}")
            });
        }
        let bystander = crate::cloud::service_id("bystander");
        if self.scene_of(&bystander).is_some() {
            self.check(8, self.desired(&bystander) == Some(2), || {
                "somebody touched the bystander".to_owned()
            });
        }
    }

    /// The doors of an awake group lead where their owners led them.
    fn must_be_given_back(&self, group: &GroupName) {
        let owned = self.truth.borrow().doors.clone();
        let doors = self.doors();
        for (id, forward) in owned {
            let balancer = self.balancer_of(&id).unwrap_or_default();
            let theirs = self.services_of(group);
            if !theirs
                .iter()
                .any(|service| balancer.contains(&format!("/lb-{}/", service.name)))
            {
                continue;
            }
            let now = doors.get(&id).map(|door| door.forward.clone());
            self.check(9, now.as_ref() == Some(&forward), || {
                format!("{id} leads to {now:?}, and led to {forward:?}")
            });
        }
    }
}
