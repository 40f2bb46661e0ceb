//! Task state changes on their way to the targets of rules.

use serde_json::{Value, json};

use super::sim::Sim;
use super::stack::{Heard, Stack};

const LAMBDA: &str = "arn:aws:lambda:us-east-1:000000000000:function";

/// EventBridge with these rules and targets, and a Lambda that takes every event.
fn event_bridge(heard: &Heard) -> (u16, Value) {
    let rule = |name: &str, state: &str, pattern: Value| {
        let mut rule = json!({"Name": name, "State": state, "EventBusName": "default"});
        match pattern {
            Value::Null => rule["ScheduleExpression"] = json!("rate(1 minute)"),
            pattern => rule["EventPattern"] = json!(pattern.to_string()),
        }
        rule
    };
    let task_change = json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]});
    let stopped = json!({"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}});
    match heard.target.as_str() {
        // Two pages.
        "AWSEvents.ListRules" if heard.json()["NextToken"].is_null() => {
            let rules = [
                rule("every-change", "ENABLED", task_change.clone()),
                rule("off", "DISABLED", task_change),
                rule("tick", "ENABLED", Value::Null),
            ];
            (200, json!({"Rules": rules, "NextToken": "more"}))
        }
        "AWSEvents.ListRules" => {
            let other = rule("other", "ENABLED", json!({"source": ["aws.ec2"]}));
            let unknown = rule("unknown", "ENABLED", json!({"source": [{"wildcard": "aws.*"}]}));
            (
                200,
                json!({"Rules": [other, unknown, rule("ends", "ENABLED", stopped)]}),
            )
        }
        "AWSEvents.ListTargetsByRule" => {
            let name = heard.json()["Rule"].as_str().unwrap().to_string();
            let mut targets = vec![json!({"Id": "1", "Arn": format!("{LAMBDA}:{name}")})];
            if name == "ends" {
                let input = r#"{"action":"tick"}"#;
                targets[0]["Input"] = json!(input);
                targets.push(json!({"Id": "2", "Arn": "arn:aws:sqs:us-east-1:000000000000:queue"}));
            }
            (200, json!({"Targets": targets}))
        }
        _ => (202, json!(null)),
    }
}

async fn service(sim: &Sim) {
    let environment = json!([{"name": "SIM_APP", "value": "none"}]);
    let container = json!({"name": "web", "image": "x", "environment": environment});
    sim.service(container, 1, json!([])).await;
}

#[tokio::test]
async fn each_change_of_a_task_reaches_the_functions_of_the_rules_that_match() {
    let stack = Stack::start(event_bridge).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    service(&sim).await;
    let path = "/functions/every-change/";
    let up = stack.await_calls(path, 4).await;
    sim.ecs(
        "UpdateService",
        json!({"cluster": "dev", "service": "web", "desiredCount": 0}),
    )
    .await;
    let all = stack.await_calls(path, 7).await;
    let seen: Vec<(String, u64)> = all
        .iter()
        .map(|h| {
            let detail = &h.json()["detail"];
            let status = detail["lastStatus"].as_str().unwrap().to_string();
            (status, detail["version"].as_u64().unwrap())
        })
        .collect();
    let order = [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ];
    let expected: Vec<(String, u64)> = order.iter().map(|s| s.to_string()).zip(1..).collect();
    assert_eq!(seen, expected);

    let running = &up[3];
    assert_eq!(running.path, "/2015-03-31/functions/every-change/invocations");
    assert_eq!(running.invocation_type, "Event");
    let event = running.json();
    let task = &event["detail"];
    assert_eq!(
        (&event["version"], &event["source"], &event["detail-type"]),
        (&json!("0"), &json!("aws.ecs"), &json!("ECS Task State Change"))
    );
    assert_eq!(event["resources"], json!([task["taskArn"]]));
    assert_eq!(
        (&event["account"], &event["region"]),
        (&json!("000000000000"), &json!("us-east-1"))
    );
    assert_eq!(
        event["time"].as_str().unwrap().len(),
        "2020-01-23T17:57:58Z".len()
    );
    assert_eq!(task["group"], "service:web");
    assert_eq!(task["launchType"], "FARGATE");
    assert!(task["clusterArn"].as_str().unwrap().ends_with(":cluster/dev"));
    assert!(
        task["taskDefinitionArn"]
            .as_str()
            .unwrap()
            .ends_with(":task-definition/web:1")
    );
    assert!(task["startedBy"].as_str().unwrap().starts_with("ecs-svc/"));
    assert_eq!(task["containers"][0]["lastStatus"], "RUNNING");
    assert_eq!(task["attachments"][0]["type"], "eni");
    assert_eq!(task["attachments"][0]["details"][4]["name"], "privateIPv4Address");
    for time in [
        "createdAt",
        "startedAt",
        "updatedAt",
        "connectivityAt",
        "pullStartedAt",
    ] {
        let text = task[time].as_str().unwrap();
        assert_eq!(text.len(), "2020-01-23T17:57:34.402Z".len(), "{time}: {text}");
    }
    assert_eq!((task.get("stoppedAt"), task.get("tags")), (None, None));
    let stopped = &all[6].json()["detail"];
    assert_eq!(stopped["desiredStatus"], "STOPPED");
    assert_eq!(stopped["stopCode"], "ServiceSchedulerInitiated");
    assert!(stopped["stoppedAt"].is_string() && stopped["stoppedReason"].is_string());
    let ids: std::collections::BTreeSet<String> = all.iter().map(|h| h.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 7, "each event has its own id");

    let ends = stack.await_calls("/functions/ends/", 1).await;
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].body, r#"{"action":"tick"}"#, "the target's own input");
    for silent in ["off", "tick", "other", "unknown"] {
        assert!(
            stack.calls(&format!("/functions/{silent}/")).is_empty(),
            "{silent}"
        );
    }
    sim.server.stop().await;
}

#[tokio::test]
async fn a_stack_that_fails_does_not_stop_the_simulator() {
    let stack = Stack::start(|_| (500, json!({"message": "down"}))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    service(&sim).await;
    stack.await_calls("AWSEvents.ListRules", 4).await;
    assert_eq!(sim.tasks("RUNNING").await.len(), 1);
    sim.server.stop().await;
}
