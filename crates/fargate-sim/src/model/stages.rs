//! The way of a task from PROVISIONING to STOPPED.
//!
//! Order and meaning of the stages: "Amazon ECS task lifecycle". That a draining task is in DEACTIVATING and
//! counted as neither running nor pending is seen in the log of aws/aws-cdk pull request 13559.

use std::time::Duration;

use super::container_health::ContainerHealth;
use super::effects::{AppExit, Effect};
use super::error::ApiError;
use super::service::{Service, ServiceKey};
use super::target_group::TargetKey;
use super::task::{App, Load, Stage, Task, TaskId, TaskNetwork};
use super::time::Millis;
use super::world::World;

/// Stopped tasks are described for this long ("Viewing Amazon ECS stopped task errors": at least one hour).
pub(crate) const STOPPED_VISIBLE: Duration = Duration::from_secs(3600);

/// How a task comes to its end.
pub(crate) struct Stop {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    /// Whether the app gets its SIGTERM only when its targets are drained. The scheduler waits ("Update an
    /// Amazon ECS service": it first removes the task from the load balancer and waits for the connections to
    /// drain); StopTask does not (aws/containers-roadmap issues 576 and 708).
    pub(crate) drain: bool,
}

impl World {
    pub(crate) fn launch(&mut self, key: &ServiceKey, now: Millis) -> Option<TaskId> {
        let service = self.services.get(key)?;
        let deployment = service.deployments.first()?;
        let id = TaskId(self.ids.hex(32));
        self.task_number += 1;
        let task = Task {
            id: id.clone(),
            arn: self.config.task_arn(&key.cluster, &id.0),
            number: self.task_number,
            cluster: key.cluster.clone(),
            service: key.clone(),
            deployment: deployment.id.clone(),
            load_balancers: service.load_balancers.clone(),
            definition: deployment.definition.clone(),
            stage: Stage::Provisioning,
            stop_wanted: false,
            version: 0,
            created_at: now,
            connected_at: None,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop_code: None,
            stopped_reason: None,
            container_reason: None,
            interface: None,
            app: App::None,
            protected_until: None,
            tags: service.task_tags(&deployment.definition),
            load: Load::default(),
            health: ContainerHealth::default(),
            network: TaskNetwork {
                subnet: deployment.subnets().first().cloned().unwrap_or_default(),
                groups: deployment.security_groups(),
                public: deployment.assigns_public_address(),
            },
            due: Some(now + self.config.timing.scaled(self.config.timing.provisioning)),
        };
        self.tasks.insert(id.clone(), task);
        self.task_changed(&id, now);
        Some(id)
    }

    /// The present stage of a task is over.
    pub(crate) fn next_stage(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        task.due = None;
        match task.stage {
            Stage::Provisioning => {
                let network = std::mem::take(&mut task.network);
                let (base, ids) = (self.config.addresses, &mut self.ids);
                task.interface =
                    Some(
                        self.network
                            .attach(base, ids, network.subnet, network.groups, network.public),
                    );
                task.connected_at = Some(now);
                task.pull_started_at = Some(now);
                let setting = task
                    .definition
                    .setting("SIM_PULL_SECONDS")
                    .and_then(|s| s.parse().ok());
                let pull = setting.map_or(self.config.timing.pulling, Duration::from_secs_f64);
                let stuck = task.definition.setting("SIM_PENDING") == Some("forever");
                task.due = (!stuck).then(|| now + self.config.timing.scaled(pull));
                self.enter(id, Stage::Pending, now);
            }
            Stage::Pending => {
                task.pull_stopped_at = Some(now);
                let image = task.definition.main().image.clone();
                if image.contains("missing") {
                    // "CannotPullContainer task errors in Amazon ECS".
                    let reason = format!(
                        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to \
                         resolve ref {image}: {image}: not found"
                    );
                    self.fail_to_start(id, now, reason);
                } else {
                    task.due = Some(now + self.config.timing.scaled(self.config.timing.activating));
                    task.app = App::Starting;
                    let effect = start_app(task);
                    self.enter(id, Stage::Activating, now);
                    self.effects.push(effect);
                }
            }
            // The rest of it is the outside's time.
            Stage::Activating if task.app == App::Starting => {}
            Stage::Activating => self.run(id, now),
            // The outside never said that the app ended: it was killed (128 + SIGKILL).
            Stage::Stopping => self.app_exited(id, AppExit::Code(137), now),
            Stage::Deprovisioning => {
                task.stopped_at = Some(now);
                if let Some(interface) = &task.interface {
                    self.network.release(interface);
                }
                let service = task.service.clone();
                self.enter(id, Stage::Stopped, now);
                self.poke(&service, now);
            }
            Stage::Running | Stage::Deactivating | Stage::Stopped => {}
        }
    }

