//! Application Auto Scaling, without a server.

use fargate_sim::model::{Config, Millis, World};
use fargate_sim::protocol::{AnyPort, Call, Endpoint};
use serde_json::{Value, json};

use super::client::ECS;

const NOW: Millis = Millis(1_800_000_000_000);

struct Api(Endpoint);

impl Api {
    /// An account with these services in cluster `dev`, of no tasks.
    fn new(services: &[String]) -> Api {
        let mut api = Api(Endpoint::new(World::new(Config::default())));
        // Some of these accounts have more services than ECS lets anybody make at once.
        api.0.throttle = None;
        api.call(ECS, "CreateCluster", &json!({"clusterName": "dev"}));
        let container = json!({"name": "web", "image": "nginx"});
        let family = json!({"family": "web", "containerDefinitions": [container]});
        api.call(ECS, "RegisterTaskDefinition", &family);
        for name in services {
            let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
            let input = json!({"cluster": "dev", "serviceName": name, "taskDefinition": "web", "desiredCount": 0,
                "networkConfiguration": network});
            assert_eq!(api.call(ECS, "CreateService", &input).0, 200);
        }
        api
    }

    fn call(&mut self, service: &str, operation: &str, input: &Value) -> (u16, Value) {
        let call = Call {
            path: "/".into(),
            target: Some(format!("{service}.{operation}")),
            body: input.to_string().into_bytes(),
            ..Call::default()
        };
        let response = self.0.handle(NOW, &call, &mut AnyPort);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    /// Of Application Auto Scaling, about ECS.
    fn scaling(&mut self, operation: &str, mut input: Value) -> (u16, Value) {
        input["ServiceNamespace"] = json!("ecs");
        input["ScalableDimension"] = json!("ecs:service:DesiredCount");
        self.call("AnyScaleFrontendService", operation, &input)
    }

    fn ok(&mut self, operation: &str, input: Value) -> Value {
        let (status, output) = self.scaling(operation, input);
        assert_eq!(status, 200, "{operation}: {output}");
        output
    }

    /// The error's code.
    fn refused(&mut self, operation: &str, input: Value) -> String {
        let (status, output) = self.scaling(operation, input);
        assert_eq!(status, 400, "{operation}: {output}");
        output["__type"].as_str().unwrap().to_owned()
    }
}

fn target(id: &str) -> Value {
    json!({"ResourceId": id, "MinCapacity": 2, "MaxCapacity": 6})
}

#[test]
fn a_target_is_made_described_changed_in_part_and_removed() {
    let mut api = Api::new(&["web".into()]);
    let made = api.ok("RegisterScalableTarget", target("service/dev/web"));
    assert!(
        made["ScalableTargetARN"]
            .as_str()
            .is_some_and(|arn| arn.contains(":scalable-target/"))
    );
    let input = json!({"cluster": "dev", "services": ["web"]});
    let (_, described) = api.call(ECS, "DescribeServices", &input);
    assert_eq!(described["services"][0]["desiredCount"], 2, "its minimum");

    let suspended = json!({"DynamicScalingInSuspended": true, "ScheduledScalingSuspended": true});
    let change = json!({"ResourceId": "service/dev/web", "SuspendedState": suspended});
    api.ok("RegisterScalableTarget", change);
    let found = api.ok(
        "DescribeScalableTargets",
        json!({"ResourceIds": ["service/dev/web", "service/dev/nobody"]}),
    );
    assert_eq!(found.get("NextToken"), None);
    let [target] = found["ScalableTargets"].as_array().unwrap().as_slice() else {
        panic!("{found}");
    };
    assert_eq!(target["ResourceId"], "service/dev/web");
    assert_eq!(
        (&target["MinCapacity"], &target["MaxCapacity"]),
        (&json!(2), &json!(6))
    );
    assert_eq!(target["CreationTime"], 1_800_000_000.0);
    assert_eq!(
        target["SuspendedState"],
        json!({"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": false,
            "ScheduledScalingSuspended": true})
    );

    let id = json!({"ResourceId": "service/dev/web"});
    api.ok("DeregisterScalableTarget", id.clone());
    assert_eq!(
        api.refused("DeregisterScalableTarget", id),
        "ObjectNotFoundException"
    );
    assert_eq!(
        api.ok("DescribeScalableTargets", json!({}))["ScalableTargets"],
        json!([])
    );
}

#[test]
fn targets_come_in_pages_of_fifty() {
    let names: Vec<String> = (0..53).map(|n| format!("s{n:02}")).collect();
    let mut api = Api::new(&names);
    for name in &names {
        api.ok("RegisterScalableTarget", target(&format!("service/dev/{name}")));
    }
    let first = api.ok("DescribeScalableTargets", json!({}));
    assert_eq!(first["ScalableTargets"].as_array().map(Vec::len), Some(50));
    let second = api.ok(
        "DescribeScalableTargets",
        json!({"NextToken": first["NextToken"]}),
    );
    assert_eq!(second["ScalableTargets"][0]["ResourceId"], "service/dev/s50");
    assert_eq!(second.get("NextToken"), None);
    let two = api.ok("DescribeScalableTargets", json!({"MaxResults": 2}));
    assert_eq!(two["ScalableTargets"].as_array().map(Vec::len), Some(2));
    let token = json!({"NextToken": "zz"});
    assert_eq!(
        api.refused("DescribeScalableTargets", token),
        "InvalidNextTokenException"
    );
}

#[test]
fn what_breaks_a_rule_is_a_validation_error() {
    let mut api = Api::new(&["web".into()]);
    let many: Vec<String> = (0..51).map(|n| format!("service/dev/{n}")).collect();
    for (operation, input) in [
        ("RegisterScalableTarget", target("service/dev/nobody")),
        ("RegisterScalableTarget", target("dev/web")),
        ("RegisterScalableTarget", target("service/web")),
        ("RegisterScalableTarget", json!({"ResourceId": "service/dev/web"})),
        (
            "RegisterScalableTarget",
            json!({"ResourceId": "service/dev/web", "MinCapacity": -1, "MaxCapacity": 6}),
        ),
        ("DescribeScalableTargets", json!({"ResourceIds": many})),
        ("DescribeScalableTargets", json!({"MaxResults": 51})),
    ] {
        assert_eq!(
            api.refused(operation, input.clone()),
            "ValidationException",
            "{input}"
        );
    }
    let table = json!({"ServiceNamespace": "dynamodb"});
    let (status, answer) = api.call("AnyScaleFrontendService", "DescribeScalableTargets", &table);
    assert_eq!((status, &answer["__type"]), (400, &json!("ValidationException")));
    let (_, answer) = api.call("AnyScaleFrontendService", "PutScalingPolicy", &json!({}));
    assert_eq!(answer["__type"], "UnknownOperationException");
}
