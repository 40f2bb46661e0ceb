//! What Application Auto Scaling does to the count of a service.

use fargate_sim::model::{RegisterScalableTarget, ScalableTarget, ServiceKey, SuspendedState};

use super::support::{Sim, minutes, seconds, sim};

const ALL: SuspendedState = SuspendedState {
    dynamic_in: true,
    dynamic_out: true,
    scheduled: true,
};

fn web() -> ServiceKey {
    ServiceKey::new("dev", "web")
}

impl Sim {
    fn register(&mut self, input: RegisterScalableTarget) -> Result<(), String> {
        let now = self.clock.now;
        let done = self.clock.world.register_scalable_target(now, &web(), input);
        done.map_err(|error| error.to_string())
    }

    fn suspend(&mut self, suspended: SuspendedState) {
        let input = RegisterScalableTarget {
            suspended: Some(suspended),
            ..RegisterScalableTarget::default()
        };
        self.register(input).unwrap();
    }

    fn target(&self) -> ScalableTarget {
        *self.clock.world.scalable_target(&web()).unwrap()
    }

    fn count(&self) -> u32 {
        self.web().desired_count
    }
}

fn two_to_six() -> RegisterScalableTarget {
    RegisterScalableTarget {
        min: Some(2),
        max: Some(6),
        suspended: None,
    }
}

/// A service with four tasks, scaled between two and six.
fn scaled() -> Sim {
    let mut sim = sim();
    sim.service(4);
    sim.run(minutes(2));
    sim.register(two_to_six()).unwrap();
    sim
}

#[test]
fn a_count_outside_of_the_bounds_does_not_stay() {
    let mut sim = scaled();
    for (set, becomes) in [(0, 2), (9, 6), (3, 3)] {
        sim.desire(set);
        assert_eq!(i64::from(sim.count()), set, "callers see it for a moment");
        sim.run(seconds(2));
        assert_eq!(sim.count(), becomes);
    }
}

#[test]
fn a_count_of_0_stays_only_while_everything_is_suspended() {
    for n in 0..8 {
        let suspended = SuspendedState {
            dynamic_in: n & 1 != 0,
            dynamic_out: n & 2 != 0,
            scheduled: n & 4 != 0,
        };
        let mut sim = scaled();
        sim.suspend(suspended);
        sim.desire(0);
        sim.run(minutes(60));
        let stays = suspended.dynamic_out && suspended.scheduled;
        assert_eq!(sim.count(), if stays { 0 } else { 2 }, "{suspended:?}");
    }
}

#[test]
fn an_activity_that_is_not_needed_any_more_does_not_happen() {
    let mut sim = scaled();
    sim.desire(9);
    sim.clock.run(std::time::Duration::from_millis(500));
    sim.desire(5);
    sim.run(seconds(5));
    assert_eq!(sim.count(), 5);
}

/// "even if you don't include the MinCapacity or MaxCapacity request parameters": whoever touches the target of a service
/// that sleeps wakes it.
#[test]
fn registering_a_target_brings_the_count_within_its_bounds_whatever_is_suspended() {
    let mut sim = scaled();
    sim.suspend(ALL);
    sim.desire(0);
    sim.run(minutes(1));
    sim.suspend(ALL);
    assert_eq!(sim.count(), 2);
}

#[test]
fn what_is_not_given_is_not_changed() {
    let mut sim = scaled();
    let created_at = sim.target().created_at;
    sim.suspend(ALL);
    sim.run(minutes(1));
    let input = RegisterScalableTarget {
        max: Some(8),
        ..RegisterScalableTarget::default()
    };
    sim.register(input).unwrap();
    let target = sim.target();
    assert_eq!(
        (target.min, target.max, target.suspended, target.created_at),
        (2, 8, ALL, created_at)
    );
}

#[test]
fn a_target_that_makes_no_sense_is_refused() {
    let mut sim = sim();
    assert_eq!(
        sim.register(two_to_six()),
        Err("ValidationException: ECS service doesn't exist: service/dev/web".to_owned())
    );
    sim.service(4);
    let only_min = RegisterScalableTarget {
        min: Some(2),
        ..RegisterScalableTarget::default()
    };
    let upside_down = RegisterScalableTarget {
        max: Some(1),
        ..two_to_six()
    };
    for input in [RegisterScalableTarget::default(), only_min, upside_down] {
        let refused = sim.register(input).unwrap_err();
        assert!(refused.starts_with("ValidationException"), "{refused}");
    }
    assert!(sim.clock.world.scalable_target(&web()).is_none());
}

#[test]
fn a_target_that_is_gone_scales_nothing() {
    let mut sim = scaled();
    sim.desire(0);
    sim.clock.world.deregister_scalable_target(&web()).unwrap();
    sim.run(minutes(1));
    assert_eq!(sim.count(), 0);
    let error = sim.clock.world.deregister_scalable_target(&web()).unwrap_err();
    assert_eq!(error.code, "ObjectNotFoundException");
}
