//! What must hold whenever a function changes something.

use dormouse_core::decide;
use dormouse_core::front::{DoorId, Forward};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::reason::Reason;
use dormouse_core::record::{Phase, Record};
use dormouse_core::settings::Mode;

use super::Who;
use crate::cloud::{CLUSTER, Cloud};

impl Who {
    /// A record was saved over another one.
    pub(super) fn has_saved(
        &self,
        cloud: &Cloud,
        group: &GroupName,
        before: Option<&Record>,
        after: &Record,
    ) {
        if let Some((timers, generation, was_old)) = &self.timer {
            cloud.check(6, timers != group || !was_old, || {
                format!(
                    "a timer of generation {generation} of {group} saves a record of {}",
                    after.generation
                )
            });
        }
        let Some(before) = before else {
            cloud.note(format!("{}: {group} is {}", self.name, after.phase.as_str()));
            return;
        };
        if before.phase != after.phase || before.generation != after.generation {
            cloud.counted.borrow_mut().phases += 1;
            cloud.note(format!(
                "{}: {group} {} -> {}, generation {}, because {}",
                self.name,
                before.phase.as_str(),
                after.phase.as_str(),
                after.generation,
                after.reason
            ));
        }
        cloud.check_saved_bounds(after);
        let is_next = after.generation.0 == before.generation.0 + 1;
        // Whoever finds that somebody else has put it to sleep may wake it with the same look, and the other way round.
        let meddled = cloud
            .services_of(group)
            .iter()
            .any(|service| cloud.is_meddled(service));
        // Nobody had seen it before: what runs was woken by somebody else.
        let is_first = before.generation.0 == 0;
        let leaves = matches!(before.phase, Phase::Asleep | Phase::FallingAsleep)
            && matches!(after.phase, Phase::Waking | Phase::Awake);
        cloud.check(
            6,
            after.generation == before.generation || (is_next && (leaves || meddled || is_first)),
            || {
                format!(
                    "{group} goes from generation {} to {}",
                    before.generation, after.generation
                )
            },
        );
        let falls = after.phase == Phase::FallingAsleep
            || (after.phase == Phase::Asleep && before.phase != Phase::FallingAsleep);
        if falls && matches!(before.phase, Phase::Waking | Phase::Awake) {
            self.puts_to_sleep(cloud, group, after);
        }
    }

    /// Nobody who uses a group may be put to sleep by idleness, and nothing that is not known counts as idle.
    fn puts_to_sleep(&self, cloud: &Cloud, group: &GroupName, record: &Record) {
        if !matches!(record.reason, Reason::Idle { .. }) {
            return;
        }
        let stored = cloud.table.borrow().groups.get(group).cloned();
        let Some(settings) = stored.and_then(|stored| stored.settings) else {
            return;
        };
        let idle_after = decide::idle_after(&settings, record);
        // One whose tags were never good is not theirs to put to sleep.
        let is_theirs = |service: &ServiceId| settings.services.iter().any(|own| own.id == *service);
        for service in cloud.services_of(group).into_iter().filter(is_theirs) {
            let used = cloud.in_use_since(&service, self.begun, idle_after);
            cloud.check(1, used.is_none(), || {
                format!(
                    "{group} falls asleep as idle, and {service}: {}",
                    used.unwrap_or_default()
                )
            });
        }
        for ((service, signal), is_known) in &*self.readings.borrow() {
            // Who looked before somebody switched it off asked, and looked again.
            let is_moot = !is_theirs(service) || cloud.is_switched_off(service);
            cloud.check(4, *is_known || is_moot, || {
                format!("{group} falls asleep as idle, though signal {signal} of {service} is not known")
            });
        }
    }

    /// A count is about to be set.
    pub(super) fn sets(&self, cloud: &Cloud, service: &ServiceId, count: u32) {
        self.touches(cloud, service);
        let Some(from) = cloud.desired(service) else {
            return;
        };
        cloud.note(format!(
            "{}: UpdateService {service} {from} -> {count}",
            self.name
        ));
        if let Some((group, generation, was_old)) = &self.timer {
            let theirs = cloud.services_of(group).contains(service);
            cloud.check(6, !was_old || !theirs, || {
                format!("a timer of generation {generation} of {group} sets {service} to {count}")
            });
        }
        if count < from && count > 0 {
            cloud.check_before_lowering(service);
        }
        cloud.remember_count(service, from, count);
    }

    /// Only services that opted in are ever touched.
    pub(super) fn touches(&self, cloud: &Cloud, service: &ServiceId) {
        let is_ours = cloud.ours().any(|(_, id)| id == *service);
        cloud.check(8, is_ours, || {
            format!("{} touches {service}, which has no tag", self.name)
        });
        let settings = cloud.settings_of(service);
        let observed = settings.is_some_and(|settings| settings.mode() == Mode::Observe);
        cloud.check(8, !observed, || {
            format!("{} touches {service}, which is only observed", self.name)
        });
    }

    /// The same by one of its target groups.
    pub(super) fn touches_group(&self, cloud: &Cloud, target_group: &str) {
        let owner = {
            let model = cloud.model.borrow();
            let mut services = model.world.services();
            let has = |service: &&fargate_sim::model::Service| {
                let mut balancers = service.load_balancers.iter();
                balancers.any(|balancer| balancer.target_group_arn == target_group)
            };
            services.find(has).map(|service| service.key.name.clone())
        };
        let owner = owner.unwrap_or_else(|| target_group.to_owned());
        self.touches(cloud, &ServiceId::new(CLUSTER, &owner));
    }

    /// The same by one of its doors, which must be fronted too.
    pub(super) fn leads(&self, cloud: &Cloud, door: &DoorId, to: &Forward) {
        let shares: Vec<&str> = to
            .shares
            .iter()
            .map(|share| share.target_group.rsplit('/').nth(1).unwrap_or_default())
            .collect();
        cloud.note(format!(
            "{}: lead {} to {shares:?}",
            self.name,
            door.0.rsplit(':').next().unwrap_or_default()
        ));
        let balancer = cloud.balancer_of(door);
        let mut fronted = cloud.ours().filter(|(scene, _)| scene.is_fronted());
        let is_ours = fronted.any(|(scene, _)| {
            balancer
                .as_ref()
                .is_some_and(|arn| arn.contains(&format!("/lb-{}/", scene.name)))
        });
        cloud.check(8, is_ours, || {
            format!("{} leads {door}, whose service is not fronted", self.name)
        });
    }

    /// The same by its tasks.
    pub(super) fn protects(&self, cloud: &Cloud, tasks: &[String], minutes: Option<u32>) {
        let services: Vec<String> = {
            let model = cloud.model.borrow();
            let task = |id: &String| model.world.task(&fargate_sim::model::TaskId(id.clone()));
            let known = tasks.iter().filter_map(task);
            known.map(|task| task.service.name.clone()).collect()
        };
        cloud.note(format!(
            "{}: protect {} tasks for {minutes:?} minutes",
            self.name,
            tasks.len()
        ));
        for service in services {
            self.touches(cloud, &ServiceId::new(CLUSTER, &service));
        }
    }
}
