//! Looking at the tasks of a service.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use aws_sdk_ecs::types::{DesiredStatus, Task, TaskDefinition};
use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{ServiceState, TaskAddress, TaskStage, TaskState, Trouble};
use dormouse_core::settings::ServiceSettings;
use futures_util::future::{join, join_all, try_join_all};

use crate::Aws;
use crate::errors::failed;
use crate::task::{HTTP, address, container_health, detail, plain, private_address, stage, target, trouble};

/// Tasks in one DescribeTasks call (Amazon ECS API reference, DescribeTasks).
pub(crate) const PER_CALL: usize = 100;

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
            .sort_by_key(|trouble| (is_summary(trouble), std::cmp::Reverse(trouble.at)));
        Ok(())
    }

    /// Fills in the tasks of a service, without asking anybody how they are.
    pub(crate) async fn list_tasks(&self, id: &ServiceId, state: &mut ServiceState) -> Result<(), Error> {
        state.tasks = self
            .tasks(id, DesiredStatus::Running)
            .await?
            .iter()
            .map(plain)
            .collect();
        Ok(())
    }

    async fn tasks(&self, id: &ServiceId, desired: DesiredStatus) -> Result<Vec<Task>, Error> {
        let arns = self.arns(id, desired).await?;
        self.describe(&id.cluster, &arns).await
    }

    /// The ARNs of a service's tasks that are not stopped.
    pub(crate) async fn task_arns(&self, id: &ServiceId) -> Result<Vec<String>, Error> {
        self.arns(id, DesiredStatus::Running).await
    }

    async fn arns(&self, id: &ServiceId, desired: DesiredStatus) -> Result<Vec<String>, Error> {
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
        Ok(arns)
    }

    pub(crate) async fn describe(&self, cluster: &str, arns: &[String]) -> Result<Vec<Task>, Error> {
        let calls = arns.chunks(PER_CALL).map(|chunk| async move {
            let call = self
                .ecs
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(chunk.to_vec()));
            let answer = call
                .send()
                .await
                .map_err(|error| failed(&format!("DescribeTasks in cluster `{cluster}`"), &error))?;
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
        let public = self.public_addresses_to_count_at(settings, tasks).await;
        let port = match settings.connections {
            Some(_) => self.port_to_ask(settings, tasks).await,
            None => HTTP,
        };
        let of = |task: &Task| {
            let own = private_address(task);
            healths.iter().filter_map(|health| target(health, own)).collect()
        };
        tasks
            .iter()
            .map(|task| TaskState {
                targets: of(task),
                address: address(task, &public, port),
                ..plain(task)
            })
            .collect()
    }

    /// Only whoever counts connections needs to know where a task behind a load balancer is. Without an answer it is
    /// asked at its private address, and says so if that cannot be reached.
    async fn public_addresses_to_count_at(
        &self,
        settings: &ServiceSettings,
        tasks: &[Task],
    ) -> HashMap<String, IpAddr> {
        if settings.connections.is_none() {
            return HashMap::new();
        }
        let interfaces: Vec<String> = tasks
            .iter()
            .filter_map(|task| detail(task, "networkInterfaceId"))
            .collect();
        self.ec2.public_addresses(&interfaces).await.unwrap_or_default()
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
        let port = settings.port.or(definition.and_then(|d| d.port)).unwrap_or(HTTP);
        let has_health_check = definition.is_some_and(|d| d.has_health_check);
        let states = tasks.iter().map(|task| {
            let mut state = plain(task);
            state.address = address(task, &public, port);
            state.health = has_health_check.then(|| container_health(task));
            let asked = state.stage == TaskStage::Running && !has_health_check;
            let within = state.private.filter(|_| self.in_vpc);
            let within = within.map(|ip| format!("http://{}", SocketAddr::new(ip, port)));
            let base = within
                .or_else(|| base(settings, &state.address))
                .filter(|_| asked);
            async move {
                if let Some(base) = base {
                    state.probe = Some(self.probe.ask(&base, &settings.ready_path).await);
                }
                state
            }
        });
        Ok(join_all(states).await)
    }

    /// The first port of a task's containers, if that can be told.
    pub(crate) async fn container_port(&self, definition: &str) -> Option<u16> {
        self.definition(definition).await.ok()?.port
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

/// ECS's event for a service whose tasks fail one after the other says only that, and each task why (Amazon ECS Developer
/// Guide, "Service event messages").
fn is_summary(trouble: &Trouble) -> bool {
    trouble.message.contains("unable to consistently start tasks")
}

/// Where the ready path is asked: the task's public address, else the owner's URL.
fn base(settings: &ServiceSettings, address: &TaskAddress) -> Option<String> {
    match address {
        TaskAddress::Public(ip, port) => Some(format!("http://{}", SocketAddr::new(*ip, *port))),
        TaskAddress::PrivateOnly(..) | TaskAddress::Unknown => {
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
