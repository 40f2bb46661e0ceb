//! ECS and tagging, without a server.

use fargate_sim::model::{Config, Millis, World};
use fargate_sim::protocol::{AnyPort, Call, Endpoint, Response};
use serde_json::{Value, json};

use super::client::ECS;

const NOW: Millis = Millis(1_800_000_000_000);

struct Api(Endpoint);

impl Api {
    fn new() -> Api {
        let mut api = Api(Endpoint::new(World::new(Config::default())));
        api.ok("CreateCluster", json!({"clusterName": "dev"}));
        let container = json!({"name": "web", "image": "nginx", "portMappings": [{"containerPort": 80}]});
        api.ok(
            "RegisterTaskDefinition",
            json!({"family": "web", "containerDefinitions": [container]}),
        );
        api
    }

    fn raw(&mut self, target: &str, input: &Value) -> Response {
        let authorization =
            "AWS4-HMAC-SHA256 Credential=AKIAWAKE/20270115/us-east-1/ecs/aws4_request, Signature=x";
        let call = Call {
            path: "/".into(),
            target: Some(target.into()),
            content_type: Some("application/x-amz-json-1.1".into()),
            authorization: Some(authorization.into()),
            user_agent: Some("aws-sdk-rust/1.3".into()),
            caller: None,
            body: input.to_string().into_bytes(),
        };
        self.0.handle(NOW, &call, &mut AnyPort)
    }

