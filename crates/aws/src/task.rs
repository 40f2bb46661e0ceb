//! Tasks: their stages, health and addresses, and why stopped ones stopped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use aws_sdk_ecs::types::{Container, DesiredStatus, HealthStatus, Task, TaskDefinition, TaskStopCode};
use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Health, ServiceState, TaskAddress, TaskStage, TaskState, Trouble};
use dormouse_core::settings::ServiceSettings;
use futures_util::future::{join, join_all, try_join_all};

use crate::elb::TargetHealth;
use crate::errors::failed;
use crate::{Aws, moment};

/// Tasks in one DescribeTasks call (Amazon ECS API reference, DescribeTasks).
const PER_CALL: usize = 100;

/// What a task definition says about readiness. It never changes, so it is read once.
#[derive(Clone, Copy)]
struct Definition {
    port: Option<u16>,
    has_health_check: bool,
}

/// Task definitions that were read before.
#[derive(Default)]
pub(crate) struct Definitions(Mutex<HashMap<String, Definition>>);

impl Definitions {
    fn get(&self, arn: &str) -> Option<Definition> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get(arn)
            .copied()
    }

    fn put(&self, arn: &str, definition: Definition) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(arn.to_owned(), definition);
    }
}

impl Aws {
    /// Fills in the tasks of a service, what its load balancer says of them, and why others stopped.
    pub(crate) async fn look_at_tasks(
        &self,
        settings: &ServiceSettings,
        state: &mut ServiceState,
    ) -> Result<(), Error> {
        let id = &settings.id;
        let starting = state.running < state.desired;
        let (tasks, stopped) = join(self.tasks(id, DesiredStatus::Running), async {
            if starting {
                self.tasks(id, DesiredStatus::Stopped).await
            } else {
                Ok(Vec::new())
            }
        })
        .await;
        let tasks = tasks?;
        // Why others stopped is told if it can be had; readiness does not depend on it.
        let mut why_stopped: Vec<Trouble> = stopped.unwrap_or_default().iter().filter_map(trouble).collect();
        state.troubles.append(&mut why_stopped);
        state.tasks = if !state.target_groups.is_empty() {
            self.behind_a_balancer(settings, &tasks, state).await
        } else {
            self.on_its_own(settings, &tasks).await?
        };
        state
            .troubles
            .sort_by_key(|trouble| std::cmp::Reverse(trouble.at));
        Ok(())
    }

    async fn tasks(&self, id: &ServiceId, desired: DesiredStatus) -> Result<Vec<Task>, Error> {
        let everything = desired == DesiredStatus::Running;
        let mut pages = self
            .ecs
            .list_tasks()
            .cluster(&id.cluster)
            .service_name(&id.name)
            .desired_status(desired)
            .into_paginator()
            .send();
        let mut arns: Vec<String> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(&format!("ListTasks of {id}"), &error))?;
            arns.extend(page.task_arns.unwrap_or_default());
            // Of stopped tasks the first page is enough to tell why.
            if !everything {
                break;
            }
        }
        let calls = arns.chunks(PER_CALL).map(|chunk| async move {
            let call = self
                .ecs
                .describe_tasks()
                .cluster(&id.cluster)
                .set_tasks(Some(chunk.to_vec()));
            let answer = call
                .send()
                .await
                .map_err(|error| failed(&format!("DescribeTasks of {id}"), &error))?;
            Ok::<_, Error>(answer.tasks.unwrap_or_default())
        });
        Ok(try_join_all(calls).await?.into_iter().flatten().collect())
    }

    async fn behind_a_balancer(
        &self,
        settings: &ServiceSettings,
        tasks: &[Task],
        state: &mut ServiceState,
    ) -> Vec<TaskState> {
        let groups = &state.target_groups;
        let (healths, balancer) = join(join_all(groups.iter().map(|arn| self.elb.health(arn))), async {
            match groups.first().filter(|_| settings.url.is_none()) {
                Some(group) => Some(
                    self.elb
                        .balancer(group)
                        .await
                        .and_then(|balancer| balancer.address()),
                ),
                None => None,
            }
        })
        .await;
        state.load_balancer = balancer;
        let of = |task: &Task| {
            let own = private_address(task);
            healths.iter().filter_map(|health| target(health, own)).collect()
        };
        tasks
            .iter()
            .map(|task| TaskState {
                targets: of(task),
                ..plain(task)
            })
            .collect()
    }

    async fn on_its_own(&self, settings: &ServiceSettings, tasks: &[Task]) -> Result<Vec<TaskState>, Error> {
        let running: Vec<&Task> = tasks
            .iter()
            .filter(|task| stage(task) == TaskStage::Running)
            .collect();
        let interfaces: Vec<String> = running
            .iter()
            .filter_map(|task| detail(task, "networkInterfaceId"))
            .collect();
        let needs_addresses = !interfaces.is_empty();
        let (public, definition) = join(
            async {
                if needs_addresses {
                    self.ec2.public_addresses(&interfaces).await
                } else {
                    Ok(HashMap::new())
                }
            },
            async {
                match running.first().and_then(|task| task.task_definition_arn()) {
                    Some(arn) => self.definition(arn).await.map(Some),
                    None => Ok(None),
                }
            },
        )
        .await;
        let definition = definition?;
        let public = public?;
        let port = settings.port.or(definition.and_then(|d| d.port)).unwrap_or(80);
        let has_health_check = definition.is_some_and(|d| d.has_health_check);
        let states = tasks.iter().map(|task| {
            let mut state = plain(task);
            state.address = address(task, &public, port);
            state.health = has_health_check.then(|| container_health(task));
            async {
                if state.stage == TaskStage::Running && !has_health_check {
                    let mut state = state;
                    state.probe = match base(settings, &state.address) {
                        Some(base) => Some(self.probe.ask(&base, &settings.ready_path).await),
                        None => None,
                    };
                    state
                } else {
                    state
                }
            }
        });
        Ok(join_all(states).await)
    }

    async fn definition(&self, arn: &str) -> Result<Definition, Error> {
        if let Some(known) = self.task_definitions.get(arn) {
            return Ok(known);
        }
        let answer = self
            .ecs
            .describe_task_definition()
            .task_definition(arn)
            .send()
            .await
            .map_err(|error| failed(&format!("DescribeTaskDefinition {arn}"), &error))?;
        let definition = answer.task_definition().map_or(
            Definition {
                port: None,
                has_health_check: false,
            },
            read,
        );
        self.task_definitions.put(arn, definition);
        Ok(definition)
    }
}

