//! Readiness: a task that answers, as opposed to one that runs.

use crate::error::{Code, Error};
use crate::observation::{Health, Probe, ServiceState, TaskAddress, TaskStage, TaskState};
use crate::settings::{AppUrl, ServiceSettings};

/// Whether something answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// It does not, and what is waited for.
    NotReady(String),
    /// It cannot be told from here, and why. Never taken for ready, nor for unused.
    Unknown(String),
}

/// A task is ready when its target is healthy in its target groups; else, without a load balancer, when its
/// container health check says HEALTHY; else, without one, when its probe path answers 2xx or 3xx.
#[must_use]
pub fn of_task(task: &TaskState, service: &ServiceState) -> Readiness {
    if task.stage != TaskStage::Running {
        return Readiness::NotReady(waiting_for(task.stage).to_owned());
    }
    if !service.target_groups.is_empty() {
        return of_targets(&task.targets);
    }
    if let Some(health) = &task.health {
        return of_health(health, "container health check");
    }
    match &task.probe {
        Some(Probe::Status(status)) if (200..400).contains(status) => Readiness::Ready,
        Some(Probe::Status(status)) => Readiness::NotReady(format!("the ready path answers {status}")),
        Some(Probe::Failed(why)) => Readiness::NotReady(format!("the ready path does not answer: {why}")),
        None => Readiness::Unknown(match task.address {
            TaskAddress::PrivateOnly(address, _) => format!(
                "the task has only the private address {address}, no load balancer and no container health check: \
                 give it a public address, a load balancer, a health check or the tag dormouse:url"
            ),
            TaskAddress::Public(..) | TaskAddress::Unknown => {
                "the address of the task is not known yet".to_owned()
            }
        }),
    }
}

fn of_targets(targets: &[Health]) -> Readiness {
    let first_not_healthy = targets.iter().find(|target| **target != Health::Healthy);
    match first_not_healthy {
        None if targets.is_empty() => {
            Readiness::NotReady("the task is not registered in its target group yet".to_owned())
        }
        None => Readiness::Ready,
        Some(health) => of_health(health, "target group"),
    }
}

fn of_health(health: &Health, whose: &str) -> Readiness {
    match health {
        Health::Healthy => Readiness::Ready,
        Health::Unhealthy(why) => Readiness::NotReady(format!("{whose}: {why}")),
        Health::Unknown(why) => Readiness::Unknown(format!("{whose}: {why}")),
    }
}

fn waiting_for(stage: TaskStage) -> &'static str {
    match stage {
        TaskStage::Provisioning => "waiting for capacity and a network interface",
        TaskStage::Pending => "pulling the image",
        TaskStage::Activating => "starting containers",
        TaskStage::Running => "running",
        TaskStage::Stopping => "stopping",
    }
}

/// A service is ready when one of its tasks is. One task that says why not speaks for those that cannot be
/// told; a service is `Unknown` only if none of its tasks can be told.
#[must_use]
pub fn of_service(service: &ServiceState) -> Readiness {
    let mut unknown = service.tasks_unknown.clone();
    let mut not_ready = None;
    let mut tasks: Vec<&TaskState> = service.tasks.iter().collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stage == TaskStage::Running));
    for task in tasks {
        match of_task(task, service) {
            Readiness::Ready => return Readiness::Ready,
            Readiness::NotReady(why) => not_ready = not_ready.or(Some(why)),
            Readiness::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    match (unknown, not_ready) {
        (Some(why), _) => Readiness::Unknown(why),
        (None, Some(why)) => Readiness::NotReady(why),
        (None, None) if service.desired == 0 => Readiness::NotReady("no task is wanted".to_owned()),
        (None, None) => Readiness::NotReady("no task has been started yet".to_owned()),
    }
}

/// Whether so many tasks answer that visitors may come: half of those that were asked for, and one at least. Our choice:
/// the first one alone must not stand a rush that was meant for many. Tasks beyond ECS's own count do not stay: a task that
/// its app protects outlives a count of 0, until the protection ends.
#[must_use]
pub fn has_enough(state: &ServiceState, wanted: Option<u32>) -> bool {
    let ready = state
        .tasks
        .iter()
        .filter(|task| of_task(task, state) == Readiness::Ready);
    let ready = u32::try_from(ready.count()).unwrap_or(u32::MAX);
    ready.min(state.desired) >= wanted.unwrap_or(1).div_ceil(2).max(1)
}

/// Where a visitor of this service goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To this address.
    At(AppUrl),
    /// Nowhere, and why.
    Nowhere(Error),
    /// Not known (yet).
    Unknown,
}

