use fargate_sim::model::{CreateService, ServiceLoadBalancer, ServiceStatus, Stage, Tag};
use serde_json::json;

use super::support::{minutes, seconds, sim};

fn refused(change: impl FnOnce(&mut CreateService)) -> String {
    let mut sim = sim();
    let mut input = CreateService {
        cluster: Some("dev".into()),
        service_name: "web".into(),
        task_definition: Some("web".into()),
        network_configuration: Some(json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
        ..CreateService::default()
    };
    change(&mut input);
    let now = sim.clock.now;
    sim.clock
        .world
        .create_service(now, input)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_service_that_makes_no_sense_is_refused_in_aws_s_words() {
    assert_eq!(
        refused(|s| s.cluster = Some("x".into())),
        "ClusterNotFoundException: Cluster not found."
    );
    assert_eq!(
        refused(|s| s.task_definition = Some("x".into())),
        "ClientException: TaskDefinition not found."
    );
    assert_eq!(
        refused(|s| s.network_configuration = None),
        "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."
    );
    let entry = |arn: &str, port| {
        vec![ServiceLoadBalancer {
            target_group_arn: arn.into(),
            container_name: "web".into(),
            container_port: port,
        }]
    };
    assert!(refused(|s| s.load_balancers = entry("arn:nobody", 8080)).contains("arn:nobody"));
    assert!(refused(|s| s.desired_count = Some(-1)).starts_with("InvalidParameterException"));
}

#[test]
fn tags_of_services_keep_the_rules_of_ecs() {
    let mut sim = sim();
    sim.service(0);
    let arn = sim.web().arn.clone();
    let world = &mut sim.clock.world;
    world
        .tag_resource(&arn, &[Tag::new("dormouse:group", "a b+c-d=e.f_g:h/i@j")])
        .unwrap();
    world
        .tag_resource(&arn, &[Tag::new("dormouse:group", "web"), Tag::new("x", "")])
        .unwrap();
    assert_eq!(
        world.list_tags(&arn).unwrap(),
        [Tag::new("dormouse:group", "web"), Tag::new("x", "")]
    );
    world.untag_resource(&arn, &["x".into()]).unwrap();
    assert_eq!(world.list_tags(&arn).unwrap().len(), 1);

    for (key, value) in [
        ("", "x"),
        ("k", "a,b"),
        ("k", "a*"),
        ("aws:x", "y"),
        ("k", &"v".repeat(257)),
    ] {
        assert!(
            world.tag_resource(&arn, &[Tag::new(key, value)]).is_err(),
            "{key}={value}"
        );
    }
    let fifty: Vec<Tag> = (0..50).map(|n| Tag::new(&format!("k{n}"), "v")).collect();
    assert!(world.tag_resource(&arn, &fifty).is_err(), "51 in all");
    assert_eq!(
        world.list_tags(&arn).unwrap().len(),
        1,
        "nothing of a refused call is kept"
    );
    assert!(
        world
            .list_tags("arn:aws:ecs:us-east-1:000000000000:service/dev/nobody")
            .is_err()
    );
}

#[test]
fn tasks_carry_the_tags_that_the_service_hands_down() {
    let mut sim = sim();
    sim.create(1, |s| {
        s.tags = vec![Tag::new("team", "a")];
        s.propagate_tags = Some("SERVICE".into());
        s.enable_ecs_managed_tags = true;
    });
    sim.run(seconds(2));
    let tags: Vec<_> = sim.tasks()[0]
        .tags
        .iter()
        .map(|t| (t.key.as_str(), t.value.as_str()))
        .collect();
    assert_eq!(
        tags,
        [
            ("team", "a"),
            ("aws:ecs:serviceName", "web"),
            ("aws:ecs:clusterName", "dev")
        ]
    );
}

#[test]
fn deleting_takes_force_above_zero_drains_and_leaves_room_for_a_new_one() {
    let mut sim = sim();
    sim.service_behind_balancer(1);
    sim.run(minutes(1));
    sim.protect(0, 60);
    let now = sim.clock.now;
    assert!(sim.clock.world.delete_service(now, "dev", "web", false).is_err());
    sim.clock.world.delete_service(now, "dev", "web", true).unwrap();
    assert_eq!(
        (sim.web().status, sim.stages()[0]),
        (ServiceStatus::Draining, Stage::Deactivating)
    );
    let again = CreateService {
        cluster: Some("dev".into()),
        service_name: "web".into(),
        task_definition: Some("web".into()),
        ..CreateService::default()
    };
    let error = sim.clock.world.create_service(now, again).unwrap_err();
    assert_eq!(error.message, "Unable to Start a service that is still Draining.");
    sim.run(minutes(10));
    assert_eq!(sim.web().status, ServiceStatus::Inactive);
    sim.service(1);
    sim.run(minutes(1));
    assert_eq!((sim.web().status, sim.counts()), (ServiceStatus::Active, (1, 0)));
}

#[test]
fn a_cluster_in_use_cannot_be_deleted() {
    let mut sim = sim();
    sim.service(0);
    let error = sim.clock.world.delete_cluster("dev").unwrap_err();
    assert_eq!(error.code, "ClusterContainsServicesException");
}

#[test]
fn launches_are_limited_to_a_hundred_at_once_and_twenty_a_second() {
    let mut sim = sim();
    sim.service(150);
    sim.run(seconds(1));
    assert_eq!(sim.tasks().len(), 100);
    sim.run(seconds(1));
    assert_eq!(sim.tasks().len(), 120);
    sim.run(minutes(1));
    assert_eq!(sim.counts(), (150, 0));
}
