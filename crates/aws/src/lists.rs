//! Lists of the tasks of many services in few calls, with the addresses at which they count their connections.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use aws_sdk_ecs::types::Task;
use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{TaskStage, TaskState};
use dormouse_core::ports::Listed;
use dormouse_core::settings::ServiceSettings;
use futures_util::future::join_all;

use crate::Aws;
use crate::errors::failed;
use crate::task::{HTTP, address, detail, plain, stage};
use crate::tasks::PER_CALL;

/// What is known of each service so far: its tasks, or why they are not known.
type Found = BTreeMap<ServiceId, Result<Vec<Task>, Error>>;

impl Aws {
    /// The tasks of services of one cluster. One list of the whole cluster tells of all of them, unless others have
    /// so many tasks there that a list for each service is less.
    pub(crate) async fn list_with_addresses(&self, services: &[&ServiceSettings]) -> Listed {
        let Some(first) = services.first() else {
            return Listed::default();
        };
        let cluster = &first.id.cluster;
        let mut calls = 0;
        let all = match services.len() {
            1 => Ok(None),
            most => self.list_cluster(cluster, most, &mut calls).await,
        };
        let mut failures = BTreeMap::new();
        let arns = match all {
            Ok(Some(arns)) => arns,
            Ok(None) => self.list_each(services, &mut failures, &mut calls).await,
            Err(error) => return none(services, &error, calls),
        };
        calls += arns.len().div_ceil(PER_CALL) as u32;
        let tasks = match self.describe(cluster, &arns).await {
            Ok(tasks) => tasks,
            Err(error) => return none(services, &error, calls),
        };
        let mut found: Found = services.iter().map(|s| (s.id.clone(), Ok(Vec::new()))).collect();
        found.extend(failures.into_iter().map(|(id, error)| (id, Err(error))));
        for task in tasks {
            let name = task.group().and_then(|group| group.strip_prefix("service:"));
            let id = ServiceId::new(cluster, name.unwrap_or_default());
            if let Some(Ok(tasks)) = found.get_mut(&id) {
                tasks.push(task);
            }
        }
        Listed {
            tasks: self.with_addresses(services, found).await,
            calls,
        }
    }

    /// All tasks of a cluster; none if they are more than so many pages.
    async fn list_cluster(
        &self,
        cluster: &str,
        most: usize,
        calls: &mut u32,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut pages = self.ecs.list_tasks().cluster(cluster).into_paginator().send();
        let mut arns = Vec::new();
        for _ in 0..most {
            let Some(page) = pages.next().await else {
                return Ok(Some(arns));
            };
            *calls += 1;
            let page = page.map_err(|error| failed(&format!("ListTasks of cluster `{cluster}`"), &error))?;
            let is_last = page.next_token.is_none();
            arns.extend(page.task_arns.unwrap_or_default());
            if is_last {
                return Ok(Some(arns));
            }
        }
        Ok(None)
    }

    async fn list_each(
        &self,
        services: &[&ServiceSettings],
        failures: &mut BTreeMap<ServiceId, Error>,
        calls: &mut u32,
    ) -> Vec<String> {
        let lists = services.iter().map(|service| self.task_arns(&service.id));
        let mut arns = Vec::new();
        for (service, listed) in services.iter().zip(join_all(lists).await) {
            match listed {
                Ok(of_service) => {
                    *calls += of_service.len().div_ceil(PER_CALL).max(1) as u32;
                    arns.extend(of_service);
                }
                Err(error) => {
                    *calls += 1;
                    failures.insert(service.id.clone(), error);
                }
            }
        }
        arns
    }

    async fn with_addresses(
        &self,
        services: &[&ServiceSettings],
        found: Found,
    ) -> BTreeMap<ServiceId, Result<Vec<TaskState>, Error>> {
        let public = self.public_addresses(&found).await;
        let mut listed = BTreeMap::new();
        for settings in services {
            let Some(tasks) = found.get(&settings.id) else {
                continue;
            };
            let states = match tasks {
                Ok(tasks) => Ok(self.states(settings, tasks, &public).await),
                Err(error) => Err(error.clone()),
            };
            listed.insert(settings.id.clone(), states);
        }
        listed
    }

    /// Without an answer a task is asked at its private address, and says so if that cannot be reached.
    async fn public_addresses(&self, found: &Found) -> HashMap<String, IpAddr> {
        if self.in_vpc {
            return HashMap::new();
        }
        let tasks = found.values().flatten().flatten();
        let running = tasks.filter(|task| stage(task) == TaskStage::Running);
        let interfaces: Vec<String> = running
            .filter_map(|task| detail(task, "networkInterfaceId"))
            .collect();
        self.ec2.public_addresses(&interfaces).await.unwrap_or_default()
    }

    async fn states(
        &self,
        settings: &ServiceSettings,
        tasks: &[Task],
        public: &HashMap<String, IpAddr>,
    ) -> Vec<TaskState> {
        let port = self.port_to_ask(settings, tasks).await;
        let state = |task: &Task| TaskState {
            address: address(task, public, port),
            ..plain(task)
        };
        tasks.iter().map(state).collect()
    }

    /// The app's port, if the tag `dormouse:connections` names none.
    pub(crate) async fn port_to_ask(&self, settings: &ServiceSettings, tasks: &[Task]) -> u16 {
        let endpoint = settings.connections.as_ref().and_then(|endpoint| endpoint.port);
        if let Some(port) = endpoint.or(settings.port) {
            return port;
        }
        let of_containers = match tasks.first().and_then(|task| task.task_definition_arn()) {
            Some(arn) => self.container_port(arn).await,
            None => None,
        };
        of_containers.unwrap_or(HTTP)
    }
}

fn none(services: &[&ServiceSettings], error: &Error, calls: u32) -> Listed {
    let tasks = services.iter().map(|s| (s.id.clone(), Err(error.clone())));
    Listed {
        tasks: tasks.collect(),
        calls,
    }
}
