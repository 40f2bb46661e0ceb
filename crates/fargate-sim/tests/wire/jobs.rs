//! Pipeline jobs of a server, with a stack whose functions say nothing by themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::request;
use super::sim::{Sim, pause};
use super::stack::Stack;

const INVOKED: &str = "/invocations";

async fn start(sim: &Sim, job: Value) -> String {
    let started = sim.control("POST", "/pipeline/jobs", job).await;
    assert_eq!(started.status, 201, "{}", started.body);
    started.json()["id"].as_str().unwrap().to_string()
}

async fn job(sim: &Sim, id: &str) -> Value {
    let shown = sim
        .control("GET", &format!("/pipeline/jobs/{id}"), json!(null))
        .await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    shown.json()
}

/// The answer's status.
async fn put(sim: &Sim, operation: &str, input: Value) -> u16 {
    let headers = [format!("X-Amz-Target: CodePipeline_20150709.{operation}")];
    let answer = request(&sim.address, "POST", "/", &headers, &input.to_string()).await;
    answer.unwrap().status
}

#[tokio::test]
async fn a_function_is_invoked_with_its_token_until_it_gives_a_verdict() {
    let stack = Stack::start(|_| (202, json!(null))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:wake";
    let parameters = r#"{"group":"dev","wait":true}"#;
    let id = start(&sim, json!({"function": arn, "user_parameters": parameters})).await;

    let first = &stack.await_calls(INVOKED, 1).await[0];
    assert_eq!(first.path, "/2015-03-31/functions/wake/invocations");
    assert_eq!(first.invocation_type, "Event");
    assert!(first.authorization.contains("/lambda/aws4_request"));
    let event = first.json();
    let data = &event["CodePipeline.job"]["data"];
    assert_eq!(event["CodePipeline.job"]["id"], id.as_str());
    assert_eq!(event["CodePipeline.job"]["accountId"], "000000000000");
    assert_eq!(
        data["actionConfiguration"]["configuration"],
        json!({"FunctionName": "wake", "UserParameters": parameters})
    );
    assert_eq!(
        (&data["inputArtifacts"], &data["outputArtifacts"]),
        (&json!([]), &json!([]))
    );
    assert!(data["artifactCredentials"]["accessKeyId"].is_string());
    assert_eq!(data.get("continuationToken"), None);

    let goes_on = json!({"jobId": id, "continuationToken": "generation 7"});
    assert_eq!(put(&sim, "PutJobSuccessResult", goes_on.clone()).await, 200);
    assert_eq!(job(&sim, &id).await["status"], "InProgress");
    let again = &stack.await_calls(INVOKED, 2).await[1];
    let between = again.at.duration_since(first.at);
    assert!(
        between >= Duration::from_secs(1),
        "not before 1 s, but {between:?}"
    );
    let mut expected = event.clone();
    expected["CodePipeline.job"]["data"]["continuationToken"] = json!("generation 7");
    assert_eq!(again.json(), expected);

    let done = json!({"jobId": id, "executionDetails": {"summary": "dev is ready"}});
    assert_eq!(put(&sim, "PutJobSuccessResult", done.clone()).await, 200);
    let too_late = json!({"jobId": id, "failureDetails": {"type": "JobFailed", "message": "no"}});
    assert_eq!(put(&sim, "PutJobFailureResult", too_late.clone()).await, 400);
    let refused = "InvalidJobStateException";
    assert_eq!(
        job(&sim, &id).await,
        json!({
            "id": id,
            "status": "Succeeded",
            "invocations": 2,
            "results": [
                {"operation": "PutJobSuccessResult", "refused": null, "parameters": goes_on},
                {"operation": "PutJobSuccessResult", "refused": null, "parameters": done},
                {"operation": "PutJobFailureResult", "refused": refused, "parameters": too_late},
            ],
            "failure": null,
        })
    );
    let calls = sim.control("GET", "/calls", json!(null)).await.json();
    let outcomes = calls["calls"].as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes
        .filter(|c| c["service"] == "codepipeline")
        .map(|c| c["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["ok", "ok", refused]);
    sim.server.stop().await;
}

#[tokio::test]
async fn a_job_can_be_delivered_twice() {
    let stack = Stack::start(|_| (202, json!(null))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let id = start(&sim, json!({"function": "wake", "user_parameters": null})).await;
    stack.await_calls(INVOKED, 1).await;
    assert_eq!(put(&sim, "PutJobSuccessResult", json!({"jobId": id})).await, 200);
    let path = format!("/pipeline/jobs/{id}/invoke");
    let repeated = sim.control("POST", &path, json!(null)).await;
    assert_eq!(
        (repeated.status, &repeated.json()["invocations"]),
        (202, &json!(2))
    );
    let calls = stack.await_calls(INVOKED, 2).await;
    assert_eq!(calls[0].json(), calls[1].json());
    let configuration = &calls[0].json()["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"];
    assert_eq!(*configuration, json!({"FunctionName": "wake"}));
    sim.server.stop().await;
}

#[tokio::test]
async fn a_job_whose_function_does_not_exist_fails() {
    let stack = Stack::start(|_| (404, json!({"Message": "Function not found: nobody"}))).await;
    let sim = Sim::start(|config| config.stack = Some(stack.url())).await;
    let id = start(&sim, json!({"function": "nobody"})).await;
    stack.await_calls(INVOKED, 1).await;
    while job(&sim, &id).await["status"] == "InProgress" {
        pause().await;
    }
    let failed = job(&sim, &id).await;
    assert_eq!(failed["status"], "Failed");
    assert_eq!(failed["failure"]["type"], "ConfigurationError");
    let message = failed["failure"]["message"].as_str().unwrap();
    assert!(message.contains("Function not found: nobody"), "{message}");
    sim.server.stop().await;
}

#[tokio::test]
async fn jobs_need_a_stack_and_a_function() {
    let sim = Sim::start(|_| {}).await;
    let started = sim
        .control("POST", "/pipeline/jobs", json!({"function": "wake"}))
        .await;
    assert_eq!(started.status, 502);
    assert!(started.body.contains("no --stack was given"), "{}", started.body);
    let wrong = sim
        .control("POST", "/pipeline/jobs", json!({"functoin": "wake"}))
        .await;
    assert_eq!(wrong.status, 400);
    for (method, path) in [("GET", "/pipeline/jobs/x"), ("POST", "/pipeline/jobs/x/invoke")] {
        assert_eq!(sim.control(method, path, json!(null)).await.status, 404, "{path}");
    }
    sim.server.stop().await;
}
