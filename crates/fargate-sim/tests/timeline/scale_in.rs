use std::time::Duration;

use fargate_sim::model::{Config, ScaleInChoice, Stage, TargetKey};

use super::support::{Sim, minutes, seconds, sim, with};

/// Three tasks behind the load balancer, in a steady state.
fn three(config: Config) -> Sim {
    let mut sim = with(config, |_, _| None);
    sim.deregistration_delay(60);
    sim.service_behind_balancer(3);
    sim.run(minutes(2));
    assert_eq!((sim.counts(), sim.targets()), ((3, 0), vec!["healthy"; 3]));
    sim
}

fn alive_numbers(sim: &Sim) -> Vec<usize> {
    let tasks = sim.tasks();
    (0..tasks.len()).filter(|n| tasks[*n].is_alive()).collect()
}

fn target_of(sim: &Sim, task: usize) -> TargetKey {
    TargetKey {
        address: sim.tasks()[task].interface.as_ref().unwrap().private,
        port: 8080,
    }
}

#[test]
fn a_scale_in_drains_before_it_stops() {
    let mut sim = three(Config {
        scale_in: ScaleInChoice::oldest(),
        ..Config::default()
    });
    sim.desire(2);
    sim.run(seconds(2));
    assert_eq!(
        sim.stages(),
        [Stage::Deactivating, Stage::Running, Stage::Running]
    );
    assert_eq!(sim.tasks()[0].desired_status(), "STOPPED");
    assert_eq!(
        (sim.counts(), sim.targets()),
        ((2, 0), vec!["draining", "healthy", "healthy"])
    );

    sim.run(seconds(58));
    assert_eq!(
        sim.stages()[0],
        Stage::Deactivating,
        "the deregistration delay is not over"
    );
    sim.run(seconds(2));
    assert_eq!(
        (sim.stages()[0], sim.targets()),
        (Stage::Deprovisioning, vec!["healthy"; 2])
    );
    assert_eq!(
        sim.events()[6..],
        [
            "(service web) has begun draining connections on 1 tasks.",
            "(service web) deregistered 1 targets in (target-group TG)",
            "(service web) has stopped 1 running tasks: (task #0).",
            "(service web) has reached a steady state.",
        ]
    );
}

#[test]
fn protected_tasks_are_never_picked_whichever_is_preferred() {
    for choice in [
        ScaleInChoice::oldest(),
        ScaleInChoice::newest(),
        ScaleInChoice::busiest(),
    ] {
        for spared in 0..3 {
            let mut sim = three(Config {
                scale_in: choice.clone(),
                ..Config::default()
            });
            let others: Vec<usize> = (0..3).filter(|n| *n != spared).collect();
            others.iter().for_each(|n| sim.protect(*n, 60));
            sim.desire(2);
            sim.run(minutes(5));
            assert_eq!(alive_numbers(&sim), others);
        }
    }
}

#[test]
fn with_every_task_protected_a_scale_in_waits_until_protection_expires() {
    let mut sim = three(Config::default());
    (0..3).for_each(|n| sim.protect(n, 10));
    sim.desire(0);
    sim.run(minutes(9));
    assert_eq!(sim.counts(), (3, 0));
    sim.protect(1, 10);
    sim.run(minutes(2));
    assert_eq!(alive_numbers(&sim), [1]);
    sim.run(minutes(10));
    assert_eq!(sim.counts(), (0, 0));
}

#[test]
fn the_worst_pick_is_the_busiest_task() {
    let mut sim = three(Config::default());
    let id = sim.tasks()[1].id.clone();
    let load = fargate_sim::model::Load {
        connections: 9,
        ..Default::default()
    };
    sim.clock.world.report_load(&id, load);
    sim.desire(2);
    sim.run(seconds(2));
    assert_eq!(alive_numbers(&sim), [0, 2]);
}

#[test]
fn a_target_deregistered_first_has_drained_when_the_count_is_lowered() {
    let mut sim = three(Config::default());
    let (target, now) = (target_of(&sim, 1), sim.clock.now);
    sim.protect(0, 60);
    sim.protect(2, 60);
    sim.clock
        .world
        .deregister_targets(now, &sim.target_group, &[target])
        .unwrap();
    sim.run(seconds(70));
    assert_eq!(
        (sim.counts(), sim.targets().len()),
        ((3, 0), 2),
        "out of the group, still running"
    );
    sim.desire(2);
    sim.run(seconds(2));
    assert_eq!(
        sim.stages()[1],
        Stage::Deprovisioning,
        "nothing was left to drain"
    );
}

#[test]
fn a_draining_target_can_be_registered_again() {
    let mut sim = three(Config::default());
    let (target, now) = (target_of(&sim, 0), sim.clock.now);
    sim.clock
        .world
        .deregister_targets(now, &sim.target_group, &[target])
        .unwrap();
    sim.run(seconds(30));
    assert_eq!(sim.targets()[0], "draining");
    let now = sim.clock.now;
    sim.clock
        .world
        .register_targets(now, &sim.target_group, &[target])
        .unwrap();
    assert_eq!(sim.targets()[0], "initial");
    sim.run(seconds(60));
    assert_eq!((sim.targets(), sim.counts()), (vec!["healthy"; 3], (3, 0)));
}

#[test]
fn a_scheduler_that_registers_targets_again_can_be_modelled() {
    let mut sim = three(Config {
        reregister_after: Some(Duration::from_secs(20)),
        ..Config::default()
    });
    let (target, now) = (target_of(&sim, 0), sim.clock.now);
    sim.clock
        .world
        .deregister_targets(now, &sim.target_group, &[target])
        .unwrap();
    sim.run(seconds(10));
    assert_eq!(sim.targets()[0], "draining");
    sim.run(seconds(15));
    assert_eq!(sim.targets(), ["healthy"; 3]);
}

#[test]
fn stop_task_neither_heeds_protection_nor_waits_for_draining() {
    let mut sim = three(Config::default());
    sim.protect(0, 60);
    let (id, now) = (sim.tasks()[0].arn.clone(), sim.clock.now);
    sim.clock.world.stop_task(now, "dev", &id, None).unwrap();
    sim.run(seconds(1));
    assert_eq!(sim.stages()[0], Stage::Deprovisioning);
    assert_eq!(sim.targets()[0], "draining");
}

#[test]
fn protection_takes_ten_tasks_a_call_one_to_2880_minutes_and_no_strangers() {
    let mut sim = sim();
    sim.service(1);
    sim.run(minutes(1));
    let (now, arn) = (sim.clock.now, sim.tasks()[0].arn.clone());
    let world = &mut sim.clock.world;
    assert!(
        world
            .update_task_protection(now, "dev", &vec![arn.clone(); 11], true, None)
            .is_err()
    );
    assert!(
        world
            .update_task_protection(now, "dev", std::slice::from_ref(&arn), true, Some(0))
            .is_err()
    );
    assert!(
        world
            .update_task_protection(now, "dev", std::slice::from_ref(&arn), true, Some(2881))
            .is_err()
    );

    let (done, failures) = world
        .update_task_protection(now, "dev", &[arn.clone(), "nobody".into()], true, None)
        .unwrap();
    assert_eq!(done[0].until, Some(now + minutes(120)));
    assert_eq!(
        (failures[0].arn.as_str(), failures[0].reason),
        ("nobody", "MISSING")
    );

    sim.run(minutes(121));
    let (done, _) = sim.clock.world.get_task_protection("dev", &[arn]).unwrap();
    assert_eq!(done[0].until, None);
}
