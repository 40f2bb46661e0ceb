//! Rules: which group is used, which gets the requests, and what the API refuses.

use std::collections::BTreeMap;

use fargate_sim::model::{
    Action, ActionKind, Condition, Config, CreateListener, CreateLoadBalancer, CreateRule, CreateTargetGroup,
    Forward, Millis, Priority, RequestLine, Route, WeightedGroup,
};

use super::support::{Sim, minutes, seconds, sim, with};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:wake:live";

fn now(sim: &Sim) -> Millis {
    sim.clock.now
}

/// A target group whose target is function `wake`.
fn function_group(sim: &mut Sim) -> String {
    let input = CreateTargetGroup {
        name: "wake".into(),
        target_type: Some("lambda".into()),
        ..CreateTargetGroup::default()
    };
    let world = &mut sim.clock.world;
    let arn = world.create_target_group(input).unwrap().arn.clone();
    world.register_function(&arn, FUNCTION).unwrap();
    arn
}

fn rule(sim: &mut Sim, priority: u32, path: &str, actions: Vec<Action>) -> Result<String, String> {
    let input = CreateRule {
        listener: sim.listener.clone(),
        priority,
        conditions: vec![Condition::Path(vec![path.into()])],
        actions,
        tags: Vec::new(),
    };
    let at = now(sim);
    let made = sim.clock.world.create_rule(at, input);
    made.map(|r| r.arn.clone()).map_err(|e| e.code)
}

fn route(sim: &mut Sim, path: &str) -> Route {
    let request = RequestLine {
        path: path.into(),
        ..RequestLine::default()
    };
    let listener = sim.listener.clone();
    sim.clock.world.route(&listener, &request)
}

/// Where a request goes, in a word.
fn goes(sim: &mut Sim) -> &'static str {
    match route(sim, "/") {
        Route::Target { .. } => "app",
        Route::Lambda { .. } => "function",
        Route::NoTarget => "503",
        other => panic!("{other:?}"),
    }
}

fn weigh(sim: &mut Sim, app: u32, function: (&str, u32)) {
    let groups = [
        (sim.target_group.clone(), app),
        (function.0.to_string(), function.1),
    ];
    let (at, listener) = (now(sim), sim.listener.clone());
    let world = &mut sim.clock.world;
    world
        .modify_listener(at, &listener, vec![Action::weighted(groups)])
        .unwrap();
}

#[test]
fn a_group_of_weight_zero_gets_nothing_and_keeps_its_targets_healthy() {
    let mut sim = sim();
    let function = function_group(&mut sim);
    sim.service_behind_balancer(1);
    sim.run(minutes(2));
    assert_eq!((sim.targets(), goes(&mut sim)), (vec!["healthy"], "app"));

    weigh(&mut sim, 0, (&function, 1));
    sim.run(minutes(2));
    assert_eq!(sim.targets(), ["healthy"], "still checked");
    assert!((0..10).all(|_| goes(&mut sim) == "function"));
    let at = now(&sim);
    let group = sim.target_group.clone();
    assert_eq!(
        sim.clock.world.delete_target_group(&group).unwrap_err().code,
        "ResourceInUse"
    );

    let listener = sim.listener.clone();
    sim.clock
        .world
        .modify_listener(at, &listener, vec![Action::forward(function.as_str())])
        .unwrap();
    assert_eq!(sim.targets(), ["unused"], "no rule names it any more");
    rule(&mut sim, 7, "/none", vec![Action::forward(group.as_str())]).unwrap();
    assert_eq!(
        sim.targets(),
        ["initial"],
        "a rule that takes nothing is a use too"
    );
    sim.run(minutes(1));
    assert_eq!(sim.targets(), ["healthy"]);
}

#[test]
fn weights_spread_requests_and_nothing_fails_over() {
    let mut sim = sim();
    let function = function_group(&mut sim);
    sim.service_behind_balancer(1);
    sim.run(minutes(2));
    weigh(&mut sim, 3, (&function, 1));
    let order: Vec<&str> = (0..8).map(|_| goes(&mut sim)).collect();
    assert_eq!(
        order,
        ["app", "app", "function", "app", "app", "app", "function", "app"],
        "three to one, and not in bursts"
    );

    sim.desire(0);
    sim.run(minutes(10));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..400 {
        *counts.entry(goes(&mut sim)).or_default() += 1;
    }
    assert_eq!(
        counts,
        [("503", 300), ("function", 100)].into(),
        "the chosen group has nobody"
    );
    weigh(&mut sim, 0, (&function, 0));
    assert_eq!(goes(&mut sim), "503", "nobody is to get anything");
}

