use std::cell::RefCell;
use std::rc::Rc;

use fargate_sim::model::{Answer, App, Config, Effect, HealthStatus, ProbeOutcome, Stage};
use serde_json::json;

use super::support::{minutes, seconds, sim, with};

#[test]
fn an_image_that_cannot_be_pulled_stops_the_task_with_ecs_s_words() {
    let mut sim = sim();
    sim.define(json!({"name": "web", "image": "example.com/missing:1"}));
    sim.service(1);
    sim.run(seconds(40));
    let task = sim.tasks()[0];
    assert_eq!(
        (task.stage, task.stop_code, &task.app),
        (Stage::Stopped, Some("TaskFailedToStart"), &App::None)
    );
    assert_eq!(
        task.stopped_reason.as_deref(),
        Some(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
             example.com/missing:1: example.com/missing:1: not found"
        )
    );
    assert_eq!(sim.web().deployments[0].failed_tasks, 1);
}

#[test]
fn restarts_of_tasks_that_never_ran_slow_down_and_a_new_deployment_starts_afresh() {
    let mut sim = sim();
    sim.define(json!({"name": "web", "image": "missing"}));
    sim.service(1);
    let started = |sim: &super::support::Sim| sim.tasks().last().unwrap().number;
    sim.run(minutes(5));
    let early = started(&sim);
    assert!((4..=8).contains(&early), "{early}");
    let cannot = "(service web) is unable to consistently start tasks successfully. For more information, see the \
                  Troubleshooting section of the Amazon ECS Developer Guide.";
    assert!(sim.events().iter().any(|e| e == cannot));
    sim.run(minutes(60));
    let late = started(&sim);
    assert!(late - early <= 6, "{early} {late}");

    sim.update(|u| u.force_new_deployment = true);
    sim.run(seconds(3));
    assert_eq!(started(&sim), late + 1, "at once");
}

#[test]
fn a_crash_loop_is_not_slowed_down_and_says_exit_code_and_reason() {
    let mut sim = sim();
    sim.define(json!({"name": "web", "image": "nginx", "command": ["crash"]}));
    sim.service(1);
    sim.run(minutes(10));
    let task = sim.tasks()[0];
    assert_eq!(
        (task.stop_code, &task.app),
        (Some("EssentialContainerExited"), &App::Exited(Some(1)))
    );
    assert_eq!(
        task.stopped_reason.as_deref(),
        Some("Essential container in task exited")
    );
    assert!(task.started_at.is_some(), "it was RUNNING, if briefly");
    assert!(sim.tasks().len() > 15, "{}", sim.tasks().len());
    assert!(!sim.events().iter().any(|e| e.contains("unable to consistently")));
}

#[test]
fn without_capacity_nothing_starts_until_there_is_some() {
    let mut sim = sim();
    let now = sim.clock.now;
    sim.clock.world.set_capacity(now, false);
    sim.service(2);
    sim.run(minutes(2));
    assert_eq!(sim.tasks().len(), 0);
    assert_eq!(
        sim.events()[0],
        "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again \
         later or in a different availability zone. For more information, see the Troubleshooting section of the \
         Amazon ECS Developer Guide."
    );
    assert!(sim.events().len() <= 5);
    let now = sim.clock.now;
    sim.clock.world.set_capacity(now, true);
    sim.run(minutes(1));
    assert_eq!(sim.counts(), (2, 0));
}

#[test]
fn a_container_that_fails_its_health_checks_is_replaced() {
    let well = Rc::new(RefCell::new(true));
    let answer = well.clone();
    let mut sim = with(Config::default(), move |_, effect| match effect {
        Effect::ProbeContainer {
            task,
            port: 8080,
            path,
            ..
        } if path == "/up" => Some(Answer::ContainerProbed {
            task: task.clone(),
            healthy: *answer.borrow(),
        }),
        _ => None,
    });
    let command = json!(["CMD-SHELL", "curl -f http://localhost:8080/up || exit 1"]);
    let check = json!({"command": command, "interval": 10, "retries": 2, "startPeriod": 5});
    sim.define(
        json!({"name": "web", "image": "x", "portMappings": [{"containerPort": 8080}], "healthCheck": check}),
    );
    sim.service(1);
    sim.run(seconds(30));
    assert_eq!(
        (sim.stages()[0], sim.tasks()[0].health_status()),
        (Stage::Running, HealthStatus::Unknown)
    );
    sim.run(seconds(10));
    assert_eq!(sim.tasks()[0].health_status(), HealthStatus::Healthy);

    *well.borrow_mut() = false;
    sim.run(seconds(12));
    assert_eq!(
        sim.tasks()[0].health_status(),
        HealthStatus::Healthy,
        "one failure is not two"
    );
    sim.run(seconds(12));
    let task = sim.tasks()[0];
    assert_eq!(
        task.stopped_reason.as_deref(),
        Some("Task failed container health checks")
    );
    assert!(
        sim.events()
            .contains(&"(service web) (task #0) failed container health checks.".to_string())
    );
    *well.borrow_mut() = true;
    sim.run(minutes(2));
    assert_eq!(sim.counts(), (1, 0));
}

#[test]
fn a_task_that_fails_the_load_balancer_s_checks_is_replaced_after_its_grace_period() {
    let mut sim = with(Config::default(), |_, effect| match effect {
        Effect::ProbeTarget {
            target_group, target, ..
        } => Some(Answer::TargetProbed {
            target_group: target_group.clone(),
            target: *target,
            outcome: ProbeOutcome::Status(503),
        }),
        _ => None,
    });
    sim.service_behind_balancer(1);
    sim.update(|u| u.health_check_grace_period_seconds = Some(120));
    sim.run(minutes(2));
    assert_eq!((sim.counts(), sim.targets()), ((1, 0), vec!["unhealthy"]));
    sim.run(seconds(40));
    let reason = format!(
        "Task failed ELB health checks in (target-group {})",
        sim.target_group
    );
    assert_eq!(sim.tasks()[0].stopped_reason, Some(reason));
    let event = "(service web) (port 8080) is unhealthy in (target-group TG) due to (reason Health checks failed with \
                 these codes: [503])";
    assert!(sim.events().contains(&event.to_string()));
    assert_eq!(sim.web().deployments[0].failed_tasks, 1);
    assert_eq!(sim.alive().len(), 1);
}
