//! The services of a run, as their owners made them before Dormouse came.

use std::collections::BTreeMap;
use std::time::Duration;

use fargate_sim::model::{
    Action, Condition, Config, CreateListener, CreateLoadBalancer, CreateRule, CreateService,
    CreateTargetGroup, Millis, RegisterScalableTarget, ServiceKey, ServiceLoadBalancer, Tag, VirtualClock,
    World,
};
use serde_json::json;

use super::{CLUSTER, Model, START};

use crate::dice::Dice;
use crate::script::{Script, ServiceScene};

/// When its owner made it: long enough ago that all tasks run.
const MADE: Millis = Millis(START.0 - 300_000);

/// The model, a few minutes old, and the target group of the wake function at each load balancer.
pub(super) fn build(script: &Script) -> (Model, BTreeMap<String, String>) {
    let mut dice = Dice::of(script.seed, "world");
    let mut config = Config {
        reregister_after: dice.one_of(&[None, None, Some(Duration::from_secs(40))]),
        rule_propagation: Duration::from_secs(dice.one_of(&[0, 2])),
        ..Config::default()
    };
    config.timing.scheduler = Duration::from_secs(dice.one_of(&[1, 1, 5]));
    config.timing.pulling = Duration::from_secs(dice.one_of(&[5, 15, 60]));
    let mut world = World::new(config);
    made(world.create_cluster(MADE, Some(CLUSTER), &[]));
    let definition = json!({"family": "app", "containerDefinitions": [
        {"name": "app", "image": "nginx", "portMappings": [{"containerPort": 8080}]},
    ]});
    let definition = definition.as_object().cloned().unwrap_or_default();
    made(world.register_task_definition(MADE, definition));
    let mut wake_groups = BTreeMap::new();
    for scene in &script.services {
        create(&mut world, scene, &mut dice, &mut wake_groups);
    }
    let mut model: Model = VirtualClock::well_behaved(world, MADE);
    model.run(START.since(MADE));
    model.log.clear();
    (model, wake_groups)
}

fn create(
    world: &mut World,
    scene: &ServiceScene,
    dice: &mut Dice,
    wake_groups: &mut BTreeMap<String, String>,
) {
    let group = scene.group.iter().map(|group| Tag::new("dormouse:group", group));
    let tags = scene
        .tags
        .iter()
        .map(|(tag, value)| Tag::new(&format!("dormouse:{tag}"), value));
    let mut service = CreateService {
        cluster: Some(CLUSTER.into()),
        service_name: scene.name.clone(),
        task_definition: Some("app".into()),
        desired_count: Some(scene.count.into()),
        network_configuration: Some(json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
        tags: group.chain(tags).collect(),
        ..CreateService::default()
    };
    if scene.balanced {
        service.load_balancers.push(ServiceLoadBalancer {
            target_group_arn: balance(world, scene, dice, wake_groups),
            container_name: "app".into(),
            container_port: 8080,
        });
    }
    made(world.create_service(MADE, service));
    if scene.scalable {
        let input = RegisterScalableTarget {
            min: Some(1),
            max: Some(6),
            suspended: None,
        };
        let key = ServiceKey::new(CLUSTER, &scene.name);
        made(world.register_scalable_target(MADE, &key, input));
    }
}

/// A load balancer of its own, whose default action and a rule lead to it.
fn balance(
    world: &mut World,
    scene: &ServiceScene,
    dice: &mut Dice,
    wake_groups: &mut BTreeMap<String, String>,
) -> String {
    let name = &scene.name;
    let balancer = CreateLoadBalancer {
        name: format!("lb-{name}"),
        ..CreateLoadBalancer::default()
    };
    let load_balancer = made(world.create_load_balancer(MADE, balancer)).arn.clone();
    let app = target_group(world, name, "ip");
    let delay = dice.one_of(&["0", "30", "120"]).to_owned();
    let delay = ("deregistration_delay.timeout_seconds".to_owned(), delay);
    made(world.modify_target_group_attributes(&app, [delay].into()));
    if scene.is_fronted() {
        let wake = target_group(world, &format!("wake-{name}"), "lambda");
        let function = "arn:aws:lambda:us-east-1:000000000000:function:wake";
        made(world.register_function(&wake, function));
        wake_groups.insert(load_balancer.clone(), wake);
    }
    let listener = CreateListener {
        load_balancer,
        protocol: "HTTP".into(),
        port: 80,
        actions: vec![Action::forward(app.as_str())],
        ..CreateListener::default()
    };
    let listener = made(world.create_listener(MADE, listener)).arn.clone();
    let rule = CreateRule {
        listener,
        priority: 10,
        conditions: vec![Condition::Path(vec!["/reports/*".into()])],
        actions: vec![Action::forward(app.as_str())],
        tags: Vec::new(),
    };
    made(world.create_rule(MADE, rule));
    app
}

fn target_group(world: &mut World, name: &str, kind: &str) -> String {
    let input = CreateTargetGroup {
        name: name.to_owned(),
        port: if kind == "lambda" { 0 } else { 8080 },
        target_type: Some(kind.to_owned()),
        ..CreateTargetGroup::default()
    };
    made(world.create_target_group(input)).arn.clone()
}

fn made<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("the scene cannot be built: {error}"))
}
