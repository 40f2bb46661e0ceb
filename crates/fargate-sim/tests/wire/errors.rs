//! Errors of the load balancer and of its targets, as clients see them and as CloudWatch counts them.

use serde_json::json;

use super::client::{get, request};
use super::sim::{Sim, until};
use super::stack::Stack;

/// What the stack was told of a metric: number of dimensions and value, one for each datum.
fn data(stack: &Stack, metric: &str) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    for call in stack.calls("Namespace=AWS%2FApplicationELB") {
        let member = |line: &str| line.split(".MetricName").next().map(str::to_string);
        let named = format!(".MetricName={metric}");
        for name in call
            .body
            .split('&')
            .filter(|l| l.ends_with(&named))
            .filter_map(member)
        {
            let count = |part: &str| call.body.matches(part).count();
            let value = call.body.split(&format!("{name}.Value=")).nth(1).unwrap();
            let value = value.split('&').next().unwrap().parse().unwrap();
            let dimensions = (1..=2).map(|n| count(&format!("{name}.Dimensions.member.{n}.Name=")));
            found.push((dimensions.sum(), value));
        }
    }
    found
}

#[tokio::test]
async fn the_load_balancer_s_503_and_a_target_s_500_are_counted_apart() {
    let stack = Stack::start(|_| (200, json!({"Rules": []}))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let (front, group) = sim.balancer().await;
    for _ in 0..2 {
        let asleep = get(&front, "/").await.unwrap();
        assert_eq!(
            (asleep.status, asleep.header("server")),
            (503, Some("awselb/2.0"))
        );
    }
    sim.control("POST", "/metrics/flush", json!(null)).await;
    assert_eq!(data(&stack, "HTTPCode_ELB_503_Count"), [(1, 2.0)]);
    assert_eq!(data(&stack, "HTTPCode_ELB_5XX_Count"), [(1, 2.0)]);
    assert!(
        data(&stack, "RequestCount").is_empty(),
        "no target could be chosen"
    );

    let container = json!({"name": "web", "image": "x", "portMappings": [{"containerPort": 8080}]});
    let balancers = json!([{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}]);
    sim.service(container, 1, balancers).await;
    until(&front, "/", 200).await;
    sim.control("POST", "/metrics/flush", json!(null)).await;
    assert!(
        data(&stack, "HTTPCode_Target_5XX_Count").is_empty(),
        "nothing to count"
    );
    let headers = ["Content-Type: application/json".to_string()];
    let set = request(&front, "POST", "/_app/set", &headers, r#"{"status":500}"#).await;
    assert_eq!(set.unwrap().status, 200);
    let broken = get(&front, "/").await.unwrap();
    assert_eq!(
        (broken.status, broken.header("server")),
        (500, None),
        "the app's own answer"
    );
    let before = data(&stack, "HTTPCode_ELB_5XX_Count");
    sim.control("POST", "/metrics/flush", json!(null)).await;
    assert_eq!(data(&stack, "HTTPCode_Target_5XX_Count"), [(2, 1.0), (1, 1.0)]);
    assert_eq!(data(&stack, "HTTPCode_ELB_5XX_Count"), before);
    sim.server.stop().await;
}
