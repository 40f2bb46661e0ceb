use std::cell::RefCell;
use std::rc::Rc;

use fargate_sim::model::{Answer, Config, Effect, MetricValue, Millis, ProbeOutcome, RequestLine, Route};

use super::support::{Sim, minutes, seconds, with};

/// Two tasks whose targets answer with the status in the cell. The scheduler's own reaction is kept off by a long
/// grace period.
fn two(status: &Rc<RefCell<u16>>) -> Sim {
    let status = status.clone();
    let mut sim = with(Config::default(), move |_, effect| match effect {
        Effect::ProbeTarget {
            target_group, target, ..
        } => Some(Answer::TargetProbed {
            target_group: target_group.clone(),
            target: *target,
            outcome: ProbeOutcome::Status(*status.borrow()),
        }),
        _ => None,
    });
    sim.service_behind_balancer(2);
    sim.update(|u| u.health_check_grace_period_seconds = Some(86_400));
    sim
}

fn address(route: &Route) -> Option<String> {
    match route {
        Route::Target { target, .. } => Some(target.to_string()),
        _ => None,
    }
}

#[test]
fn a_target_is_new_then_healthy_then_unhealthy_then_slowly_healthy_again() {
    let status = Rc::new(RefCell::new(200));
    let mut sim = two(&status);
    sim.run(seconds(28));
    assert_eq!(sim.targets(), ["initial"; 2], "registered a moment ago");
    sim.run(seconds(3));
    assert_eq!(sim.targets(), ["healthy"; 2], "one pass is enough at first");

    *status.borrow_mut() = 500;
    sim.run(seconds(10));
    assert_eq!(sim.targets(), ["healthy"; 2]);
    sim.run(seconds(10));
    assert_eq!(sim.targets(), ["unhealthy"; 2], "after two failures");

    *status.borrow_mut() = 200;
    sim.run(seconds(40));
    assert_eq!(sim.targets(), ["unhealthy"; 2]);
    sim.run(seconds(10));
    assert_eq!(sim.targets(), ["healthy"; 2], "after five passes");
}

#[test]
fn requests_go_to_healthy_targets_in_turn_to_unhealthy_ones_only_if_there_are_no_others() {
    let status = Rc::new(RefCell::new(200));
    let mut sim = two(&status);
    assert_eq!(
        sim.clock.world.route(&sim.listener, &RequestLine::default()),
        Route::NoTarget
    );
    sim.run(seconds(28));
    assert_eq!(
        sim.clock.world.route(&sim.listener, &RequestLine::default()),
        Route::NoTarget,
        "new targets get nothing"
    );
    sim.run(minutes(1));
    let mut routes: Vec<_> = (0..4)
        .map(|_| address(&sim.clock.world.route(&sim.listener, &RequestLine::default())))
        .collect();
    assert_eq!((&routes[0], &routes[1]), (&routes[2], &routes[3]));
    routes.sort();
    routes.dedup();
    assert_eq!(routes.len(), 2);

    *status.borrow_mut() = 500;
    sim.run(minutes(1));
    assert!(
        address(&sim.clock.world.route(&sim.listener, &RequestLine::default())).is_some(),
        "all are unhealthy: fail open"
    );
}

#[test]
fn targets_are_unused_until_a_listener_leads_to_them() {
    let mut sim = two(&Rc::new(RefCell::new(200)));
    sim.run(minutes(1));
    let now = sim.clock.now;
    sim.clock.world.delete_listener(now, &sim.listener).unwrap();
    assert_eq!(sim.targets(), ["unused"; 2]);
    assert_eq!(
        sim.clock.world.route(&sim.listener, &RequestLine::default()),
        Route::NoListener
    );
}

#[test]
fn metrics_count_what_aws_counts() {
    let mut sim = two(&Rc::new(RefCell::new(200)));
    let listener = sim.listener.clone();
    let request = |sim: &mut Sim| {
        let route = sim.clock.world.route(&listener, &RequestLine::default());
        sim.clock.world.count_request(&listener, &route);
    };
    let minute = Millis(1_800_000_000_000);
    let collect = |sim: &mut Sim| -> Vec<(&'static str, usize, f64)> {
        let data = sim.clock.world.collect_metrics(minute);
        let value = |v: &MetricValue| match v {
            MetricValue::One(v) => *v,
            MetricValue::Many { sum, samples, .. } => sum / samples,
        };
        data.iter()
            .map(|d| (d.name, d.dimensions.len(), value(&d.value)))
            .collect()
    };
    request(&mut sim);
    assert_eq!(
        collect(&mut sim),
        [
            ("HTTPCode_ELB_503_Count", 1, 1.0),
            ("HTTPCode_ELB_5XX_Count", 1, 1.0)
        ],
        "no target, no RequestCount"
    );

    sim.run(minutes(1));
    (0..3).for_each(|_| request(&mut sim));
    let group = sim.target_group.clone();
    for status in [200, 404, 500, 503] {
        sim.clock.world.count_answer(&listener, &group, status);
    }
    sim.clock.world.count_bad_gateway(&listener);
    assert_eq!(
        collect(&mut sim),
        [
            ("RequestCount", 2, 3.0),
            ("RequestCount", 1, 3.0),
            ("HTTPCode_Target_5XX_Count", 2, 2.0),
            ("HTTPCode_Target_5XX_Count", 1, 2.0),
            ("HTTPCode_ELB_502_Count", 1, 1.0),
            ("HTTPCode_ELB_5XX_Count", 1, 1.0),
            ("HealthyHostCount", 2, 2.0),
            ("UnHealthyHostCount", 2, 0.0),
            ("CPUUtilization", 2, 1.0),
            ("MemoryUtilization", 2, 10.0),
        ]
    );
    assert!(
        !collect(&mut sim).iter().any(|(name, ..)| *name == "RequestCount"),
        "nothing new, nothing reported"
    );
    let data = sim.clock.world.collect_metrics(minute);
    let balancer = &data[0].dimensions[1];
    assert_eq!(balancer.0, "LoadBalancer");
    assert!(balancer.1.starts_with("app/lb/"), "{}", balancer.1);
    assert!(data[0].dimensions[0].1.starts_with("targetgroup/tg/"));
}
