//! ECS, its protections and its target groups, over the model.

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Health, Probe, Seen, ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::ports::{Protection, Services, Target, TargetName, Targets};
use dormouse_core::settings::ServiceSettings;
use fargate_sim::model::{
    ApiError, ServiceKey, Stage, TargetKey, TargetState, Task, UpdateService, World, resource_name,
};
use jiff::Timestamp;

use super::{Account, Part, moment};

impl Services for Account {
    async fn observe(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        let ids = || services.iter().map(|settings| settings.id.clone());
        let look = || Ok(ids().map(|id| (id.clone(), self.as_ecs_says(&id))).collect());
        let seen = self.call(Part::Ecs, "observe", look).await;
        seen.unwrap_or_else(|error| ids().map(|id| (id, Seen::Unknown(error.clone()))).collect())
    }

    async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<(), Error> {
        let update = || match self.script.late.take() {
            Some(by) => {
                self.late_updates.borrow_mut().push((self.at() + by, count));
                Err(super::refused("set_desired", "no answer in time"))
            }
            None => {
                self.set(count);
                Ok(())
            }
        };
        assert_eq!(*service, super::web());
        self.call(Part::Ecs, "set_desired", update).await
    }
}

impl Protection for Account {
    async fn protected_until(
        &self,
        cluster: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        let ask = || {
            let mut clock = self.clock.borrow_mut();
            let mut found = BTreeMap::new();
            for ten in tasks.chunks(10) {
                let (states, _) = clock
                    .world
                    .get_task_protection(cluster, ten)
                    .map_err(|e| failed(&e))?;
                let id = |arn: &str| resource_name("task", arn).to_owned();
                found.extend(
                    states
                        .iter()
                        .map(|state| (id(&state.task_arn), state.until.map(moment))),
                );
            }
            Ok(found)
        };
        self.call(Part::Ecs, "protected_until", ask).await
    }

    async fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        let protect = || {
            let mut clock = self.clock.borrow_mut();
            let now = clock.now;
            for ten in tasks.chunks(10) {
                let minutes = minutes.map(i64::from);
                let done = clock
                    .world
                    .update_task_protection(now, cluster, ten, minutes.is_some(), minutes);
                done.map_err(|e| failed(&e))?;
            }
            Ok(())
        };
        self.call(Part::Ecs, "protect", protect).await
    }
}

impl Targets for Account {
    async fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error> {
        let ask = || {
            let clock = self.clock.borrow();
            let group = clock.world.target_group(target_group).map_err(|e| failed(&e))?;
            let target = |(key, target): (&TargetKey, &fargate_sim::model::Target)| Target {
                name: TargetName {
                    id: key.address.to_string(),
                    port: key.port,
                },
                draining: target.state == TargetState::Draining,
            };
            Ok(group.targets.iter().map(target).collect())
        };
        self.call(Part::Elb, "targets", ask).await
    }

    async fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let take_out = || {
            let mut clock = self.clock.borrow_mut();
            let now = clock.now;
            clock
                .world
                .deregister_targets(now, target_group, &keys(targets))
                .map_err(|e| failed(&e))
        };
        self.call(Part::Elb, "deregister", take_out).await
    }

    async fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let put_back = || {
            let mut clock = self.clock.borrow_mut();
            let now = clock.now;
            clock
                .world
                .register_targets(now, target_group, &keys(targets))
                .map_err(|e| failed(&e))
        };
        self.call(Part::Elb, "register", put_back).await
    }

    async fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error> {
        let ask = || {
            let clock = self.clock.borrow();
            let group = clock.world.target_group(target_group).map_err(|e| failed(&e))?;
            Ok(group.deregistration_delay())
        };
        self.call(Part::Elb, "deregistration_delay", ask).await
    }
}

impl Account {
    /// The function's UpdateService arrives.
    pub(super) fn set(&self, count: u32) {
        self.check_before_update(count);
        self.update(|input| input.desired_count = Some(i64::from(count)));
    }

