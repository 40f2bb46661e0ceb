//! A job as its function gets it, and as a test looks at it.

use serde_json::{Value, json};

use crate::model::{JobStatus, PipelineJob, World};

/// Name in a Lambda function's ARN (`arn:aws:lambda:…:function:name`, with or without a qualifier after it), or the
/// text itself when it is no ARN.
pub fn function_name(function: &str) -> &str {
    match function
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":function:"))
    {
        Some((_, name)) => name.split(':').next().unwrap_or(name),
        None => function,
    }
}

/// The event that CodePipeline invokes a function with ("Example JSON event" in "Invoke an AWS Lambda function in a
/// pipeline"). There are no artifacts, and the credentials for them lead nowhere.
pub fn job_event(world: &World, job: &PipelineJob) -> Value {
    let mut configuration = json!({"FunctionName": function_name(&job.function)});
    if let Some(parameters) = &job.user_parameters {
        configuration["UserParameters"] = json!(parameters);
    }
    let mut data = json!({
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": [],
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "ASIASIMULATED",
            "secretAccessKey": "simulated",
            "sessionToken": "simulated",
            "expirationTime": 4_102_444_800_000_u64,
        },
    });
    if let Some(token) = &job.token {
        data["continuationToken"] = json!(token);
    }
    json!({"CodePipeline.job": {"id": job.id.0, "accountId": world.config.account, "data": data}})
}

/// The job for the control API: status, number of invocations, results as they were sent.
pub fn job_view(job: &PipelineJob) -> Value {
    let (status, failure) = match &job.status {
        JobStatus::InProgress => ("InProgress", None),
        JobStatus::Succeeded => ("Succeeded", None),
        JobStatus::Failed(failure) => {
            let failure = json!({"type": failure.kind, "message": failure.message});
            ("Failed", Some(failure))
        }
    };
    let results: Vec<Value> = job
        .results
        .iter()
        .map(|r| json!({"operation": r.operation, "refused": r.refused, "parameters": r.parameters}))
        .collect();
    json!({
        "id": job.id.0,
        "status": status,
        "invocations": job.invocations,
        "results": results,
        "failure": failure,
    })
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn a_function_is_named_by_name_or_arn() {
        for named in [
            "dormouse-wake",
            "arn:aws:lambda:us-east-1:000000000000:function:dormouse-wake",
            "arn:aws:lambda:us-east-1:000000000000:function:dormouse-wake:live",
        ] {
            assert_eq!(function_name(named), "dormouse-wake", "{named}");
        }
    }
}