/// Where the ready path is asked: the task's public address, else the owner's URL.
fn base(settings: &ServiceSettings, address: &TaskAddress) -> Option<String> {
    match address {
        TaskAddress::Public(IpAddr::V4(ip), port) => Some(format!("http://{ip}:{port}")),
        TaskAddress::Public(IpAddr::V6(ip), port) => Some(format!("http://[{ip}]:{port}")),
        TaskAddress::PrivateOnly(_) | TaskAddress::Unknown => {
            settings.url.as_ref().map(|url| url.as_str().to_owned())
        }
    }
}

fn read(definition: &TaskDefinition) -> Definition {
    // A container is essential unless it says otherwise (Amazon ECS task definition parameters, `essential`).
    let essential = || {
        definition
            .container_definitions()
            .iter()
            .filter(|c| c.essential() != Some(false))
    };
    let port = essential()
        .flat_map(|c| c.port_mappings())
        .find_map(|mapping| mapping.container_port());
    Definition {
        port: port.and_then(|port| u16::try_from(port).ok()),
        has_health_check: essential().any(|c| c.health_check().is_some()),
    }
}

fn plain(task: &Task) -> TaskState {
    let arn = task.task_arn().unwrap_or_default();
    TaskState {
        id: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        stage: stage(task),
        health: None,
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
    }
}

fn stage(task: &Task) -> TaskStage {
    match task.last_status() {
        Some("PROVISIONING") => TaskStage::Provisioning,
        Some("PENDING") => TaskStage::Pending,
        Some("ACTIVATING") => TaskStage::Activating,
        Some("RUNNING") => TaskStage::Running,
        _ => TaskStage::Stopping,
    }
}

fn container_health(task: &Task) -> Health {
    match task.health_status() {
        Some(HealthStatus::Healthy) => Health::Healthy,
        Some(HealthStatus::Unhealthy) => Health::Unhealthy("UNHEALTHY".to_owned()),
        _ => Health::Unhealthy("no result yet".to_owned()),
    }
}

fn detail(task: &Task, name: &str) -> Option<String> {
    let details = task
        .attachments()
        .iter()
        .flat_map(|attachment| attachment.details());
    details
        .filter(|pair| pair.name() == Some(name))
        .find_map(|pair| pair.value().map(str::to_owned))
}

fn private_address(task: &Task) -> Option<IpAddr> {
    detail(task, "privateIPv4Address").and_then(|address| address.parse().ok())
}

fn address(task: &Task, public: &HashMap<String, IpAddr>, port: u16) -> TaskAddress {
    let own = detail(task, "networkInterfaceId").and_then(|id| public.get(&id).copied());
    match (own, private_address(task)) {
        (Some(ip), _) => TaskAddress::Public(ip, port),
        (None, Some(ip)) if stage(task) == TaskStage::Running => TaskAddress::PrivateOnly(ip),
        _ => TaskAddress::Unknown,
    }
}

/// A task's target in a target group. A task without an address of its own (bridge or host network) cannot be
/// told from its neighbours on the instance: any healthy target counts.
fn target(health: &Result<Vec<TargetHealth>, Error>, own: Option<IpAddr>) -> Option<Health> {
    let targets = match health {
        Ok(targets) => targets,
        Err(error) => return Some(Health::Unknown(error.to_string())),
    };
    match own {
        Some(ip) => targets
            .iter()
            .find(|t| t.id == ip.to_string())
            .map(|t| t.health.clone()),
        None => targets
            .iter()
            .find(|t| t.health == Health::Healthy)
            .or(targets.first())
            .map(|t| t.health.clone()),
    }
}