    fn run(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        task.started_at = Some(now);
        task.due = None;
        task.health.start(&task.definition, &self.config.timing, now);
        let (key, deployment) = (task.service.clone(), task.deployment.clone());
        self.enter(id, Stage::Running, now);
        self.register_task(id, now);
        if let Some(deployment) = self.deployment_mut(&key, &deployment) {
            deployment.launched();
        }
        self.poke(&key, now);
    }

    /// Puts a running task into its service's target groups.
    pub(crate) fn register_task(&mut self, id: &TaskId, now: Millis) {
        for (group, target) in self.targets_of(id) {
            self.put_target(&group, target, now);
            if let Some(service) = self.tasks.get(id).and_then(|t| self.services.get_mut(&t.service)) {
                service.say(
                    &mut self.ids,
                    now,
                    &format!("registered 1 targets in (target-group {group})"),
                );
            }
        }
    }

    /// Target group ARN and target for each load balancer entry of the task.
    pub(crate) fn targets_of(&self, id: &TaskId) -> Vec<(String, TargetKey)> {
        let Some(task) = self.tasks.get(id) else {
            return Vec::new();
        };
        let Some(interface) = &task.interface else {
            return Vec::new();
        };
        let target = |port| TargetKey {
            address: interface.private,
            port,
        };
        let entries = task.load_balancers.iter();
        entries
            .map(|b| (b.target_group_arn.clone(), target(b.container_port)))
            .collect()
    }

    /// The app listens.
    pub(crate) fn app_started(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.tasks.get_mut(id).filter(|t| t.app == App::Starting) else {
            return;
        };
        task.app = App::Running;
        if task.stage == Stage::Activating && task.due.is_none() {
            self.run(id, now);
        }
    }

