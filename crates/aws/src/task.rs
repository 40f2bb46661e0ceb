//! One task: its stage, health and address, and why it stopped.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_sdk_ecs::types::{Container, HealthStatus, Task, TaskStopCode};
use dormouse_core::error::Error;
use dormouse_core::observation::{Health, TaskAddress, TaskStage, TaskState, TaskTimes, Trouble};

use crate::elb::TargetHealth;
use crate::moment;

/// The port of an app that says none.
pub(crate) const HTTP: u16 = 80;

pub(crate) fn plain(task: &Task) -> TaskState {
    TaskState {
        id: id(task.task_arn().unwrap_or_default()),
        stage: stage(task),
        health: None,
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: private_address(task),
        times: times(task),
    }
}

fn times(task: &Task) -> TaskTimes {
    TaskTimes {
        created: task.created_at().map(moment),
        connected: task.connectivity_at().map(moment),
        pull_started: task.pull_started_at().map(moment),
        pull_stopped: task.pull_stopped_at().map(moment),
        started: task.started_at().map(moment),
    }
}

/// The last part of a task's ARN.
pub(crate) fn id(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

pub(crate) fn stage(task: &Task) -> TaskStage {
    match task.last_status() {
        Some("PROVISIONING") => TaskStage::Provisioning,
        Some("PENDING") => TaskStage::Pending,
        Some("ACTIVATING") => TaskStage::Activating,
        Some("RUNNING") => TaskStage::Running,
        _ => TaskStage::Stopping,
    }
}

pub(crate) fn container_health(task: &Task) -> Health {
    match task.health_status() {
        Some(HealthStatus::Healthy) => Health::Healthy,
        Some(HealthStatus::Unhealthy) => Health::Unhealthy("UNHEALTHY".to_owned()),
        _ => Health::Unhealthy("no result yet".to_owned()),
    }
}

pub(crate) fn detail(task: &Task, name: &str) -> Option<String> {
    let details = task
        .attachments()
        .iter()
        .flat_map(|attachment| attachment.details());
    details
        .filter(|pair| pair.name() == Some(name))
        .find_map(|pair| pair.value().map(str::to_owned))
}

pub(crate) fn private_address(task: &Task) -> Option<IpAddr> {
    detail(task, "privateIPv4Address").and_then(|address| address.parse().ok())
}

pub(crate) fn address(task: &Task, public: &HashMap<String, IpAddr>, port: u16) -> TaskAddress {
    let own = detail(task, "networkInterfaceId").and_then(|id| public.get(&id).copied());
    match (own, private_address(task)) {
        (Some(ip), _) => TaskAddress::Public(ip, port),
        (None, Some(ip)) if stage(task) == TaskStage::Running => TaskAddress::PrivateOnly(ip, port),
        _ => TaskAddress::Unknown,
    }
}

/// A task's target in a target group. A task without an address of its own (bridge or host network) cannot be
/// told from its neighbours on the instance: any healthy target counts.
pub(crate) fn target(health: &Result<Vec<TargetHealth>, Error>, own: Option<IpAddr>) -> Option<Health> {
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
pub(crate) fn trouble(task: &Task) -> Option<Trouble> {
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
    fn a_task_tells_when_it_came_how_far_and_nothing_of_what_is_ahead() {
        let at = DateTime::from_millis;
        let task = Task::builder().created_at(at(1_000)).connectivity_at(at(2_000));
        let task = task.pull_started_at(at(2_500));
        let pulling = TaskTimes {
            created: Some(moment(&at(1_000))),
            connected: Some(moment(&at(2_000))),
            pull_started: Some(moment(&at(2_500))),
            ..TaskTimes::default()
        };
        assert_eq!(plain(&task.clone().build()).times, pulling);
        let task = task.pull_stopped_at(at(4_000)).started_at(at(5_001)).build();
        let running = TaskTimes {
            pull_stopped: Some(moment(&at(4_000))),
            started: Some(moment(&at(5_001))),
            ..pulling
        };
        assert_eq!(plain(&task).times, running);
    }

    #[test]
    fn a_task_without_a_public_address_is_private_only_once_it_runs() {
        let none = HashMap::new();
        let public = HashMap::from([("eni-1".to_owned(), IpAddr::from([198, 51, 100, 7]))]);
        assert_eq!(
            address(&with_interface("PENDING"), &none, 80),
            TaskAddress::Unknown
        );
        let private = TaskAddress::PrivateOnly([10, 0, 0, 9].into(), 80);
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
