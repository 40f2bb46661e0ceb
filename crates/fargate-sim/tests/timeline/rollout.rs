use fargate_sim::model::{DeploymentStatus, RolloutState};
use serde_json::json;

use super::support::{Sim, minutes, seconds, sim};

/// Two tasks of revision 1, in a steady state, and revision 2 registered.
fn two() -> Sim {
    let mut sim = sim();
    sim.deregistration_delay(60);
    sim.service_behind_balancer(2);
    sim.run(minutes(2));
    sim.define(json!({"name": "web", "image": "nginx:2", "portMappings": [{"containerPort": 8080}]}));
    sim
}

fn deployments(sim: &Sim) -> Vec<(DeploymentStatus, RolloutState, u32)> {
    sim.web()
        .deployments
        .iter()
        .map(|d| (d.status, d.rollout, d.definition.revision))
        .collect()
}

#[test]
fn a_new_task_definition_rolls_out_without_a_moment_below_the_minimum() {
    let mut sim = two();
    sim.update(|u| u.task_definition = Some("web".into()));
    let (primary, active) = (DeploymentStatus::Primary, DeploymentStatus::Active);
    let before = sim.events().len();

    for _ in 0..60 {
        sim.run(seconds(1));
        assert!(sim.targets().iter().filter(|s| **s == "healthy").count() >= 2);
        assert!(sim.alive().len() <= 4);
    }
    assert_eq!(
        deployments(&sim),
        [
            (primary, RolloutState::Completed, 2),
            (active, RolloutState::Completed, 1)
        ]
    );
    sim.run(minutes(2));
    assert_eq!(deployments(&sim), [(primary, RolloutState::Completed, 2)]);
    assert_eq!(sim.counts(), (2, 0));
    let id = &sim.web().deployments[0].id;
    assert_eq!(
        sim.events()[before..],
        [
            "(service web) has started 2 tasks: (task #2) (task #3).".to_string(),
            "(service web) registered 1 targets in (target-group TG)".into(),
            "(service web) registered 1 targets in (target-group TG)".into(),
            "(service web) has begun draining connections on 2 tasks.".into(),
            "(service web) deregistered 1 targets in (target-group TG)".into(),
            "(service web) deregistered 1 targets in (target-group TG)".into(),
            "(service web) has stopped 2 running tasks: (task #0) (task #1).".into(),
            format!("(service web) (deployment {id}) deployment completed."),
            "(service web) has reached a steady state.".into(),
        ]
    );
}

#[test]
fn one_at_a_time_when_the_percentages_say_so() {
    let mut sim = two();
    sim.update(|u| {
        u.task_definition = Some("web".into());
        u.deployment_configuration = Some(json!({"minimumHealthyPercent": 50, "maximumPercent": 100}));
    });
    let mut fewest = 2;
    for _ in 0..300 {
        sim.run(seconds(1));
        fewest = fewest.min(sim.counts().0);
        assert!(sim.alive().len() <= 2);
    }
    assert_eq!((fewest, deployments(&sim).len()), (1, 1));
}

#[test]
fn a_new_count_is_no_new_deployment_and_force_is_one() {
    let mut sim = two();
    let first = sim.web().deployments[0].id.clone();
    sim.desire(3);
    assert_eq!(sim.web().deployments[0].id, first);
    sim.update(|u| u.force_new_deployment = true);
    assert_ne!(sim.web().deployments[0].id, first);
    assert_eq!(sim.web().deployments[0].rollout, RolloutState::InProgress);
    sim.run(minutes(5));
    assert_eq!((sim.web().deployments.len(), sim.counts()), (1, (3, 0)));
}

#[test]
fn a_rollout_waits_for_protected_tasks() {
    let mut sim = two();
    sim.protect(0, 30);
    sim.update(|u| u.task_definition = Some("web".into()));
    sim.run(minutes(20));
    assert_eq!(sim.alive().len(), 3);
    assert_eq!(deployments(&sim)[0].1, RolloutState::InProgress);
    sim.run(minutes(15));
    assert_eq!((sim.alive().len(), deployments(&sim).len()), (2, 1));
}

#[test]
fn scaling_to_zero_in_the_middle_of_a_rollout_leaves_nothing() {
    let mut sim = two();
    sim.update(|u| u.task_definition = Some("web".into()));
    sim.run(seconds(20));
    sim.desire(0);
    sim.run(minutes(3));
    assert_eq!((sim.counts(), sim.alive().len()), ((0, 0), 0));
    assert_eq!(
        deployments(&sim),
        [(DeploymentStatus::Primary, RolloutState::Completed, 2)]
    );
}

#[test]
fn the_circuit_breaker_rolls_back_to_what_worked() {
    let mut sim = two();
    sim.define(json!({"name": "web", "image": "missing", "portMappings": [{"containerPort": 8080}]}));
    sim.update(|u| {
        u.task_definition = Some("web".into());
        u.deployment_configuration =
            Some(json!({"deploymentCircuitBreaker": {"enable": true, "rollback": true}}));
    });
    sim.run(minutes(10));
    assert_eq!(
        deployments(&sim),
        [(DeploymentStatus::Primary, RolloutState::Completed, 1)]
    );
    assert!(
        sim.events()
            .iter()
            .any(|e| e.ends_with("deployment failed: tasks failed to start."))
    );
}
