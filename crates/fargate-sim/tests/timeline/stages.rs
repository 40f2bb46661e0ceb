use fargate_sim::model::{Config, Stage, Timing};
use serde_json::json;

use super::support::{Sim, minutes, seconds, sim, with};

/// Tenths of a second at which the first task came to each stage.
fn timeline(sim: &mut Sim, tenths: u64) -> Vec<(u64, Stage)> {
    let mut seen = Vec::new();
    for tenth in 1..=tenths {
        sim.run(std::time::Duration::from_millis(100));
        let stage = sim.stages().first().copied();
        if let Some(stage) = stage.filter(|s| seen.last().is_none_or(|(_, last)| last != s)) {
            seen.push((tenth, stage));
        }
    }
    seen
}

#[test]
fn a_task_is_running_about_half_a_minute_after_it_is_wanted() {
    let mut sim = sim();
    sim.service(1);
    assert_eq!(
        timeline(&mut sim, 400),
        [
            (10, Stage::Provisioning),
            (110, Stage::Pending),
            (260, Stage::Activating),
            (275, Stage::Running)
        ]
    );
    assert_eq!(sim.counts(), (1, 0));
}

#[test]
fn speed_shortens_every_stage() {
    let timing = Timing {
        speed: 10.0,
        ..Timing::default()
    };
    let mut sim = with(
        Config {
            timing,
            ..Config::default()
        },
        |_, _| None,
    );
    sim.service(1);
    assert_eq!(timeline(&mut sim, 40).last(), Some(&(28, Stage::Running)));
}

#[test]
fn a_task_that_is_told_to_stop_gives_its_interface_back_and_is_described_for_an_hour() {
    let mut sim = sim();
    sim.service(1);
    sim.run(minutes(1));
    sim.desire(0);
    assert_eq!(
        timeline(&mut sim, 200),
        [
            (1, Stage::Running),
            (10, Stage::Deprovisioning),
            (90, Stage::Stopped)
        ]
    );
    assert_eq!(sim.clock.world.interfaces().count(), 0);
    let task = sim.tasks()[0];
    assert_eq!(task.stop_code, Some("ServiceSchedulerInitiated"));
    assert!(
        task.stopped_reason
            .as_ref()
            .unwrap()
            .starts_with("Scaling activity initiated by (deployment ecs-svc/")
    );

    sim.run(minutes(59));
    assert_eq!(sim.tasks().len(), 1);
    sim.run(minutes(2));
    assert_eq!(sim.tasks().len(), 0);
}

#[test]
fn only_tasks_of_services_that_ask_for_it_have_a_public_address() {
    let mut sim = sim();
    sim.create(1, |s| {
        let network =
            json!({"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"});
        s.network_configuration = Some(json!({"awsvpcConfiguration": network}));
    });
    sim.run(minutes(1));
    let interface = sim.tasks()[0].interface.clone().unwrap();
    assert_eq!(interface.private.to_string(), "127.77.0.2");
    assert_eq!(interface.public.unwrap().to_string(), "127.78.0.2");

    let mut private = super::support::sim();
    private.service(1);
    private.run(minutes(1));
    assert_eq!(private.tasks()[0].interface.as_ref().unwrap().public, None);
}

#[test]
fn a_pull_takes_as_long_as_the_task_definition_says_or_for_ever() {
    let mut sim = sim();
    let environment = json!([{"name": "SIM_PULL_SECONDS", "value": "100"}]);
    sim.define(json!({"name": "web", "image": "big", "environment": environment}));
    sim.service(1);
    sim.run(seconds(100));
    assert_eq!(sim.stages(), [Stage::Pending]);
    sim.run(seconds(20));
    assert_eq!(sim.stages(), [Stage::Running]);

    let environment = json!([{"name": "SIM_PENDING", "value": "forever"}]);
    sim.define(json!({"name": "web", "image": "huge", "environment": environment}));
    sim.update(|u| u.task_definition = Some("web".into()));
    sim.run(minutes(120));
    assert_eq!(
        sim.alive().iter().map(|t| t.stage).collect::<Vec<_>>(),
        [Stage::Running, Stage::Pending]
    );
}

#[test]
fn a_task_stopped_by_hand_is_replaced() {
    let mut sim = sim();
    sim.service(1);
    sim.run(minutes(1));
    let (id, now) = (sim.tasks()[0].id.0.clone(), sim.clock.now);
    sim.clock
        .world
        .stop_task(now, "dev", &id, Some("testing"))
        .unwrap();
    sim.run(seconds(3));
    let stopped = sim.tasks()[0];
    assert_eq!(
        (stopped.stop_code, stopped.stopped_reason.as_deref()),
        (Some("UserInitiated"), Some("testing"))
    );
    assert_eq!(sim.alive().len(), 1);
    sim.run(minutes(1));
    assert_eq!(sim.stages(), [Stage::Stopped, Stage::Running]);
}

#[test]
fn the_same_calls_give_the_same_world() {
    let run = || {
        let mut sim = sim();
        sim.service_behind_balancer(3);
        sim.run(minutes(2));
        sim.desire(1);
        sim.run(minutes(10));
        format!("{:?} {:?}", sim.events(), sim.clock.log)
    };
    assert_eq!(run(), run());
}

#[test]
fn one_long_advance_goes_through_every_moment() {
    let mut sim = sim();
    sim.service(1);
    let end = sim.clock.now + minutes(1);
    sim.clock.world.advance(end);
    let task = sim.tasks()[0];
    assert_eq!(task.stage, Stage::Activating, "nobody said that the app listens");
    assert_eq!(task.pull_stopped_at.unwrap().since(task.created_at).as_secs(), 25);
}
