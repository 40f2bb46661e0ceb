//! The events of `events/`, handed to the deployed functions.

use std::path::Path;

use end_to_end::{Service, Stack};
use serde_json::Value;

fn function_for(event: &Value) -> &'static str {
    let scheduled = event["source"]
        .as_str()
        .is_some_and(|source| source.starts_with("aws."));
    if event["Records"][0]["eventSource"] == "aws:sqs" {
        "SessionMetricIngestFunctionName"
    } else if event.get("awslogs").is_some() {
        "LogPatternTriggerFunctionName"
    } else if event["action"] == "scale-in" || event["action"] == "sample" {
        "ScalingDecisionFunctionName"
    } else if scheduled || event["action"] == "sleep-timer" {
        "AutoSleepFunctionName"
    } else {
        "WakeFunctionName"
    }
}

#[tokio::test]
async fn every_event_in_the_folder_is_understood_by_the_deployed_function() {
    let stack = Stack::connect();
    let web = Service::new("dev").named("web").sleeps_after("10m");
    web.tag("connections", "/nginx_status").create(&stack).await;
    Service::new("dev").sleeps_after("10m").create(&stack).await;
    Service::new("default").sleeps_after("10m").create(&stack).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("events")
        .map(|e| e.expect("a file").path())
        .collect();
    names.sort();
    assert!(names.len() > 10);
    for path in names {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let event: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        // The pipeline of a job that nobody started is not there to be told; the handlers' own tests have these.
        if event.get("CodePipeline.job").is_some() {
            continue;
        }
        let answer = stack
            .invoke(function_for(&event), &event)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if name.starts_with("http-api") {
            assert!(
                answer["statusCode"].as_u64().is_some_and(|status| status < 504),
                "{name}: {answer}"
            );
        }
    }
}
