//! IAM in front of the API.

use serde_json::{Value, json};

use super::client::{Answer, ECS, request};
use super::sim::Sim;
use super::stack::{Heard, Stack};

const ROLE: &str = "arn:aws:sts::000000000000:assumed-role/WakeRole/wake";

/// Knows one key, and allows what names the tag `dormouse:group`, and all of ListTasks.
fn iam(heard: &Heard) -> (u16, Value) {
    if heard.body.contains("Action=GetAccessKeyInfo") {
        let owner = match heard.body.contains("AccessKeyId=ASIAWAKE") {
            true => ROLE,
            false => "",
        };
        return (200, json!(format!("<Arn>{owner}</Arn>")));
    }
    let allowed = heard.body.contains("dormouse%3Agroup") || heard.body.contains("ecs%3AListTasks");
    let decision = if allowed { "allowed" } else { "implicitDeny" };
    let resources = heard.body.matches("ResourceArns.member.").count();
    (
        200,
        json!(format!("<EvalDecision>{decision}</EvalDecision>").repeat(resources)),
    )
}

async fn call(sim: &Sim, key: Option<&str>, operation: &str, input: Value) -> Answer {
    let mut headers = vec![format!("X-Amz-Target: {ECS}.{operation}")];
    headers.extend(
        key.map(|key| {
            format!("Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/r/ecs/aws4_request")
        }),
    );
    request(&sim.address, "POST", "/", &headers, &input.to_string())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_owner_may_do_everything_and_a_role_what_its_policies_allow() {
    let stack = Stack::start(iam).await;
    let sim = Sim::start_guarded(stack.url()).await;
    let web = |tags: Value| {
        json!({"cluster": "dev", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "tags": tags,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}})
    };
    let definition = json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "x"}]});
    for (operation, input) in [
        ("CreateCluster", json!({"clusterName": "dev"})),
        ("RegisterTaskDefinition", definition),
        ("CreateService", web(json!([]))),
    ] {
        let answer = call(&sim, Some("test"), operation, input).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let update = json!({"cluster": "dev", "service": "web", "desiredCount": 1});
    let role = Some("ASIAWAKE");

    let refused = call(&sim, role, "UpdateService", update.clone()).await;
    assert_eq!(
        (refused.status, refused.header("x-amzn-errortype")),
        (400, Some("AccessDeniedException"))
    );
    let arn = "arn:aws:ecs:us-east-1:000000000000:service/dev/web";
    let text = format!("User: {ROLE} is not authorized to perform: ecs:UpdateService on resource: {arn}");
    assert!(refused.body.contains(&text), "{}", refused.body);

    let tags = json!({"resourceArn": arn, "tags": [{"key": "dormouse:group", "value": "dev"}]});
    call(&sim, Some("test"), "TagResource", tags).await;
    let allowed = call(&sim, role, "UpdateService", update).await;
    assert_eq!(allowed.status, 200, "{}", allowed.body);
    let listed = call(&sim, role, "ListTasks", json!({"cluster": "dev"})).await;
    assert_eq!(listed.status, 200, "{}", listed.body);

    for key in [None, Some("AKIAUNKNOWN")] {
        let answer = call(&sim, key, "ListTasks", json!({"cluster": "dev"})).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (400, Some("UnrecognizedClientException"))
        );
    }

    let trail = sim.control("GET", "/trail", json!(null)).await.json();
    let use_of = |action: &str, resource: &str, allowed: bool| json!({"principal": ROLE, "action": action, "resource": resource, "allowed": allowed});
    assert_eq!(
        trail["uses"],
        json!([
            use_of("ecs:ListTasks", "*", true),
            use_of("ecs:UpdateService", arn, false),
            use_of("ecs:UpdateService", arn, true),
        ])
    );
    let calls = sim.control("GET", "/calls", json!(null)).await.json();
    let by_role: Vec<&Value> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call["caller"] == ROLE)
        .map(|call| &call["outcome"])
        .collect();
    assert_eq!(by_role, ["AccessDeniedException", "ok", "ok"]);
    sim.server.stop().await;
}

#[tokio::test]
async fn a_decision_holds_for_a_moment_and_nobody_is_let_in_while_iam_does_not_answer() {
    let stack = Stack::start(iam).await;
    let sim = Sim::start_guarded(stack.url()).await;
    for _ in 0..3 {
        call(&sim, Some("ASIAWAKE"), "ListTasks", json!({"cluster": "dev"})).await;
    }
    assert_eq!(stack.calls("SimulatePrincipalPolicy").len(), 1);
    assert_eq!(stack.calls("GetAccessKeyInfo").len(), 1);
    drop(stack);
    let answer = call(
        &sim,
        Some("ASIAWAKE"),
        "DescribeServices",
        json!({"services": ["web"]}),
    )
    .await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    sim.server.stop().await;
}