/// The app's address: the owner's, else the load balancer's, else that of a ready task.
#[must_use]
pub fn destination(settings: &ServiceSettings, service: Option<&ServiceState>) -> Destination {
    if let Some(url) = &settings.url {
        return Destination::At(url.clone());
    }
    let Some(service) = service else {
        return Destination::Unknown;
    };
    match &service.load_balancer {
        Some(Ok(url)) => return Destination::At(url.clone()),
        Some(Err(error)) => return Destination::Nowhere(error.clone()),
        None => {}
    }
    let mut private = None;
    for task in service
        .tasks
        .iter()
        .filter(|task| task.stage == TaskStage::Running)
    {
        match task.address {
            TaskAddress::Public(address, port) if of_task(task, service) == Readiness::Ready => {
                if let Some(url) = AppUrl::of("http", &host(address), port) {
                    return Destination::At(url);
                }
            }
            TaskAddress::PrivateOnly(address, _) => private = Some(address),
            TaskAddress::Public(..) | TaskAddress::Unknown => {}
        }
    }
    private.map_or(Destination::Unknown, |address| {
        let message = format!(
            "service `{}` has only the private address {address}: give it a public address, a load balancer or the tag \
             dormouse:url",
            settings.id
        );
        Destination::Nowhere(Error::new(Code::NoPublicAddress, message))
    })
}

