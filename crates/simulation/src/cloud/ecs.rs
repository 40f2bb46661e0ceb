//! What ECS tells and does.

use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Health, Probe, Seen, ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::scalable::{Bounds, Suspended};
use fargate_sim::model::{
    Answer, ApiError, AppExit, RegisterScalableTarget, Service, ServiceKey, Stage, SuspendedState, Task,
    TaskId, UpdateService, World,
};
use serde_json::{Value, json};

use super::{CLUSTER, Cloud, moment, service_id};

/// Its name as EventBridge tells it ("Amazon ECS task state change events").
pub(super) fn state_change(task: &Task) -> Value {
    json!({
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "detail": {
            "clusterArn": format!("arn:aws:ecs:us-east-1:000000000000:cluster/{}", task.cluster),
            "group": format!("service:{}", task.service.name),
            "lastStatus": task.stage.name(),
            "taskArn": task.arn,
        },
    })
}

pub(super) fn key(service: &ServiceId) -> ServiceKey {
    ServiceKey::new(&service.cluster, &service.name)
}

pub(super) fn failed(error: &ApiError) -> Error {
    Error::new(Code::Rejected, error.to_string())
}

impl Cloud {
    /// What ECS says of a service now. Shortly after a write it may be what was so before it.
    pub(crate) fn as_ecs_says(&self, service: &ServiceId, may_lag: bool) -> Seen {
        let stale = self.stale.borrow();
        match stale
            .get(service)
            .filter(|(until, _)| may_lag && *until > self.now())
        {
            Some((_, seen)) => seen.clone(),
            None => look(&self.model.borrow().world, service),
        }
    }

    /// Remembers what is so now, for reads that lag behind the write that follows.
    fn before_write(&self, service: &ServiceId) {
        let lag = self.script.faults.lag;
        if !lag.is_zero() {
            let seen = look(&self.model.borrow().world, service);
            let until = self.now() + lag;
            self.stale.borrow_mut().insert(service.clone(), (until, seen));
        }
    }

    pub(crate) fn desired(&self, service: &ServiceId) -> Option<u32> {
        let model = self.model.borrow();
        let service = model.world.service(&service.cluster, &service.name);
        service.map(|service| service.desired_count)
    }

    /// UpdateService, by whomever.
    pub(crate) fn update(
        &self,
        service: &ServiceId,
        change: impl FnOnce(&mut UpdateService),
    ) -> Result<(), Error> {
        self.before_write(service);
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let mut input = UpdateService {
            cluster: Some(service.cluster.clone()),
            service: service.name.clone(),
            ..UpdateService::default()
        };
        change(&mut input);
        let updated = model.world.update_service(now, input);
        updated.map(|_| ()).map_err(|error| failed(&error))
    }

    /// The tasks of a service that are there to stay, oldest first.
    pub(crate) fn alive(&self, service: &ServiceId) -> Vec<Task> {
        let model = self.model.borrow();
        let tasks = model.world.tasks_of(&key(service)).into_iter();
        tasks.filter(|task| task.is_alive()).cloned().collect()
    }

    /// Those that answer.
    pub(crate) fn answering(&self, service: &ServiceId) -> Vec<Task> {
        let mut tasks = self.alive(service);
        let model = self.model.borrow();
        tasks.retain(|task| task.stage == Stage::Running && super::elb::is_healthy(&model.world, task));
        tasks
    }

    /// A task's app ends by itself.
    pub(crate) fn crash(&self, task: &TaskId) {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let answer = Answer::AppExited {
            task: task.clone(),
            exit: AppExit::Code(1),
        };
        model.world.answer(now, answer);
    }

    /// Protects a task, or takes its protection away.
    pub(crate) fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        for ten in tasks.chunks(10) {
            let minutes = minutes.map(i64::from);
            let done = model
                .world
                .update_task_protection(now, cluster, ten, minutes.is_some(), minutes);
            done.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// The scalable target of a service.
    pub(crate) fn bounds(&self, service: &ServiceId) -> Option<Bounds> {
        let model = self.model.borrow();
        let target = model.world.scalable_target(&key(service))?;
        Some(Bounds {
            min: target.min,
            max: target.max,
            suspended: Suspended {
                dynamic_in: target.suspended.dynamic_in,
                dynamic_out: target.suspended.dynamic_out,
                scheduled: target.suspended.scheduled,
            },
        })
    }

    pub(crate) fn suspend(&self, service: &ServiceId, suspended: Suspended) -> Result<(), Error> {
        let mut model = self.model.borrow_mut();
        let now = model.now;
        let input = RegisterScalableTarget {
            suspended: Some(SuspendedState {
                dynamic_in: suspended.dynamic_in,
                dynamic_out: suspended.dynamic_out,
                scheduled: suspended.scheduled,
            }),
            ..RegisterScalableTarget::default()
        };
        let registered = model.world.register_scalable_target(now, &key(service), input);
        registered.map_err(|error| failed(&error))
    }

    /// The tags of all services that have some.
    pub(crate) fn tags(&self) -> Vec<(ServiceId, Vec<(String, String)>)> {
        let model = self.model.borrow();
        let tags = |service: &Service| {
            let tags = service.tags.iter();
            tags.map(|tag| (tag.key.clone(), tag.value.clone())).collect()
        };
        let services = model.world.services();
        services
            .map(|service| (service_id(&service.key.name), tags(service)))
            .collect()
    }

    /// Its owner sets a tag.
    pub(crate) fn tag(&self, service: &str, name: &str, value: &str) {
        let mut model = self.model.borrow_mut();
        let found = model.world.service(CLUSTER, service);
        let Some(arn) = found.map(|service| service.arn.clone()) else {
            return;
        };
        let tag = fargate_sim::model::Tag::new(&format!("dormouse:{name}"), value);
        let tagged = model.world.tag_resource(&arn, &[tag]);
        tagged.unwrap_or_else(|error| panic!("{service}: {error}"));
    }

    pub(crate) fn age(&self, at: fargate_sim::model::Millis) -> Duration {
        self.now().since(at)
    }
}

/// A look at a service, as `dormouse-aws` takes it.
fn look(world: &World, id: &ServiceId) -> Seen {
    let Some(service) = world.service(&id.cluster, &id.name) else {
        return Seen::Unknown(Error::new(Code::ServiceNotFound, id.to_string()));
    };
    let key = key(id);
    let count = |deployment: Option<&str>| {
        let (running, pending) = world.counts(&key, deployment);
        (running as u32, pending as u32)
    };
    let (running, pending) = count(None);
    let mut older = service.deployments.iter().skip(1);
    let rolls_out = older.any(|old| count(Some(&old.id)) != (0, 0));
    let balancers = service.load_balancers.iter();
    let target_groups: Vec<String> = balancers.map(|b| b.target_group_arn.clone()).collect();
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
        rollout_since: rolls_out.then(|| moment(service.primary().created_at)),
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