#[test]
fn rules_are_looked_at_by_priority_and_the_default_rule_last() {
    let mut sim = sim();
    rule(&mut sim, 20, "/a*", vec![Action::fixed(404, "twenty")]).unwrap();
    let ten = rule(&mut sim, 10, "/ab", vec![Action::fixed(200, "ten")]).unwrap();
    let status = |sim: &mut Sim, path: &str| match route(sim, path) {
        Route::Fixed(fixed) => fixed.status,
        Route::NoTarget => 503,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(&mut sim, "/ab"), 200);
    assert_eq!(status(&mut sim, "/abc"), 404);
    assert_eq!(status(&mut sim, "/b"), 503, "the default rule, with no target");

    assert_eq!(
        rule(&mut sim, 10, "/x", vec![Action::fixed(200, "")]),
        Err("PriorityInUse".into())
    );
    let rules = |sim: &Sim| -> Vec<(Priority, String)> {
        let rules = sim.clock.world.rules_of(&sim.listener).unwrap();
        rules.iter().map(|r| (r.priority, r.arn.clone())).collect()
    };
    let all = rules(&sim);
    assert_eq!(
        all.iter().map(|(p, _)| p.to_string()).collect::<Vec<_>>(),
        ["10", "20", "default"]
    );
    assert!(
        all[0]
            .1
            .starts_with(&sim.listener.replace(":listener/", ":listener-rule/"))
    );
    let (twenty, default) = (all[1].1.clone(), all[2].1.clone());

    let at = now(&sim);
    let world = &mut sim.clock.world;
    let refused = world.set_rule_priorities(at, &[(ten.clone(), 20)]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "PriorityInUse: Priority '20' is currently in use"
    );
    for refused in [
        world
            .modify_rule(at, &default, None, Some(vec![Action::fixed(200, "")]))
            .unwrap_err(),
        world.delete_rule(at, &default).unwrap_err(),
    ] {
        assert_eq!(refused.code, "OperationNotPermitted");
    }
    world
        .set_rule_priorities(at, &[(ten.clone(), 20), (twenty, 10)])
        .unwrap();
    assert_eq!(status(&mut sim, "/ab"), 404, "they have changed places");
    let world = &mut sim.clock.world;
    world.delete_rule(at, &ten).unwrap();
    assert_eq!(world.rule(&ten).unwrap_err().code, "RuleNotFound");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut sim = sim();
    let fixed = || Action::fixed(200, "");
    let many = |n: u32| Action::weighted((0..n).map(|i| (format!("arn:{i}"), 1)));
    let group = sim.target_group.clone();
    let with_order = |order: u32| Action { order, ..fixed() };
    for (priority, actions, code) in [
        (0, vec![fixed()], "ValidationError"),
        (50_001, vec![fixed()], "ValidationError"),
        (1, vec![], "InvalidLoadBalancerAction"),
        (1, vec![with_order(1), with_order(2)], "InvalidLoadBalancerAction"),
        (1, vec![many(6)], "ValidationError"),
        (1, vec![many(1)], "TargetGroupNotFound"),
        (1, vec![Action::weighted([(group, 1000)])], "ValidationError"),
        (1, vec![Action::fixed(302, "")], "ValidationError"),
    ] {
        assert_eq!(rule(&mut sim, priority, "/", actions), Err(code.into()));
    }
    let at = now(&sim);
    let no_condition = CreateRule {
        listener: sim.listener.clone(),
        priority: 1,
        conditions: Vec::new(),
        actions: vec![fixed()],
        tags: Vec::new(),
    };
    assert!(sim.clock.world.create_rule(at, no_condition).is_err());
}

#[test]
fn a_target_group_belongs_to_one_load_balancer() {
    let mut sim = sim();
    let at = now(&sim);
    let other = CreateLoadBalancer {
        name: "other".into(),
        ..CreateLoadBalancer::default()
    };
    let load_balancer = sim
        .clock
        .world
        .create_load_balancer(at, other)
        .unwrap()
        .arn
        .clone();
    let listener = |actions| CreateListener {
        load_balancer: load_balancer.clone(),
        protocol: "HTTP".into(),
        port: 80,
        actions,
        ..CreateListener::default()
    };
    let group = sim.target_group.clone();
    let world = &mut sim.clock.world;
    let refused = world.create_listener(at, listener(vec![Action::forward(group.as_str())]));
    assert_eq!(refused.unwrap_err().code, "TargetGroupAssociationLimit");
    let arn = world
        .create_listener(at, listener(vec![Action::fixed(404, "")]))
        .unwrap()
        .arn
        .clone();
    let refused = world.modify_listener(at, &arn, vec![Action::forward(group)]);
    assert_eq!(refused.unwrap_err().code, "TargetGroupAssociationLimit");
}