fn host(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::ids::ServiceId;
    use crate::settings::Defaults;

    fn task(change: impl FnOnce(&mut TaskState)) -> TaskState {
        let mut task = TaskState {
            id: "t1".into(),
            stage: TaskStage::Running,
            health: None,
            targets: Vec::new(),
            probe: None,
            address: TaskAddress::Public(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)), 8080),
            private: None,
            times: Default::default(),
        };
        change(&mut task);
        task
    }

    fn with(balanced: bool, tasks: Vec<TaskState>) -> ServiceState {
        let target_groups = if balanced {
            vec!["arn:aws:targetgroup/web/1".to_owned()]
        } else {
            Vec::new()
        };
        ServiceState {
            desired: 1,
            running: 1,
            target_groups,
            tasks,
            ..ServiceState::default()
        }
    }

    fn is_ready(balanced: bool, task: TaskState) -> bool {
        of_service(&with(balanced, vec![task])) == Readiness::Ready
    }

    #[test]
    fn running_alone_is_not_ready() {
        assert!(!is_ready(false, task(|_| {})));
        assert!(
            !is_ready(true, task(|t| t.probe = Some(Probe::Status(200)))),
            "the target group decides"
        );
    }

    #[test]
    fn every_target_group_must_find_the_task_healthy() {
        let unhealthy = || Health::Unhealthy("Health checks failed with these codes: [500]".into());
        assert!(is_ready(
            true,
            task(|t| t.targets = vec![Health::Healthy, Health::Healthy])
        ));
        assert!(!is_ready(
            true,
            task(|t| t.targets = vec![Health::Healthy, unhealthy()])
        ));
        assert!(!is_ready(
            true,
            task(|t| t.targets = vec![Health::Unknown("no answer".into())])
        ));
    }

    #[test]
    fn the_container_health_check_decides_before_the_probe() {
        assert!(is_ready(false, task(|t| t.health = Some(Health::Healthy))));
        let probed = |t: &mut TaskState| {
            t.health = Some(Health::Unhealthy("UNHEALTHY".into()));
            t.probe = Some(Probe::Status(200));
        };
        assert!(!is_ready(false, task(probed)));
    }

    #[test]
    fn a_probe_that_answers_2xx_or_3xx_is_ready() {
        for (status, ready) in [
            (199, false),
            (200, true),
            (204, true),
            (302, true),
            (399, true),
            (400, false),
            (503, false),
        ] {
            assert_eq!(
                is_ready(false, task(|t| t.probe = Some(Probe::Status(status)))),
                ready,
                "{status}"
            );
        }
    }

    #[test]
    fn a_task_that_is_not_running_is_not_ready_whatever_answers() {
        for stage in [
            TaskStage::Provisioning,
            TaskStage::Pending,
            TaskStage::Activating,
            TaskStage::Stopping,
        ] {
            assert!(!is_ready(
                true,
                task(|t| {
                    t.stage = stage;
                    t.targets = vec![Health::Healthy];
                })
            ));
        }
    }

    #[test]
    fn tasks_that_cannot_be_looked_at_are_unknown_and_not_absent() {
        let mut service = with(false, Vec::new());
        service.tasks_unknown = Some("ListTasks: Rate exceeded".into());
        assert_eq!(
            of_service(&service),
            Readiness::Unknown("ListTasks: Rate exceeded".into())
        );
    }

    #[test]
    fn one_ready_task_is_enough_and_a_visitor_is_sent_to_that_one() {
        let slow = task(|t| t.probe = Some(Probe::Status(503)));
        let ready = task(|t| {
            t.probe = Some(Probe::Status(200));
            t.address = TaskAddress::Public(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 8)), 80);
        });
        let service = with(false, vec![slow, ready]);
        assert_eq!(of_service(&service), Readiness::Ready);
        let settings = ServiceSettings::of(ServiceId::new("dev", "web"), &Defaults::default());
        assert_eq!(
            destination(&settings, Some(&service)),
            Destination::At(AppUrl::parse("http://198.51.100.8").expect("an address"))
        );
    }

    /// Found by the simulation, seed 973: the app's address was led to a task that outlived a sleep, and left soon after.
    #[test]
    fn tasks_that_ecs_does_not_want_are_not_enough_however_many_answer() {
        let healthy = || task(|t| t.targets = vec![Health::Healthy]);
        let mut service = with(true, vec![healthy(), healthy()]);
        for (desired, wanted, enough) in [
            (0, 1, false),
            (1, 1, true),
            (1, 2, true),
            (1, 4, false),
            (2, 4, true),
            (2, 5, false),
        ] {
            service.desired = desired;
            assert_eq!(
                has_enough(&service, Some(wanted)),
                enough,
                "{desired} of {wanted}"
            );
        }
        service.desired = 0;
        assert!(!has_enough(&service, None));
    }

    #[test]
    fn a_private_address_is_said_to_be_private_and_never_a_destination() {
        let private = task(|t| {
            t.health = Some(Health::Healthy);
            t.address = TaskAddress::PrivateOnly(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9)), 80);
        });
        let settings = ServiceSettings::of(ServiceId::new("dev", "web"), &Defaults::default());
        match destination(&settings, Some(&with(false, vec![private]))) {
            Destination::Nowhere(Error { message: why, .. }) => {
                assert!(why.contains("10.0.0.9") && why.contains("dormouse:url"), "{why}")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_task_that_runs_says_why_it_is_not_ready_before_one_on_its_way() {
        let mut state = ServiceState {
            desired: 2,
            ..ServiceState::default()
        };
        state.tasks = vec![
            task(|task| task.stage = TaskStage::Pending),
            task(|task| task.health = Some(Health::Unhealthy("503".to_owned()))),
        ];
        let Readiness::NotReady(why) = of_service(&state) else {
            panic!("it is not ready")
        };
        assert!(why.contains("503"), "{why}");
    }

    #[test]
    fn without_a_task_it_says_whether_one_is_wanted() {
        let of = |desired| {
            of_service(&ServiceState {
                desired,
                ..ServiceState::default()
            })
        };
        assert_eq!(of(0), Readiness::NotReady("no task is wanted".to_owned()));
        assert_eq!(
            of(1),
            Readiness::NotReady("no task has been started yet".to_owned())
        );
    }

    #[test]
    fn each_stage_says_what_it_waits_for() {
        let stages = [
            (
                TaskStage::Provisioning,
                "waiting for capacity and a network interface",
            ),
            (TaskStage::Pending, "pulling the image"),
            (TaskStage::Activating, "starting containers"),
        ];
        for (stage, words) in stages {
            let state = ServiceState {
                desired: 1,
                tasks: vec![task(|task| task.stage = stage)],
                ..ServiceState::default()
            };
            let Readiness::NotReady(why) = of_service(&state) else {
                panic!("it is not ready")
            };
            assert!(why.contains(words), "{why}");
        }
    }
}