/// Why a stopped task stopped, if it was not meant to (Amazon ECS Developer Guide, "Stopped task error codes").
fn trouble(task: &Task) -> Option<Trouble> {
    let reason = task.stopped_reason().unwrap_or("stopped without a reason");
    let unwanted = match task.stop_code() {
        Some(TaskStopCode::EssentialContainerExited | TaskStopCode::TaskFailedToStart) => true,
        _ => reason.starts_with("Task failed "),
    };
    let at = task.created_at().filter(|_| unwanted).map(moment)?;
    let containers: Vec<String> = task.containers().iter().filter_map(exit).collect();
    let message = if containers.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason} ({})", containers.join(", "))
    };
    Some(Trouble { at, message })
}

fn exit(container: &Container) -> Option<String> {
    let name = container.name().unwrap_or("container");
    match (container.exit_code(), container.reason()) {
        (Some(code), Some(reason)) => Some(format!("{name}: exit code {code}, {reason}")),
        (Some(code), None) => Some(format!("{name}: exit code {code}")),
        (None, Some(reason)) => Some(format!("{name}: {reason}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::primitives::DateTime;
    use aws_sdk_ecs::types::{Attachment, KeyValuePair};

    use super::*;

    fn stopped(code: TaskStopCode, reason: &str, exit_code: Option<i32>) -> Task {
        let container = Container::builder().name("app").set_exit_code(exit_code).build();
        Task::builder()
            .stop_code(code)
            .stopped_reason(reason)
            .created_at(DateTime::from_secs(60))
            .containers(container)
            .build()
    }

    fn with_interface(status: &str) -> Task {
        let detail = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
        let attachment = Attachment::builder()
            .details(detail("networkInterfaceId", "eni-1"))
            .details(detail("privateIPv4Address", "10.0.0.9"))
            .build();
        Task::builder()
            .last_status(status)
            .attachments(attachment)
            .build()
    }

    #[test]
    fn a_task_that_failed_says_why_and_one_that_was_stopped_does_not() {
        let crash = stopped(
            TaskStopCode::EssentialContainerExited,
            "Essential container in task exited",
            Some(1),
        );
        assert_eq!(
            trouble(&crash).expect("trouble").message,
            "Essential container in task exited (app: exit code 1)"
        );
        let no_image = stopped(
            TaskStopCode::TaskFailedToStart,
            "CannotPullContainerError: not found",
            None,
        );
        assert_eq!(
            trouble(&no_image).expect("trouble").message,
            "CannotPullContainerError: not found"
        );
        let unhealthy = "Task failed ELB health checks in (target-group arn:x)";
        assert!(trouble(&stopped(TaskStopCode::ServiceSchedulerInitiated, unhealthy, None)).is_some());
        let scaled_in = "Scaling activity initiated by (deployment ecs-svc/1)";
        assert!(trouble(&stopped(TaskStopCode::ServiceSchedulerInitiated, scaled_in, None)).is_none());
        assert!(
            trouble(&stopped(
                TaskStopCode::UserInitiated,
                "Task stopped by user",
                None
            ))
            .is_none()
        );
    }

    #[test]
    fn a_task_without_a_public_address_is_private_only_once_it_runs() {
        let none = HashMap::new();
        let public = HashMap::from([("eni-1".to_owned(), IpAddr::from([198, 51, 100, 7]))]);
        assert_eq!(
            address(&with_interface("PENDING"), &none, 80),
            TaskAddress::Unknown
        );
        let private = TaskAddress::PrivateOnly([10, 0, 0, 9].into());
        assert_eq!(address(&with_interface("RUNNING"), &none, 80), private);
        let found = TaskAddress::Public([198, 51, 100, 7].into(), 80);
        assert_eq!(address(&with_interface("RUNNING"), &public, 80), found);
    }

    #[test]
    fn a_task_is_judged_by_its_own_target() {
        let of = |id: &str, health| TargetHealth {
            id: id.to_owned(),
            health,
        };
        let targets = Ok(vec![
            of("10.0.0.8", Health::Healthy),
            of("10.0.0.9", Health::Unhealthy("draining".into())),
        ]);
        let own = |ip: [u8; 4]| target(&targets, Some(ip.into()));
        assert_eq!(own([10, 0, 0, 8]), Some(Health::Healthy));
        assert_eq!(own([10, 0, 0, 9]), Some(Health::Unhealthy("draining".into())));
        assert_eq!(own([10, 0, 0, 7]), None, "not registered yet");
        assert_eq!(
            target(&targets, None),
            Some(Health::Healthy),
            "bridge network: any healthy target"
        );
    }
}
