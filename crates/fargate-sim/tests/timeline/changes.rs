//! What the outside hears of tasks and pipeline jobs.

use fargate_sim::model::{Effect, JobOutcome, JobStatus, Millis, Stage};
use serde_json::json;

use super::support::{START, Sim, seconds, sim};

/// Seconds since the start, stage and version of each change of a task.
fn changes(sim: &Sim) -> Vec<(u64, Stage, u64)> {
    let told = sim.clock.log.iter().filter_map(|(_, effect)| match effect {
        Effect::TaskStateChanged { at, task } => Some((at.since(START).as_secs(), task.stage, task.version)),
        _ => None,
    });
    told.collect()
}

#[test]
fn each_change_is_told_with_the_task_as_it_was_then() {
    let mut sim = sim();
    sim.define(json!({"name": "web", "image": "x", "command": ["crash"]}));
    sim.service(1);
    sim.run(seconds(20));
    sim.desire(0);
    sim.run(seconds(60));
    assert_eq!(
        changes(&sim),
        [
            (1, Stage::Provisioning, 1),
            (11, Stage::Pending, 2),
            (21, Stage::Deprovisioning, 3),
            (29, Stage::Stopped, 4),
        ],
        "stopped while its image was pulled"
    );
}

#[test]
fn a_crash_at_once_is_told_as_running_and_then_as_stopping_in_the_same_moment() {
    let mut sim = sim();
    sim.define(json!({"name": "web", "image": "x", "command": ["crash"]}));
    sim.service(1);
    sim.run(seconds(27));
    let told = changes(&sim);
    let first: Vec<_> = told.iter().filter(|(at, ..)| *at == 26).collect();
    assert_eq!(
        first,
        [
            &(26, Stage::Activating, 3),
            &(26, Stage::Running, 4),
            &(26, Stage::Deprovisioning, 5),
        ]
    );
}

/// When the job's function was invoked, in seconds since the start.
fn invocations(sim: &Sim) -> Vec<u64> {
    let told = sim
        .clock
        .log
        .iter()
        .filter(|(_, e)| matches!(e, Effect::InvokeJob { .. }));
    told.map(|(at, _)| at.since(START).as_secs()).collect()
}

#[test]
fn a_pipeline_job_goes_on_half_a_minute_after_each_token() {
    let mut sim = sim();
    let job = sim.clock.world.start_job("wake".into(), None);
    sim.run(seconds(0));
    for _ in 0..2 {
        sim.run(seconds(5));
        let now: Millis = sim.clock.now;
        let goes_on = JobOutcome::Continues("token".into());
        sim.clock
            .world
            .put_job_result(now, &job, goes_on, json!({}))
            .unwrap();
        sim.run(seconds(30));
    }
    let now = sim.clock.now;
    sim.clock
        .world
        .put_job_result(now, &job, JobOutcome::Succeeded, json!({}))
        .unwrap();
    sim.run(seconds(100));
    assert_eq!(invocations(&sim), [0, 35, 70]);
    assert_eq!(sim.clock.world.job(&job).unwrap().status, JobStatus::Succeeded);
}
