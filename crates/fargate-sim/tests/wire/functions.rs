//! Functions as targets: the events they get, and what their answers become.

use serde_json::{Value, json};

use super::client::{Answer, get, request, xml};
use super::sim::Sim;
use super::stack::{Heard, Stack};

const INVOKED: &str = "/functions/wake/invocations";

/// A load balancer whose default action is function `wake`; its address, and the group's ARN.
async fn front(sim: &Sim) -> (String, String) {
    let balancer = sim.elb("Action=CreateLoadBalancer&Name=lb").await;
    let group = sim
        .elb("Action=CreateTargetGroup&Name=wake&TargetType=lambda")
        .await;
    let balancer_arn = xml(&balancer, "LoadBalancerArn").unwrap();
    let group_arn = xml(&group, "TargetGroupArn").unwrap();
    let function = "arn:aws:lambda:us-east-1:000000000000:function:wake";
    sim.elb(&format!(
        "Action=RegisterTargets&TargetGroupArn={group_arn}&Targets.member.1.Id={function}"
    ))
    .await;
    sim.elb(&format!(
        "Action=CreateListener&LoadBalancerArn={balancer_arn}&Protocol=HTTP&Port=8081\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group_arn}"
    ))
    .await;
    let front = format!("{}:8081", xml(&balancer, "DNSName").unwrap());
    (front, group_arn.into())
}

/// A simulator whose function answers like this, with the load balancer's address and the group's ARN.
pub(crate) async fn function(
    answer: impl Fn(&Heard) -> Value + Send + Sync + 'static,
) -> (Sim, Stack, String, String) {
    let stack = Stack::start(move |heard| match heard.path.contains(INVOKED) {
        true => (200, answer(heard)),
        false => (200, json!({"Rules": []})),
    })
    .await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let (front, group) = front(&sim).await;
    (sim, stack, front, group)
}

async fn post(front: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let headers: Vec<String> = headers.iter().map(|h| h.to_string()).collect();
    request(front, "POST", path, &headers, body).await.unwrap()
}

#[tokio::test]
async fn a_function_gets_the_documented_event_and_its_answer_reaches_the_client() {
    let answer = json!({"statusCode": 201, "statusDescription": "201 Woken", "body": "aGk=", "isBase64Encoded": true,
        "headers": {"X-Of": "function", "Connection": "close", "Content-Length": "7"},
        "multiValueHeaders": {"X-Of": ["nobody"]}});
    let (sim, stack, front, group) = function(move |_| answer.clone()).await;
    let headers = [
        "Content-Type: text/plain",
        "X-Twice: 1",
        "X-Twice: 2",
        "X-Forwarded-For: 192.0.2.1",
    ];
    let answered = post(&front, "/a%20b?k=1%2B&k=2", &headers, "hello").await;
    assert!(
        answered.head.starts_with("HTTP/1.1 201 Woken\r\n"),
        "{}",
        answered.head
    );
    assert_eq!(
        (answered.body.as_str(), answered.header("x-of")),
        ("hi", Some("function"))
    );
    assert_eq!(answered.header("content-length"), Some("2"));

    let heard = &stack.calls(INVOKED)[0];
    assert_eq!(heard.invocation_type, "RequestResponse");
    let mut event = heard.json();
    let trace = event["headers"]["x-amzn-trace-id"].take();
    assert!(trace.as_str().unwrap().starts_with("Root=1-"), "{trace}");
    let expected = json!({
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": "POST",
        "path": "/a%20b",
        "queryStringParameters": {"k": "2"},
        "headers": {
            "host": front,
            "content-length": "5",
            "content-type": "text/plain",
            "x-twice": "2",
            "x-amzn-trace-id": null,
            "x-forwarded-for": "192.0.2.1, 127.0.0.1",
            "x-forwarded-port": "8081",
            "x-forwarded-proto": "http",
        },
        "body": "hello",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);

    sim.elb(&format!(
        "Action=ModifyTargetGroupAttributes&TargetGroupArn={group}\
         &Attributes.member.1.Key=lambda.multi_value_headers.enabled&Attributes.member.1.Value=true"
    ))
    .await;
    let answered = post(&front, "/?k=1%2B&k=2", &["X-Twice: 1", "X-Twice: 2"], "hello").await;
    assert_eq!(
        answered.header("x-of"),
        Some("nobody"),
        "of the answer only the many count"
    );
    let event = stack.calls(INVOKED)[1].json();
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({"k": ["1%2B", "2"]})
    );
    assert_eq!(event["multiValueHeaders"]["x-twice"], json!(["1", "2"]));
    assert_eq!(
        (event.get("headers"), &event["isBase64Encoded"]),
        (None, &json!(true))
    );
    sim.server.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_with_a_function_is_answered_and_counted() {
    let (sim, stack, front, _) = function(|heard| match heard.json()["path"].as_str().unwrap() {
        "/fails" => json!({"errorMessage": "boom", "errorType": "Error"}),
        "/shapeless" => json!({"body": "no status"}),
        "/500" => json!({"statusCode": 500}),
        _ => json!({"statusCode": 200, "body": "fine"}),
    })
    .await;
    assert_eq!(get(&front, "/").await.unwrap().body, "fine");
    for (path, status) in [("/fails", 502), ("/shapeless", 502), ("/500", 500)] {
        assert_eq!(get(&front, path).await.unwrap().status, status, "{path}");
    }
    let limit = "x".repeat(1 << 20);
    assert_eq!(
        post(&front, "/", &["Content-Type: text/plain"], &limit[..1000])
            .await
            .status,
        200
    );
    assert_eq!(stack.calls(INVOKED).len(), 5);
    let long = limit + "x";
    assert_eq!(
        post(&front, "/", &["Content-Type: text/plain"], &long)
            .await
            .status,
        413
    );
    assert_eq!(stack.calls(INVOKED).len(), 5, "not invoked");
    let upgrade = request(&front, "GET", "/", &["Upgrade: websocket".into()], "")
        .await
        .unwrap();
    assert_eq!(upgrade.status, 400);

    sim.control("POST", "/metrics/flush", json!(null)).await;
    let put = &stack.calls("Namespace=AWS%2FApplicationELB")[0].body;
    let sent: std::collections::BTreeMap<&str, &str> = put
        .split("MetricName=")
        .skip(1)
        .map(|part| {
            (
                part.split('&').next().unwrap(),
                part.split(".Value=").last().unwrap().split('&').next().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("HTTPCode_ELB_4XX_Count", "2"),
        ("HTTPCode_ELB_502_Count", "2"),
        ("HTTPCode_ELB_5XX_Count", "2"),
        ("HTTPCode_Target_5XX_Count", "1"),
        ("LambdaUserError", "3"),
        ("RequestCount", "7"),
    ];
    assert_eq!(sent, expected.into());
    sim.server.stop().await;
}

#[tokio::test]
async fn a_function_that_cannot_be_invoked_is_answered_with_502() {
    let stack = Stack::start(|_| (404, json!({"Message": "Function not found"}))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let (address, _) = front(&sim).await;
    assert_eq!(get(&address, "/").await.unwrap().status, 502);
    sim.server.stop().await;

    let sim = Sim::start(|_| {}).await;
    let (address, _) = front(&sim).await;
    let answered = get(&address, "/").await.unwrap();
    assert_eq!(
        (answered.status, answered.header("server")),
        (502, Some("awselb/2.0")),
        "no stack"
    );
    sim.server.stop().await;
}
