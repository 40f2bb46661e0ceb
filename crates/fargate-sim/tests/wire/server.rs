//! The server with real apps, a hundred times faster than AWS.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::{ECS, get, request, xml};
use super::sim::{Sim, pause, until};
use super::stack::Stack;

fn port(task: &Value) -> String {
    let details = task["attachments"][0]["details"].as_array().unwrap();
    let private = details
        .iter()
        .find(|d| d["name"] == "privateIPv4Address")
        .unwrap();
    format!("{}:8080", private["value"].as_str().unwrap())
}

#[tokio::test]
async fn a_service_wakes_behind_its_load_balancer_and_falls_asleep_again() {
    let sim = Sim::start(|_| {}).await;
    let (front, group_arn) = sim.balancer().await;
    sim.elb(&format!(
        "Action=ModifyTargetGroupAttributes&TargetGroupArn={group_arn}\
         &Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value=20"
    ))
    .await;
    let container = json!({"name": "web", "image": "nginx", "portMappings": [{"containerPort": 8080}],
        "environment": [{"name": "SIM_READY_AFTER", "value": "20"}]});
    let balancers = json!([{"targetGroupArn": group_arn, "containerName": "web", "containerPort": 8080}]);
    sim.service(container, 0, balancers).await;

    let asleep = get(&front, "/").await.unwrap();
    assert_eq!(
        (asleep.status, asleep.header("server")),
        (503, Some("awselb/2.0"))
    );
    sim.ecs(
        "UpdateService",
        json!({"cluster": "dev", "service": "web", "desiredCount": 1}),
    )
    .await;
    let awake = until(&front, "/a/b?c=d&e=%20", 200).await;
    assert_eq!(awake.header("x-sim-path"), Some("/a/b?c=d&e=%20"));
    assert!(awake.body.contains("Good morning, this is web."));

    let task = &sim.tasks("RUNNING").await[0];
    let eni = task["attachments"][0]["details"][1]["value"].as_str().unwrap();
    let form = format!("Action=DescribeNetworkInterfaces&Version=2016-11-15&NetworkInterfaceId.1={eni}");
    let described = request(&sim.address, "POST", "/", &[], &form).await.unwrap();
    let public = format!("{}:8080", xml(&described.body, "publicIp").unwrap());
    assert_eq!(
        get(&public, "/").await.unwrap().status,
        200,
        "the public address answers too"
    );

    let headers = ["Content-Type: application/json".to_string()];
    let set = request(&public, "POST", "/_app/set", &headers, r#"{"connections":3}"#).await;
    assert_eq!(set.unwrap().status, 200);
    assert!(
        get(&public, "/nginx_status")
            .await
            .unwrap()
            .body
            .starts_with("Active connections: 4 \n")
    );
    let state = sim.control("GET", "/state", json!(null)).await.json();
    assert_eq!(state["tasks"][0]["load"]["connections"], 3);

    sim.ecs(
        "UpdateService",
        json!({"cluster": "dev", "service": "web", "desiredCount": 0}),
    )
    .await;
    until(&front, "/", 503).await;
    let stopped = sim.stopped().await;
    assert_eq!(stopped["containers"][0]["exitCode"], 0);
    assert!(get(&public, "/").await.is_none(), "the app is gone");
    sim.server.stop().await;
}

#[tokio::test]
async fn apps_that_fail_are_reported_in_ecs_s_words_and_end_with_the_server() {
    let sim = Sim::start(|_| {}).await;
    let container =
        json!({"name": "web", "image": "x", "portMappings": [{"containerPort": 8080}], "command": ["crash"]});
    sim.service(container, 1, json!([])).await;
    let crashed = sim.stopped().await;
    assert_eq!(crashed["stopCode"], "EssentialContainerExited");
    assert_eq!(crashed["containers"][0]["exitCode"], 1);

    let container = json!({"name": "web", "image": "x", "portMappings": [{"containerPort": 8080}]});
    sim.ecs(
        "RegisterTaskDefinition",
        json!({"family": "web", "containerDefinitions": [container]}),
    )
    .await;
    sim.ecs(
        "UpdateService",
        json!({"cluster": "dev", "service": "web", "taskDefinition": "web"}),
    )
    .await;
    let end = Instant::now() + Duration::from_secs(5);
    let address = loop {
        let tasks = sim.tasks("RUNNING").await;
        if let Some(task) = tasks
            .iter()
            .find(|t| t["taskDefinitionArn"].as_str().unwrap().ends_with(":2"))
            && task["lastStatus"] == "RUNNING"
        {
            break port(task);
        }
        assert!(Instant::now() < end, "revision 2 does not run");
        pause().await;
    };
    until(&address, "/", 200).await;
    sim.server.stop().await;
    assert!(
        get(&address, "/").await.is_none(),
        "the app ended with the server"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_stops_the_task_with_the_reason() {
    let sim = Sim::start(|_| {}).await;
    let base = sim.control("GET", "/health", json!(null)).await.json()["address_base"]
        .as_str()
        .unwrap()
        .to_string();
    let taken = TcpListener::bind(format!("{base}.0.2:8080")).await.unwrap();
    let container = json!({"name": "web", "image": "x", "portMappings": [{"containerPort": 8080}]});
    sim.service(container, 1, json!([])).await;
    let stopped = sim.stopped().await;
    assert_eq!(stopped["stopCode"], "TaskFailedToStart");
    let reason = stopped["stoppedReason"].as_str().unwrap();
    assert!(
        reason.starts_with("CannotStartContainerError: cannot listen on"),
        "{reason}"
    );
    drop(taken);
    sim.server.stop().await;
}

#[tokio::test]
async fn the_control_api_sets_faults_capacity_and_throttles_and_shows_calls() {
    let sim = Sim::start(|_| {}).await;
    let fault = json!({"operation": "ListClusters", "code": "ServerException", "status": 500, "times": 1});
    assert_eq!(sim.control("POST", "/faults", fault).await.status, 204);
    let headers = [format!("X-Amz-Target: {ECS}.ListClusters")];
    assert_eq!(
        request(&sim.address, "POST", "/", &headers, "{}")
            .await
            .unwrap()
            .status,
        500
    );
    assert_eq!(
        request(&sim.address, "POST", "/", &headers, "{}")
            .await
            .unwrap()
            .status,
        200
    );
    let wrong = sim
        .control(
            "POST",
            "/faults",
            json!({"operation": "x", "code": "y", "tims": 1}),
        )
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("unknown field `tims`"), "{}", wrong.body);

    let calls = sim.control("GET", "/calls?since=1", json!(null)).await.json();
    let outcomes: Vec<&str> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["ServerException", "ok"]);
    assert_eq!(sim.control("DELETE", "/calls", json!(null)).await.status, 204);
    assert_eq!(
        sim.control("POST", "/capacity", json!({"available": false}))
            .await
            .status,
        204
    );
    assert_eq!(
        sim.control("GET", "/state", json!(null)).await.json()["capacityAvailable"],
        false
    );
    let mut refused = Vec::new();
    for enabled in [true, false] {
        let asked = json!({"enabled": enabled});
        assert_eq!(sim.control("POST", "/throttle", asked).await.status, 204);
        let headers = [format!("X-Amz-Target: {ECS}.DescribeServices")];
        for _ in 0..120 {
            let answer = request(&sim.address, "POST", "/", &headers, r#"{"services": ["x"]}"#);
            refused.push(answer.await.unwrap().body.contains("ThrottlingException"));
        }
    }
    assert!(refused[..120].contains(&true) && !refused[120..].contains(&true));
    assert_eq!(sim.control("GET", "/nothing", json!(null)).await.status, 404);
    assert_eq!(
        sim.control("POST", "/metrics/flush", json!(null)).await.status,
        502,
        "there is no stack"
    );
    sim.server.stop().await;
}

#[tokio::test]
async fn metrics_go_to_the_stack() {
    let stack = Stack::start(|_| (200, json!(null))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let environment = json!([{"name": "SIM_APP", "value": "none"}]);
    sim.service(
        json!({"name": "web", "image": "x", "environment": environment}),
        2,
        json!([]),
    )
    .await;
    let end = Instant::now() + Duration::from_secs(5);
    while sim
        .tasks("RUNNING")
        .await
        .iter()
        .filter(|t| t["lastStatus"] == "RUNNING")
        .count()
        < 2
    {
        assert!(Instant::now() < end);
        pause().await;
    }
    assert_eq!(
        sim.control("POST", "/metrics/flush", json!(null)).await.json(),
        json!({"pushed": 2})
    );
    let call = &stack.calls("Action=PutMetricData")[0];
    for part in [
        "Action=PutMetricData&Version=2010-08-01&Namespace=AWS%2FECS",
        "MetricData.member.1.MetricName=CPUUtilization",
        "MetricData.member.1.Dimensions.member.2.Name=ServiceName&MetricData.member.1.Dimensions.member.2.Value=web",
        "MetricData.member.1.StatisticValues.SampleCount=2",
    ] {
        assert!(call.body.contains(part), "{part} is not in {}", call.body);
    }
    assert!(call.authorization.contains("/monitoring/aws4_request"));
    sim.server.stop().await;
}