    fn fail_to_start(&mut self, id: &TaskId, now: Millis, reason: String) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.container_reason = Some(reason.clone());
            let (key, deployment) = (task.service.clone(), task.deployment.clone());
            self.launch_failed(&key, &deployment, now);
        }
        self.stop(
            id,
            now,
            Stop {
                code: "TaskFailedToStart",
                reason,
                drain: false,
            },
        );
    }

    /// The app ended, for whatever reason.
    pub(crate) fn app_exited(&mut self, id: &TaskId, exit: AppExit, now: Millis) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        if !matches!(task.app, App::Starting | App::Running) {
            return;
        }
        task.execution_stopped_at = Some(now);
        let code = match &exit {
            AppExit::Code(code) => Some(*code),
            AppExit::CannotStart(_) => None,
        };
        task.app = App::Exited(code);
        match (task.stage, exit) {
            (Stage::Deactivating | Stage::Stopping, _) => self.deprovision(id, now),
            (_, AppExit::CannotStart(why)) => {
                self.fail_to_start(id, now, format!("CannotStartContainerError: {why}"));
            }
            (stage, AppExit::Code(_)) => {
                // "Even if a task's container command immediately exits with a non-zero exit code, the task
                // already moved to the RUNNING state": "Amazon ECS service throttle logic".
                if stage == Stage::Activating {
                    self.run(id, now);
                }
                let reason = "Essential container in task exited".to_string();
                self.stop(
                    id,
                    now,
                    Stop {
                        code: "EssentialContainerExited",
                        reason,
                        drain: false,
                    },
                );
            }
        }
    }

    /// Begins the end of a task; does nothing if it has begun.
    pub(crate) fn stop(&mut self, id: &TaskId, now: Millis, stop: Stop) {
        let Some(task) = self.tasks.get_mut(id).filter(|t| !t.stop_wanted) else {
            return;
        };
        task.stop_wanted = true;
        task.stopping_at = Some(now);
        task.stop_code = Some(stop.code);
        task.stopped_reason = Some(stop.reason);
        task.due = None;
        let (service, stage, app) = (task.service.clone(), task.stage, task.app.clone());
        let mut draining = false;
        for (group, target) in self.targets_of(id) {
            if self.drop_target(&group, target, now) {
                draining = true;
                if let Some(service) = self.services.get_mut(&service) {
                    service.say(
                        &mut self.ids,
                        now,
                        &format!("deregistered 1 targets in (target-group {group})"),
                    );
                }
            }
        }
        draining |= self.is_draining(id);
        match app {
            App::Running if stop.drain && draining => self.enter(id, Stage::Deactivating, now),
            App::Starting | App::Running => self.terminate(id, now),
            // Before an interface is attached there is nothing to give back.
            _ if stage == Stage::Provisioning => {
                if let Some(task) = self.tasks.get_mut(id) {
                    task.stopped_at = Some(now);
                }
                self.enter(id, Stage::Stopped, now);
            }
            _ => self.deprovision(id, now),
        }
        self.poke(&service, now);
    }

    /// Sends the app its SIGTERM.
    pub(crate) fn terminate(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let grace = self.config.timing.scaled(task.definition.main().stop_timeout);
        // The outside kills after `grace` and reports; this is for an outside that never does.
        task.due = Some(now + grace + grace + Duration::from_secs(5));
        self.enter(id, Stage::Stopping, now);
        self.effects.push(Effect::StopApp {
            task: id.clone(),
            grace,
        });
    }

    fn deprovision(&mut self, id: &TaskId, now: Millis) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.due = Some(now + self.config.timing.scaled(self.config.timing.deprovisioning));
        }
        self.enter(id, Stage::Deprovisioning, now);
    }

    fn enter(&mut self, id: &TaskId, stage: Stage, now: Millis) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.stage = stage;
        }
        self.task_changed(id, now);
    }

    /// Tells the outside of a change ("Task" in the API reference: every change that starts an event increments the
    /// version counter).
    pub(crate) fn task_changed(&mut self, id: &TaskId, now: Millis) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.version += 1;
            self.effects.push(Effect::TaskStateChanged {
                at: now,
                task: Box::new(task.clone()),
            });
        }
    }

    /// StopTask: the app is told to stop at once, without waiting for its targets to drain.
    pub fn stop_task(
        &mut self,
        now: Millis,
        cluster: &str,
        task: &str,
        reason: Option<&str>,
    ) -> Result<&Task, ApiError> {
        let id = TaskId(super::resource_name("task", task).into());
        let missing = || ApiError::invalid("The referenced task was not found.");
        if self.tasks.get(&id).is_none_or(|t| t.cluster != cluster) {
            return Err(missing());
        }
        let reason = reason.unwrap_or("Task stopped by user").to_string();
        self.stop(
            &id,
            now,
            Stop {
                code: "UserInitiated",
                reason,
                drain: false,
            },
        );
        self.tasks.get(&id).ok_or_else(missing)
    }
}

impl Service {
    /// Tags of a new task: propagated ones and ECS's own ("Tagging Amazon ECS resources").
    fn task_tags(&self, definition: &super::TaskDefinition) -> Vec<super::Tag> {
        let mut tags = match self.propagate_tags.as_deref() {
            Some("SERVICE") => self.tags.clone(),
            Some("TASK_DEFINITION") => definition.tags.clone(),
            _ => Vec::new(),
        };
        if self.managed_tags {
            tags.push(super::Tag::new("aws:ecs:serviceName", &self.key.name));
            tags.push(super::Tag::new("aws:ecs:clusterName", &self.key.cluster));
        }
        tags
    }
}

fn start_app(task: &Task) -> Effect {
    let main = task.definition.main();
    let addresses = task
        .interface
        .iter()
        .flat_map(|i| [Some(i.private), i.public])
        .flatten()
        .collect();
    Effect::StartApp {
        task: task.id.clone(),
        service: task.service.name.clone(),
        addresses,
        ports: if main.ports.is_empty() {
            vec![80]
        } else {
            main.ports.clone()
        },
        environment: main.environment.clone(),
        command: main.command.clone(),
    }
}
