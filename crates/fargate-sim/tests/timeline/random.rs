//! Whatever is done to a service, the scheduler keeps its promises and comes to rest.

use fargate_sim::model::{Ids, Stage, TargetKey};

use super::support::{Sim, minutes, seconds, sim};

/// Stops of protected tasks that no scheduler may make.
fn broken_promises(sim: &Sim, protected: &[(String, bool)]) -> Vec<String> {
    let stopped = |id: &str| {
        sim.tasks()
            .iter()
            .any(|t| t.id.0 == id && t.stop_code == Some("ServiceSchedulerInitiated"))
    };
    protected
        .iter()
        .filter(|(id, before)| !before && stopped(id))
        .map(|(id, _)| id.clone())
        .collect()
}

fn any_task(sim: &Sim, ids: &mut Ids) -> Option<usize> {
    let alive: Vec<usize> = (0..sim.tasks().len())
        .filter(|n| sim.tasks()[*n].is_alive())
        .collect();
    (!alive.is_empty()).then(|| alive[ids.bits() as usize % alive.len()])
}

fn disturb(sim: &mut Sim, ids: &mut Ids) {
    let (now, task) = (sim.clock.now, any_task(sim, ids));
    match (ids.bits() % 6, task) {
        (0, _) => sim.update(|u| u.force_new_deployment = true),
        (1, Some(task)) => sim.protect(task, 1 + (ids.bits() % 10) as i64),
        (2, Some(task)) => {
            let arn = sim.tasks()[task].arn.clone();
            sim.clock.world.stop_task(now, "dev", &arn, None).unwrap();
        }
        (3, Some(task)) => {
            if let Some(interface) = &sim.tasks()[task].interface {
                let target = TargetKey {
                    address: interface.private,
                    port: 8080,
                };
                let group = sim.target_group.clone();
                sim.clock
                    .world
                    .deregister_targets(now, &group, &[target])
                    .unwrap();
            }
        }
        (4, _) => sim.clock.world.set_capacity(now, ids.bits().is_multiple_of(2)),
        _ => sim.desire((ids.bits() % 5) as i64),
    }
}

#[test]
fn protected_tasks_survive_and_the_desired_count_is_reached() {
    for seed in 0..40 {
        let mut ids = Ids::new(seed);
        let mut sim = sim();
        sim.deregistration_delay(ids.bits() % 90);
        sim.service_behind_balancer(2);
        for _ in 0..40 {
            disturb(&mut sim, &mut ids);
            let now = sim.clock.now;
            let until = now + seconds(20);
            let protected: Vec<(String, bool)> = sim
                .tasks()
                .iter()
                .filter(|t| t.protected_until.is_some_and(|at| at > until))
                .map(|t| (t.id.0.clone(), t.stop_wanted))
                .collect();
            sim.run(seconds(ids.bits() % 20));
            assert_eq!(
                broken_promises(&sim, &protected),
                Vec::<String>::new(),
                "seed {seed}"
            );
            let most = (2 * sim.web().desired_count as usize).max(8);
            assert!(sim.alive().len() <= most + protected.len(), "seed {seed}");
        }
        let now = sim.clock.now;
        sim.clock.world.set_capacity(now, true);
        // Tasks whose targets were taken out by hand count as unhealthy; new ones do not.
        sim.update(|u| u.force_new_deployment = true);
        sim.run(minutes(30));
        let desired = sim.web().desired_count as usize;
        assert_eq!(sim.counts(), (desired, 0), "seed {seed}");
        assert_eq!(
            (sim.web().deployments.len(), sim.targets()),
            (1, vec!["healthy"; desired]),
            "seed {seed}"
        );
        let leaving = sim
            .tasks()
            .iter()
            .filter(|t| !t.is_alive() && t.stage != Stage::Stopped)
            .count();
        assert_eq!(
            (leaving, sim.clock.world.interfaces().count()),
            (0, desired),
            "seed {seed}"
        );
    }
}
