//! A look at the model's services, as `dormouse-aws` takes it of ECS and ELB.

use std::net::{IpAddr, Ipv4Addr};

use dormouse_core::observation::{Health, Probe, ServiceState, TaskAddress, TaskStage, TaskState, TaskTimes};
use dormouse_core::settings::AppUrl;
use fargate_sim::model::{HealthStatus, Millis, ServiceKey, Stage, TargetState, Task, World};
use jiff::Timestamp;

pub(crate) const PORT: u16 = 8080;

pub(crate) fn moment(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(at.0).expect("milliseconds")).expect("a moment")
}

/// The address of a service's load balancer.
pub(crate) fn balancer(name: &str) -> String {
    format!("http://{name}.elb.example.com")
}

/// `answers` tells whether a task's app answers now.
pub(crate) fn service(world: &World, name: &str, answers: impl Fn(&Task) -> bool) -> ServiceState {
    let service = world.service("dev", name).expect("a service");
    let key = ServiceKey::new("dev", name);
    let (running, pending) = world.counts(&key, None);
    let groups: Vec<String> = service
        .load_balancers
        .iter()
        .map(|balancer| balancer.target_group_arn.clone())
        .collect();
    let tasks = world.tasks_of(&key);
    let alive = tasks
        .iter()
        .filter(|task| task.is_alive() && task.stage != Stage::Stopped);
    ServiceState {
        desired: service.desired_count,
        running: running as u32,
        pending: pending as u32,
        tasks: alive
            .map(|task| state(world, task, &groups, answers(task)))
            .collect(),
        load_balancer: (!groups.is_empty()).then(|| Ok(AppUrl::parse(&balancer(name)).expect("an address"))),
        target_groups: groups,
        ..ServiceState::default()
    }
}

fn state(world: &World, task: &Task, groups: &[String], answers: bool) -> TaskState {
    let stage = match task.stage {
        Stage::Provisioning => TaskStage::Provisioning,
        Stage::Pending => TaskStage::Pending,
        Stage::Activating => TaskStage::Activating,
        Stage::Running => TaskStage::Running,
        _ => TaskStage::Stopping,
    };
    let checked = task.definition.main().health_check.is_some();
    let asked = stage == TaskStage::Running && !checked && groups.is_empty();
    let public = task.interface.as_ref().and_then(|interface| interface.public);
    TaskState {
        id: task.id.0.clone(),
        stage,
        health: checked.then(|| match task.health_status() {
            HealthStatus::Healthy => Health::Healthy,
            other => Health::Unhealthy(other.name().to_owned()),
        }),
        targets: groups
            .iter()
            .filter_map(|group| target_state(world, task, group))
            .map(|state| match state {
                TargetState::Healthy => Health::Healthy,
                other => Health::Unhealthy(format!("{other:?}")),
            })
            .collect(),
        probe: asked.then(|| {
            if answers {
                Probe::Status(200)
            } else {
                Probe::Failed("connection refused".to_owned())
            }
        }),
        address: match public {
            Some(address) if stage == TaskStage::Running => TaskAddress::Public(ip(address), PORT),
            _ => TaskAddress::Unknown,
        },
        private: task.interface.as_ref().map(|interface| ip(interface.private)),
        times: TaskTimes {
            created: Some(moment(task.created_at)),
            connected: task.connected_at.map(moment),
            pull_started: task.pull_started_at.map(moment),
            pull_stopped: task.pull_stopped_at.map(moment),
            started: task.started_at.map(moment),
        },
    }
}

/// What a target group says of a task.
pub(crate) fn target_state(world: &World, task: &Task, group: &str) -> Option<TargetState> {
    let own = task.interface.as_ref()?.private;
    let targets = &world.target_group(group).ok()?.targets;
    let mut own = targets.iter().filter(|(key, _)| key.address == own);
    own.next().map(|(_, target)| target.state)
}

fn ip(address: Ipv4Addr) -> IpAddr {
    IpAddr::V4(address)
}
