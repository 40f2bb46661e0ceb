//! Task scale-in protection.
//!
//! "Protect your Amazon ECS tasks from being terminated by scale-in events"
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html>): 1 to 2,880
//! minutes, 2 hours unless set, starts anew with each call; only tasks of a service. It keeps neither StopTask
//! nor the end of an unhealthy task away. Limits of 10 tasks a call: API references of the two operations.

use std::time::Duration;

use super::error::ApiError;
use super::task::{Task, TaskId};
use super::time::Millis;
use super::world::World;

/// Protection of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionState {
    /// The task's ARN.
    pub task_arn: String,
    /// Until when, if it is protected.
    pub until: Option<Millis>,
}

/// A task that could not be protected or described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionFailure {
    /// The task as it was named, or its ARN.
    pub arn: String,
    /// `MISSING`, `TASK_NOT_VALID` or `DEPLOYMENT_BLOCKED` ("API failure reasons").
    pub reason: &'static str,
}

/// Two lists: what could be done, and what not.
type Outcome = (Vec<ProtectionState>, Vec<ProtectionFailure>);

impl World {
    /// UpdateTaskProtection for up to 10 tasks of a cluster.
    pub fn update_task_protection(
        &mut self,
        now: Millis,
        cluster: &str,
        tasks: &[String],
        enabled: bool,
        minutes: Option<i64>,
    ) -> Result<Outcome, ApiError> {
        check_count(tasks)?;
        let minutes = minutes.unwrap_or(120);
        if enabled && !(1..=2880).contains(&minutes) {
            return Err(ApiError::invalid(
                "expiresInMinutes should be between 1 and 2880.",
            ));
        }
        // Minutes of protection are real ones whatever the speed.
        let until = enabled.then(|| now + Duration::from_secs(minutes as u64 * 60));
        self.for_tasks(cluster, tasks, |task| {
            task.protected_until = until;
        })
        .inspect(|(done, _)| {
            let ids: Vec<_> = done
                .iter()
                .map(|d| super::resource_name("task", &d.task_arn))
                .collect();
            for id in ids {
                if let Some(key) = self.tasks.get(&TaskId(id.into())).map(|t| t.service.clone()) {
                    self.poke(&key, now);
                }
            }
        })
    }

    /// GetTaskProtection for up to 10 tasks of a cluster.
    pub fn get_task_protection(&mut self, cluster: &str, tasks: &[String]) -> Result<Outcome, ApiError> {
        check_count(tasks)?;
        self.for_tasks(cluster, tasks, |_| ())
    }

    fn for_tasks(
        &mut self,
        cluster: &str,
        tasks: &[String],
        change: impl Fn(&mut Task),
    ) -> Result<Outcome, ApiError> {
        let (mut done, mut failures) = (Vec::new(), Vec::new());
        for named in tasks {
            let id = TaskId(super::resource_name("task", named).into());
            match self.tasks.get_mut(&id).filter(|t| t.cluster == cluster) {
                None => failures.push(ProtectionFailure {
                    arn: named.clone(),
                    reason: "MISSING",
                }),
                // Our reading of "API failure reasons": a task that is stopping cannot be protected any more.
                Some(task) if task.stop_wanted => {
                    failures.push(ProtectionFailure {
                        arn: task.arn.clone(),
                        reason: "TASK_NOT_VALID",
                    });
                }
                Some(task) => {
                    change(task);
                    done.push(ProtectionState {
                        task_arn: task.arn.clone(),
                        until: task.protected_until,
                    });
                }
            }
        }
        Ok((done, failures))
    }
}

fn check_count(tasks: &[String]) -> Result<(), ApiError> {
    match tasks.len() {
        0 => Err(ApiError::invalid("Tasks cannot be empty.")),
        1..=10 => Ok(()),
        _ => Err(ApiError::invalid("tasks can have at most 10 items.")),
    }
}