#[test]
fn a_cookie_keeps_a_client_with_its_group_while_the_rule_has_it() {
    let mut sim = sim();
    let function = function_group(&mut sim);
    sim.service_behind_balancer(1);
    sim.run(minutes(2));
    let (app, listener, at) = (sim.target_group.clone(), sim.listener.clone(), now(&sim));
    let sticky = |groups: &[(&str, u32)]| {
        let group = |(arn, weight): &(&str, u32)| WeightedGroup {
            target_group: arn.to_string(),
            weight: *weight,
        };
        vec![Action::only(ActionKind::Forward(Forward {
            groups: groups.iter().map(group).collect(),
            sticky_seconds: Some(60),
        }))]
    };
    let world = &mut sim.clock.world;
    world
        .modify_listener(at, &listener, sticky(&[(&app, 1), (&function, 1)]))
        .unwrap();
    let Route::Target { with, .. } = world.route(&listener, &RequestLine::default()) else {
        panic!("the app is first")
    };
    let headers = with.cookie.unwrap().headers();
    assert!(
        headers[0].starts_with("AWSALBTG=") && headers[0].contains("Max-Age=60"),
        "{}",
        headers[0]
    );
    let cookie = headers[1].split(';').next().unwrap().to_string();
    assert!(cookie.starts_with("AWSALBTGCORS="));
    let returning = RequestLine {
        headers: vec![("Cookie".into(), format!("a=b; {cookie}"))],
        ..RequestLine::default()
    };
    let is_app = |route: Route| matches!(route, Route::Target { .. });
    assert!((0..10).all(|_| is_app(world.route(&listener, &returning))));

    world
        .modify_listener(at, &listener, sticky(&[(&app, 0), (&function, 1)]))
        .unwrap();
    assert!(
        !is_app(world.route(&listener, &returning)),
        "nothing goes to weight 0"
    );
    world.config.stick_to_weight_zero = true;
    assert!(
        is_app(world.route(&listener, &returning)),
        "or, as users report, cookies go first"
    );
    world
        .modify_listener(at, &listener, sticky(&[(&function, 1)]))
        .unwrap();
    assert!(
        !is_app(world.route(&listener, &returning)),
        "the weights decide anew"
    );
}

#[test]
fn while_a_change_is_on_its_way_requests_go_by_the_old_and_the_new_rules_in_turn() {
    let config = Config {
        rule_propagation: seconds(10),
        ..Config::default()
    };
    let mut sim = with(config, |_, _| None);
    sim.run(seconds(10));
    let function = function_group(&mut sim);
    sim.service_behind_balancer(1);
    sim.run(minutes(2));
    let listener = sim.listener.clone();
    let change = vec![Action::forward(function.as_str())];
    let at = now(&sim);
    sim.clock.world.modify_listener(at, &listener, change).unwrap();
    let order: Vec<&str> = (0..4).map(|_| goes(&mut sim)).collect();
    assert_eq!(order, ["app", "function", "app", "function"]);
    sim.run(seconds(9));
    assert_eq!((sim.targets(), goes(&mut sim)), (vec!["healthy"], "app"));
    sim.run(seconds(2));
    assert_eq!(sim.targets(), ["unused"]);
    assert!((0..4).all(|_| goes(&mut sim) == "function"));
}

#[test]
fn draining_targets_get_no_new_request_and_a_group_of_a_function_takes_one_function() {
    let mut sim = sim();
    sim.service_behind_balancer(1);
    sim.run(minutes(2));
    sim.desire(0);
    sim.run(seconds(5));
    assert_eq!((sim.targets(), goes(&mut sim)), (vec!["draining"], "503"));

    let function = function_group(&mut sim);
    let world = &mut sim.clock.world;
    world.register_function(&function, FUNCTION).unwrap();
    let other = FUNCTION.replace(":wake", ":other");
    assert_eq!(
        world.register_function(&function, &other).unwrap_err().code,
        "TooManyTargets"
    );
    assert_eq!(
        world.target_group(&function).unwrap().describe_function().0,
        "unused"
    );
    weigh(&mut sim, 1, (&function, 0));
    let group = sim.clock.world.target_group(&function).unwrap();
    assert_eq!(group.describe_function().1, "Target.HealthCheckDisabled");
    weigh(&mut sim, 0, (&function, 1));
    assert_eq!(goes(&mut sim), "function");
    sim.clock.world.deregister_function(&function, FUNCTION).unwrap();
    assert_eq!(goes(&mut sim), "503", "the group is empty");
}
