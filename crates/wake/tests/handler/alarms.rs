//! CloudWatch alarms through SNS.

use super::*;

const BALANCER: &str = "app/dev/50dc6c495c0c9188";
const TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/dev/6d0ecf831eec9f09";

/// A group `dev` asleep behind the load balancer of the sample, as a tick has seen it.
async fn behind_a_balancer() -> World {
    let world = asleep();
    world.balance(BALANCER, &[TARGET_GROUP]);
    world.change("dev/web", |state| {
        state.target_groups = vec![TARGET_GROUP.to_owned()]
    });
    answer(&world, event("direct-tick.json")).await;
    world
}

fn records(records: &[&Value]) -> Value {
    let all: Vec<&Value> = records.iter().map(|event| &event["Records"][0]).collect();
    json!({"Records": all})
}

fn with_message(message: &str) -> Value {
    let mut event = event("sns-alarm.json");
    event["Records"][0]["Sns"]["Message"] = json!(message);
    event
}

fn changed(change: impl Fn(&mut Value)) -> Value {
    let text = event("sns-alarm.json")["Records"][0]["Sns"]["Message"].clone();
    let mut message: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
    change(&mut message);
    with_message(&message.to_string())
}

#[tokio::test]
async fn an_alarm_wakes_the_group_behind_its_load_balancer() {
    let world = behind_a_balancer().await;
    let result = answer(&world, event("sns-alarm.json")).await;
    let group = &result["records"][0]["groups"][0];
    assert_eq!(
        (
            &group["group"],
            &group["decision"],
            &group["cause"],
            &group["generation"]
        ),
        (&json!("dev"), &json!("wake"), &json!("alarm"), &json!(1))
    );
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
    let again = answer(&world, event("sns-alarm.json")).await;
    assert_eq!(again["records"][0]["groups"][0]["decision"], "hold");
    assert_eq!(world.changes().len(), 2, "delivered twice, woken once");
}

#[tokio::test]
async fn an_alarm_of_a_target_group_wakes_the_group_of_that_one_alone() {
    let world = behind_a_balancer().await;
    let dimension = json!([{"name": "TargetGroup", "value": "targetgroup/dev/6d0ecf831eec9f09"},
        {"name": "LoadBalancer", "value": BALANCER}]);
    let event = changed(|message| message["Trigger"]["Dimensions"] = dimension.clone());
    let result = answer(&world, event).await;
    assert_eq!(result["records"][0]["groups"][0]["group"], "dev");
}

#[tokio::test]
async fn an_alarm_that_names_nothing_known_is_for_the_default_group_if_there_is_one() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "default")], 0);
    for event in [
        event("sns-alarm.json"),
        changed(|message| message["Trigger"] = json!(null)),
        changed(|message| message["AlarmName"] = json!("\u{1f634} \u{202e}kaputt\u{0}")),
    ] {
        let result = answer(&world, event).await;
        assert_eq!(result["records"][0]["groups"][0]["group"], "default");
    }
    let without = answer(&asleep(), event("sns-alarm.json")).await;
    assert_eq!(without["records"][0]["refused"]["code"], "UnknownGroup");
}

#[tokio::test]
async fn what_is_no_reason_to_wake_is_reported_and_dropped() {
    let world = behind_a_balancer().await;
    for (event, code) in [
        (event("sns-ok.json"), "NotAWake"),
        (
            changed(|m| m["NewStateValue"] = json!("INSUFFICIENT_DATA")),
            "NotAWake",
        ),
        (
            changed(|m| m["Trigger"]["MetricName"] = json!("HTTPCode_Target_5XX_Count")),
            "NotAWake",
        ),
        (event("sam-sns-notification.json"), "InvalidRequest"),
        (with_message(&"\u{1f4a3}".repeat(64 * 1024)), "InvalidRequest"),
        (json!({"Records": [{}]}), "InvalidRequest"),
        (json!({"Records": [null]}), "InvalidRequest"),
        (json!({"Records": [{"EventSource": "aws:sns"}]}), "InvalidRequest"),
    ] {
        let result = answer(&world, event.clone()).await;
        assert_eq!(result["records"][0]["refused"]["code"], code, "{result}");
        assert!(
            result.to_string().len() < 1000,
            "the report does not repeat 256 KB"
        );
    }
    assert_eq!(answer(&world, json!({"Records": []})).await["records"], json!([]));
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn one_bad_record_does_not_harm_its_neighbours() {
    let world = behind_a_balancer().await;
    let (bad, good) = (event("sam-sns-notification.json"), event("sns-alarm.json"));
    let result = answer(&world, records(&[&bad, &good, &bad])).await;
    assert_eq!(result["records"][0]["refused"]["code"], "InvalidRequest");
    assert_eq!(result["records"][1]["groups"][0]["decision"], "wake");
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn an_alarm_that_could_not_be_handled_fails_the_invocation_so_that_it_comes_again() {
    let world = behind_a_balancer().await;
    for (what, code) in [
        ("table", Code::Throttled),
        ("DescribeTargetGroups", Code::AccessDenied),
    ] {
        world.break_(what, code);
        let failed = wake::handle(&world, &config(&[]), event("sns-alarm.json"), "r").await;
        assert_eq!(failed.expect_err("it comes again").code, code);
        world.mend(what);
    }
    answer(&world, event("sns-alarm.json")).await;
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn one_of_five_services_denied_wakes_four_says_so_and_is_tried_again_by_the_tick() {
    let services = ["dev/a", "dev/b", "dev/c", "dev/d", "dev/e"];
    let world = World::with(&services, &[("dormouse:group", "default")], 0);
    world.break_("UpdateService dev/c", Code::AccessDenied);
    let result = answer(&world, event("sns-alarm.json")).await;
    let group = &result["records"][0]["groups"][0];
    assert_eq!(services.map(|service| world.desired(service)), [1, 1, 0, 1, 1]);
    assert_eq!(group["errors"].as_array().map(Vec::len), Some(1), "{group}");
    assert_eq!(
        (&group["errors"][0]["service"], &group["errors"][0]["code"]),
        (&json!("dev/c"), &json!("AccessDenied"))
    );
    let stages: Vec<&str> = group["services"]
        .as_array()
        .expect("services")
        .iter()
        .filter_map(|service| service["stage"].as_str())
        .collect();
    assert_eq!(
        stages.iter().filter(|stage| **stage == "failing").count(),
        1,
        "{stages:?}"
    );
    world.mend("UpdateService dev/c");
    world.advance(60);
    answer(&world, json!({"action": "tick", "group": "default"})).await;
    assert_eq!(world.desired("dev/c"), 1);
}
