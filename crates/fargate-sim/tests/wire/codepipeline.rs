//! Results of pipeline jobs, without a server.

use fargate_sim::model::{Config, JobId, JobStatus, Millis, World};
use fargate_sim::protocol::{AnyPort, Call, Endpoint};
use serde_json::{Value, json};

const NOW: Millis = Millis(1_800_000_000_000);

struct Api(Endpoint);

impl Api {
    /// With one job.
    fn new() -> (Api, JobId) {
        let mut world = World::new(Config::default());
        let job = world.start_job("wake".into(), None);
        (Api(Endpoint::new(world)), job)
    }

    fn put(&mut self, operation: &str, input: Value) -> (u16, Value) {
        let call = Call {
            path: "/".into(),
            target: Some(format!("CodePipeline_20150709.{operation}")),
            body: input.to_string().into_bytes(),
            ..Call::default()
        };
        let response = self.0.handle(NOW, &call, &mut AnyPort);
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    /// Code and message of the refusal.
    fn refused(&mut self, operation: &str, input: Value) -> (String, String) {
        let (status, output) = self.put(operation, input);
        assert_eq!(status, 400, "{operation}: {output}");
        let text = |name: &str| output[name].as_str().unwrap().to_string();
        (text("__type"), text("message"))
    }
}

#[test]
fn the_first_verdict_on_a_job_counts() {
    let (mut api, job) = Api::new();
    let details = json!({"type": "JobFailed", "message": "no capacity", "externalExecutionId": "x"});
    let failure = json!({"jobId": job.0, "failureDetails": details});
    assert_eq!(api.put("PutJobFailureResult", failure), (200, json!({})));
    let (code, _) = api.refused("PutJobSuccessResult", json!({"jobId": job.0}));
    assert_eq!(code, "InvalidJobStateException");
    assert!(
        matches!(&api.0.world.job(&job).unwrap().status, JobStatus::Failed(f) if f.message == "no capacity")
    );

    let calls: Vec<_> = api.0.calls.since(0).collect();
    assert_eq!(
        (
            calls[0].service.as_str(),
            calls[0].operation.as_str(),
            calls[0].outcome.as_str()
        ),
        ("codepipeline", "PutJobFailureResult", "ok")
    );
    assert_eq!(calls[1].outcome, "InvalidJobStateException");
}

#[test]
fn a_job_that_nobody_started_is_not_found() {
    let (mut api, _) = Api::new();
    let unknown = json!({"jobId": "11111111-abcd-1111-abcd-111111abcdef"});
    assert_eq!(
        api.refused("PutJobSuccessResult", unknown).0,
        "JobNotFoundException"
    );
    assert_eq!(
        api.refused("PollForJobs", json!({})).0,
        "UnknownOperationException"
    );
}

#[test]
fn faults_strike_before_the_job_hears_of_its_result() {
    let (mut api, job) = Api::new();
    let fault = json!({"operation": "PutJobSuccessResult", "code": "ThrottlingException", "times": 1});
    api.0.faults.add(serde_json::from_value(fault).unwrap());
    let success = json!({"jobId": job.0});
    assert_eq!(
        api.refused("PutJobSuccessResult", success.clone()).0,
        "ThrottlingException"
    );
    assert!(api.0.world.job(&job).unwrap().results.is_empty());
    assert_eq!(api.put("PutJobSuccessResult", success).0, 200);
}

#[test]
fn what_breaks_aws_s_constraints_is_refused_with_the_constraint() {
    let (mut api, job) = Api::new();
    let success = |mut more: Value| {
        more["jobId"] = json!(job.0);
        ("PutJobSuccessResult", more)
    };
    let failure = |details: Value| {
        let input = json!({"jobId": job.0, "failureDetails": details});
        ("PutJobFailureResult", input)
    };
    let long = |n: usize| "x".repeat(n);
    let too_short = "greater than or equal to 1";
    for ((operation, input), part) in [
        (("PutJobSuccessResult", json!({})), "Value null at 'jobId'"),
        (
            ("PutJobSuccessResult", json!({"jobId": "Job-1"})),
            "Value 'Job-1' at 'jobId' failed to satisfy constraint: Member must satisfy regular expression",
        ),
        (success(json!({"continuationToken": ""})), too_short),
        (
            success(json!({"continuationToken": long(2049)})),
            "less than or equal to 2048",
        ),
        (
            success(json!({"continuationToken": "t", "outputVariables": {"a": "b"}})),
            "must not be given together",
        ),
        (
            success(json!({"outputVariables": {"a b": ""}})),
            "'a b' at 'outputVariables'",
        ),
        (
            success(json!({"executionDetails": {"summary": long(2049)}})),
            "'executionDetails.summary' failed to satisfy constraint: Member must have length less than",
        ),
        (
            success(json!({"executionDetails": {"externalExecutionId": long(1501)}})),
            "less than or equal to 1500",
        ),
        (
            success(json!({"executionDetails": {"percentComplete": 101}})),
            "Value '101' at 'executionDetails.percentComplete' failed to satisfy constraint: Member must have value",
        ),
        (
            success(json!({"executionDetails": {"percentComplete": -1}})),
            "equal to 0",
        ),
        (
            success(json!({"currentRevision": {"revision": "1"}})),
            "Value null at 'currentRevision.changeIdentifier'",
        ),
        (
            ("PutJobFailureResult", json!({"jobId": job.0})),
            "Value null at 'failureDetails'",
        ),
        (
            failure(json!({"type": "JobFailed"})),
            "Value null at 'failureDetails.message'",
        ),
        (failure(json!({"type": "JobFailed", "message": ""})), too_short),
        (
            failure(json!({"type": "JobFailed", "message": long(5001)})),
            "less than or equal to 5000",
        ),
        (
            failure(json!({"type": "Tired", "message": "m"})),
            "Value 'Tired' at 'failureDetails.type' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (
            failure(json!({})),
            "2 validation errors detected: Value null at 'failureDetails.type'",
        ),
    ] {
        let (code, message) = api.refused(operation, input);
        assert_eq!(code, "ValidationException", "{part}");
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let (code, _) = api.refused("PutJobSuccessResult", json!({"jobId": 7}));
    assert_eq!(code, "SerializationException");
    assert_eq!(api.0.world.job(&job).unwrap().status, JobStatus::InProgress);

    let (operation, longest) = failure(json!({"type": "PermissionError", "message": "ä".repeat(5000)}));
    assert_eq!(
        api.put(operation, longest).0,
        200,
        "characters are counted, not bytes"
    );
}