    fn call(&mut self, operation: &str, input: Value) -> (u16, Value) {
        let response = self.raw(&format!("{ECS}.{operation}"), &input);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    fn ok(&mut self, operation: &str, input: Value) -> Value {
        let (status, output) = self.call(operation, input);
        assert_eq!(status, 200, "{operation}: {output}");
        output
    }

    /// `code: message`.
    fn refused(&mut self, operation: &str, input: Value) -> String {
        let (status, output) = self.call(operation, input);
        assert_eq!(status, 400, "{operation}: {output}");
        format!(
            "{}: {}",
            output["__type"].as_str().unwrap(),
            output["message"].as_str().unwrap()
        )
    }

    fn service(&mut self, name: &str, tags: Value) -> Value {
        let network = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}});
        let input = json!({"cluster": "dev", "serviceName": name, "taskDefinition": "web", "desiredCount": 0,
            "networkConfiguration": network, "tags": tags, "launchType": "FARGATE"});
        self.ok("CreateService", input)["service"].clone()
    }

    fn tagged(&mut self, input: Value) -> Value {
        let response = self.raw("ResourceGroupsTaggingAPI_20170126.GetResources", &input);
        serde_json::from_slice(&response.body).unwrap()
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_service_has_the_fields_that_clients_read() {
    let mut api = Api::new();
    let service = api.service("web", json!([{"key": "dormouse:group", "value": "dev"}]));
    assert_eq!(
        service["serviceArn"],
        "arn:aws:ecs:us-east-1:000000000000:service/dev/web"
    );
    assert_eq!(service["status"], "ACTIVE");
    assert_eq!(service["createdAt"], 1_800_000_000.0);
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(
        service["taskDefinition"],
        "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1"
    );
    assert_eq!(
        service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"],
        "ENABLED"
    );

    let input = json!({"cluster": "dev", "services": ["web", "nobody"]});
    let described = api.ok("DescribeServices", input);
    assert_eq!(described["services"][0].get("tags"), None, "only with include");
    let failure =
        json!([{"arn": "arn:aws:ecs:us-east-1:000000000000:service/dev/nobody", "reason": "MISSING"}]);
    assert_eq!(described["failures"], failure);
    let arn = service["serviceArn"].as_str().unwrap();
    let described = api.ok(
        "DescribeServices",
        json!({"cluster": "dev", "services": [arn], "include": ["TAGS"]}),
    );
    assert_eq!(described["services"][0]["tags"][0]["value"], "dev");
}

#[test]
fn errors_look_like_aws_s() {
    let mut api = Api::new();
    let response = api.raw(
        &format!("{ECS}.DescribeServices"),
        &json!({"cluster": "x", "services": ["web"]}),
    );
    assert_eq!(response.status, 400);
    assert_eq!(
        header(&response, "x-amzn-errortype"),
        Some("ClusterNotFoundException")
    );
    assert!(header(&response, "x-amzn-requestid").is_some());
    let names: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    assert_eq!(
        api.refused("DescribeServices", json!({"cluster": "dev", "services": names})),
        "InvalidParameterException: service names can have at most 10 items."
    );
    assert_eq!(
        api.refused("UpdateService", json!({"cluster": "dev", "service": "nobody"})),
        "ServiceNotFoundException: Service not found."
    );
    assert_eq!(
        api.refused("RunTask", json!({})),
        "UnknownOperationException: fargate-sim does not simulate `RunTask`"
    );
    assert!(
        api.refused("UpdateService", json!({"service": 7}))
            .starts_with("InvalidParameterException")
    );
    assert!(
        api.refused("UpdateService", json!({"service": "web", "desiredCount": "two"}))
            .starts_with("SerializationException")
    );
}

#[test]
fn lists_come_in_pages() {
    let mut api = Api::new();
    (0..25).for_each(|n| drop(api.service(&format!("s{n:02}"), json!([{"key": "g", "value": "x"}]))));
    let (mut token, mut sizes, mut all) = (Value::Null, Vec::new(), Vec::new());
    loop {
        let page = api.ok("ListServices", json!({"cluster": "dev", "nextToken": token}));
        let arns = page["serviceArns"].as_array().unwrap();
        sizes.push(arns.len());
        all.extend(arns.clone());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    all.dedup();
    assert_eq!((sizes, all.len()), (vec![10, 10, 5], 25));
    let page = api.ok("ListServices", json!({"cluster": "dev", "maxResults": 100}));
    assert_eq!(page["serviceArns"].as_array().unwrap().len(), 25);
    assert!(
        api.refused("ListServices", json!({"cluster": "dev", "maxResults": 101}))
            .contains("maxResults 101")
    );
    assert_eq!(
        api.refused("ListServices", json!({"cluster": "dev", "nextToken": "nonsense"})),
        "InvalidParameterException: Invalid token"
    );
    let page = api.tagged(json!({"ResourcesPerPage": 20, "TagFilters": [{"Key": "g"}]}));
    assert_eq!(page["ResourceTagMappingList"].as_array().unwrap().len(), 20);
    let page = api.tagged(json!({"PaginationToken": page["PaginationToken"]}));
    assert_eq!(
        (
            page["ResourceTagMappingList"].as_array().unwrap().len(),
            &page["PaginationToken"]
        ),
        (5, &json!(""))
    );
}

#[test]
fn more_than_a_hundred_tasks_come_in_pages_and_are_described_a_hundred_at_a_time() {
    let mut api = Api::new();
    api.service("web", json!([]));
    api.ok(
        "UpdateService",
        json!({"cluster": "dev", "service": "web", "desiredCount": 120}),
    );
    api.0.world.advance(NOW + std::time::Duration::from_secs(10));
    let first = api.ok("ListTasks", json!({"cluster": "dev", "serviceName": "web"}));
    let mut arns = first["taskArns"].as_array().unwrap().clone();
    assert_eq!(arns.len(), 100);
    let described = api.ok("DescribeTasks", json!({"cluster": "dev", "tasks": arns}));
    assert_eq!(described["tasks"].as_array().unwrap().len(), 100);
    let input = json!({"cluster": "dev", "serviceName": "web", "nextToken": first["nextToken"]});
    let second = api.ok("ListTasks", input);
    assert_eq!(
        (
            second["taskArns"].as_array().unwrap().len(),
            second.get("nextToken")
        ),
        (20, None)
    );
    arns.push("one-more".into());
    assert!(
        api.refused("DescribeTasks", json!({"cluster": "dev", "tasks": arns}))
            .contains("at most 100")
    );
    assert_eq!(
        api.refused("ListTasks", json!({"cluster": "dev", "serviceName": "nobody"})),
        "ServiceNotFoundException: Service not found."
    );
}

#[test]
fn the_tagging_api_finds_services_by_tag_and_forgets_deleted_ones() {
    let mut api = Api::new();
    api.service("a", json!([{"key": "dormouse:group", "value": "one"}]));
    api.service("b", json!([{"key": "dormouse:group", "value": "two"}]));
    api.service("c", json!([]));
    let found = |api: &mut Api, input: Value| -> Vec<String> {
        let list = api.tagged(input)["ResourceTagMappingList"].clone();
        let arns = list
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["ResourceARN"].as_str().unwrap().to_string());
        arns.map(|arn| arn.rsplit('/').next().unwrap().to_string())
            .collect()
    };
    let any = json!({"TagFilters": [{"Key": "dormouse:group"}], "ResourceTypeFilters": ["ecs:service"]});
    assert_eq!(found(&mut api, any.clone()), ["a", "b"]);
    assert_eq!(
        found(
            &mut api,
            json!({"TagFilters": [{"Key": "dormouse:group", "Values": ["two"]}]})
        ),
        ["b"]
    );
    assert!(found(&mut api, json!({"ResourceTypeFilters": ["s3"]})).is_empty());
    api.ok("DeleteService", json!({"cluster": "dev", "service": "a"}));
    api.0.world.advance(NOW + std::time::Duration::from_secs(60));
    assert_eq!(found(&mut api, any), ["b"]);
}

#[test]
fn newer_sdks_reach_the_tagging_api_by_cbor() {
    let mut api = Api::new();
    api.service("a", json!([{"key": "k", "value": "v"}]));
    let path = "/service/ResourceGroupsTaggingAPI_20170126/operation/GetResources";
    // {"ResourcesPerPage": 1}
    let body = [&[0xa1, 0x70][..], b"ResourcesPerPage", &[1]].concat();
    let call = Call {
        path: path.into(),
        body,
        ..Call::default()
    };
    let response = api.0.handle(NOW, &call, &mut AnyPort);
    assert_eq!(header(&response, "smithy-protocol"), Some("rpc-v2-cbor"));
    assert!(String::from_utf8_lossy(&response.body).contains("service/dev/a"));
}

#[test]
fn calls_are_throttled_faulted_and_recorded() {
    let mut api = Api::new();
    api.service("web", json!([]));
    let fault = r#"{"operation":"UpdateService","code":"AccessDeniedException","message":"no","times":1}"#;
    api.0.faults.add(serde_json::from_str(fault).unwrap());
    let update = json!({"cluster": "dev", "service": "web", "desiredCount": 1});
    assert_eq!(
        api.refused("UpdateService", update.clone()),
        "AccessDeniedException: no"
    );
    (0..49).for_each(|_| drop(api.ok("UpdateService", update.clone())));
    assert_eq!(
        api.refused("UpdateService", update),
        "ThrottlingException: Rate exceeded"
    );

    let calls: Vec<_> = api.0.calls.since(3).cloned().collect();
    assert_eq!(
        (calls.len(), calls[0].seq, calls[0].outcome.as_str()),
        (51, 4, "AccessDeniedException")
    );
    assert_eq!(calls[1].outcome, "ok");
    assert_eq!(calls[50].outcome, "ThrottlingException");
    assert_eq!(calls[1].access_key_id.as_deref(), Some("AKIAWAKE"));
    assert_eq!(calls[1].parameters["desiredCount"], 1);
    assert_eq!(calls[1].user_agent.as_deref(), Some("aws-sdk-rust/1.3"));
}