    /// What ECS says of a service: what was so a moment ago, if its reads lag behind its writes.
    fn as_ecs_says(&self, id: &ServiceId) -> Seen {
        let looks = self.looks.borrow();
        let old = self.at() - self.lag.get();
        match looks.iter().rfind(|(at, _)| *at <= old) {
            Some((_, seen)) if !self.lag.get().is_zero() => seen.clone(),
            _ => look(&self.clock.borrow().world, id),
        }
    }

    /// Remembers what is so now, for reads that lag.
    pub(super) fn remember_look(&self) {
        let seen = look(&self.clock.borrow().world, &super::web());
        self.looks.borrow_mut().push((self.at(), seen));
    }

    /// UpdateService, by whomever.
    pub(crate) fn update(&self, change: impl FnOnce(&mut UpdateService)) {
        let mut clock = self.clock.borrow_mut();
        let now = clock.now;
        let mut input = UpdateService {
            cluster: Some("dev".into()),
            service: "web".into(),
            ..UpdateService::default()
        };
        change(&mut input);
        clock.world.update_service(now, input).expect("UpdateService");
    }
}

fn keys(targets: &[TargetName]) -> Vec<TargetKey> {
    let key = |target: &TargetName| TargetKey {
        address: target.id.parse().expect("an address"),
        port: target.port,
    };
    targets.iter().map(key).collect()
}

fn failed(error: &ApiError) -> Error {
    Error::new(Code::Rejected, error.to_string())
}

/// A look at a service, as `dormouse-aws` takes it.
fn look(world: &World, id: &ServiceId) -> Seen {
    let Some(service) = world.service(&id.cluster, &id.name) else {
        return Seen::Unknown(Error::new(Code::ServiceNotFound, id.to_string()));
    };
    let key = ServiceKey::new(&id.cluster, &id.name);
    let count = |deployment: Option<&str>| {
        let (running, pending) = world.counts(&key, deployment);
        (running as u32, pending as u32)
    };
    let (running, pending) = count(None);
    let older = service
        .deployments
        .iter()
        .skip(1)
        .any(|old| count(Some(&old.id)) != (0, 0));
    let target_groups: Vec<String> = service
        .load_balancers
        .iter()
        .map(|b| b.target_group_arn.clone())
        .collect();
    let tasks = world.tasks_of(&key);
    let tasks = tasks
        .iter()
        .filter(|task| task.is_alive() && task.stage != Stage::Stopped);
    Seen::Known(ServiceState {
        desired: service.desired_count,
        running,
        pending,
        tasks: tasks
            .map(|task| task_state(world, task, &target_groups))
            .collect(),
        rollout_since: older.then(|| moment(service.primary().created_at)),
        target_groups,
        ..ServiceState::default()
    })
}

fn task_state(world: &World, task: &Task, target_groups: &[String]) -> TaskState {
    let address = task.interface.as_ref().map(|interface| interface.private);
    let health = |group: &String| {
        let mut targets = world.target_group(group).ok()?.targets.iter();
        let (_, target) = targets.find(|(key, _)| Some(key.address) == address)?;
        Some(match target.describe() {
            ("healthy", ..) => Health::Healthy,
            (state, ..) => Health::Unhealthy(state.to_owned()),
        })
    };
    TaskState {
        id: task.id.0.clone(),
        stage: match task.stage {
            Stage::Provisioning => TaskStage::Provisioning,
            Stage::Pending => TaskStage::Pending,
            Stage::Activating => TaskStage::Activating,
            Stage::Running => TaskStage::Running,
            _ => TaskStage::Stopping,
        },
        health: None,
        targets: target_groups.iter().filter_map(health).collect(),
        probe: Some(Probe::Status(200)),
        address: TaskAddress::Unknown,
        private: address.map(Into::into),
        times: Default::default(),
    }
}
