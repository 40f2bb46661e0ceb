//! The ports that scaling uses beyond those of all functions.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dormouse_core::error::Error;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::minutes::{PERIOD, Point};
use dormouse_core::observation::{Seen, TaskStage, TaskState};
use dormouse_core::ports::{
    Connections, Listed, Notifications, Protection, ScaleIns, Services, Target, TargetName, Targets,
    Utilizations,
};
use dormouse_core::scaling::load::Metric;
use dormouse_core::scaling::notice::Notice;
use dormouse_core::scaling::reason::Utilization;
use dormouse_core::settings::ServiceSettings;
use fargate_sim::model::{Millis, Stage, TaskId, resource_name};
use jiff::Timestamp;
use serde_json::json;

use super::Function;
use crate::cloud::{Cloud, moment};
use crate::faults::Part;

impl Protection for Function {
    async fn protected_until(
        &self,
        cluster: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        self.read(Part::Ecs, "protected_until", |cloud| {
            self.who.protections_read.set(Some(cloud.now()));
            let mut model = cloud.model.borrow_mut();
            let mut found = BTreeMap::new();
            for ten in tasks.chunks(10) {
                let (states, _) = model
                    .world
                    .get_task_protection(cluster, ten)
                    .map_err(|error| super::unavailable("protected_until", &error.to_string()))?;
                found.extend(states.iter().map(|state| {
                    let id = resource_name("task", &state.task_arn).to_owned();
                    (id, state.until.map(moment))
                }));
            }
            Ok(found)
        })
        .await
    }

    async fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        let (cluster, tasks) = (cluster.to_owned(), tasks.to_vec());
        let who = Rc::clone(&self.who);
        self.write(Part::Ecs, "protect", move |cloud| {
            who.protects(cloud, &tasks, minutes);
            cloud.overwrites_protections(&tasks, who.protections_read.get());
            cloud.protect(&cluster, &tasks, minutes)
        })
        .await
    }
}

impl Targets for Function {
    async fn targets(&self, target_group: &str) -> Result<Vec<Target>, Error> {
        self.read(Part::Elb, "targets", |cloud| cloud.targets(target_group))
            .await
    }

    async fn deregister(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let (group, targets) = (target_group.to_owned(), targets.to_vec());
        let who = Rc::clone(&self.who);
        self.write(Part::Elb, "deregister", move |cloud| {
            cloud.note(format!("{}: deregister {} targets", who.name, targets.len()));
            who.touches_group(cloud, &group);
            cloud.deregister(&group, &targets)
        })
        .await
    }

    async fn register(&self, target_group: &str, targets: &[TargetName]) -> Result<(), Error> {
        let (group, targets) = (target_group.to_owned(), targets.to_vec());
        let who = Rc::clone(&self.who);
        self.write(Part::Elb, "register", move |cloud| {
            cloud.note(format!("{}: register {} targets", who.name, targets.len()));
            who.touches_group(cloud, &group);
            cloud.register(&group, &targets)
        })
        .await
    }

    async fn deregistration_delay(&self, target_group: &str) -> Result<Duration, Error> {
        self.read(Part::Elb, "deregistration_delay", |cloud| {
            cloud.deregistration_delay(target_group)
        })
        .await
    }
}

impl Connections for Function {
    async fn list_tasks(&self, services: &[&ServiceSettings]) -> Listed {
        let tasks = |(id, seen)| match seen {
            Seen::Known(state) => {
                let state: dormouse_core::observation::ServiceState = state;
                (id, Ok(state.tasks))
            }
            Seen::Unknown(error) => (id, Err(error)),
        };
        let seen = self.observe_tasks(services).await;
        Listed {
            tasks: seen.into_iter().map(tasks).collect(),
            calls: 2,
        }
    }

    async fn connections(&self, _: &ServiceSettings, task: &TaskState) -> Result<u64, String> {
        let unknown = || format!("task {} does not answer", task.id);
        let is_up = task.stage == TaskStage::Running;
        let ask = |cloud: &Cloud| {
            let model = cloud.model.borrow();
            let found = model.world.task(&TaskId(task.id.clone()));
            let up = found.filter(|task| task.stage == Stage::Running);
            Ok(up.map(|task| task.load.connections))
        };
        let answer = self.read(Part::Other, "connections", ask).await;
        answer
            .map_err(|error| error.to_string())?
            .filter(|_| is_up)
            .ok_or_else(unknown)
    }
}

impl Utilizations for Function {
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric> {
        let minute = |at: Timestamp| at.as_second().div_euclid(60) * 60;
        let ask = |cloud: &Cloud| {
            let truth = cloud.truth.borrow();
            let metric = |service: &ServiceId| {
                let points = (minute(since)..minute(now)).step_by(60).map(|second| Point {
                    at: Timestamp::from_second(second).unwrap_or_default(),
                    value: truth.cpu(service, Millis(second as u64 * 1000) + PERIOD),
                });
                Metric::Known(points.collect())
            };
            Ok(wanted.iter().map(|(service, _)| metric(service)).collect())
        };
        let answer = self.read(Part::Other, "utilizations", ask).await;
        answer.unwrap_or_else(|error| {
            let unknown = |_| Metric::Unknown(error.to_string());
            wanted.iter().map(unknown).collect()
        })
    }
}

impl ScaleIns for Function {
    async fn start_scale_in(
        &self,
        execution: &str,
        group: &GroupName,
        service: &ServiceId,
    ) -> Result<(), Error> {
        let (name, input) = (execution.to_owned(), json!({"group": group, "service": service}));
        self.write(Part::Other, "start_execution", move |cloud| {
            cloud.execute("scale-in", name, input);
            Ok(())
        })
        .await
    }

    async fn scale_in_runs(&self, execution: &str) -> Result<bool, Error> {
        self.read(Part::Other, "describe_execution", |cloud| {
            Ok(cloud.executions.borrow().get(execution).copied().unwrap_or(false))
        })
        .await
    }
}

impl Notifications for Function {
    async fn tell(&self, notice: &Notice) -> Result<(), Error> {
        let notice = notice.clone();
        self.write(Part::Other, "publish", move |cloud| {
            cloud.told(&notice);
            Ok(())
        })
        .await
    }
}
