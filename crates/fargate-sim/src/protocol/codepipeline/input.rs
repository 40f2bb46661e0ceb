//! Inputs of the operations, with the constraints of their members ("Data types" in the API reference).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rules::Rules;
use crate::model::ApiError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutJobSuccessResult {
    pub(super) job_id: Option<String>,
    pub(super) continuation_token: Option<String>,
    current_revision: Option<CurrentRevision>,
    execution_details: Option<ExecutionDetails>,
    output_variables: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurrentRevision {
    revision: Option<String>,
    change_identifier: Option<String>,
    revision_summary: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionDetails {
    summary: Option<String>,
    external_execution_id: Option<String>,
    percent_complete: Option<i64>,
}

impl PutJobSuccessResult {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let mut rules = Rules::default();
        rules.job_id(self.job_id.as_deref());
        rules.length("continuationToken", self.continuation_token.as_deref(), 2048);
        if let Some(revision) = &self.current_revision {
            let required = [
                ("currentRevision.revision", &revision.revision, 1500),
                (
                    "currentRevision.changeIdentifier",
                    &revision.change_identifier,
                    100,
                ),
            ];
            for (member, value, max) in required {
                rules.required(member, value.as_deref());
                rules.length(member, value.as_deref(), max);
            }
            let summary = revision.revision_summary.as_deref();
            rules.length("currentRevision.revisionSummary", summary, 2048);
        }
        if let Some(details) = &self.execution_details {
            let id = details.external_execution_id.as_deref();
            rules.length("executionDetails.summary", details.summary.as_deref(), 2048);
            rules.length("executionDetails.externalExecutionId", id, 1500);
            rules.percentage("executionDetails.percentComplete", details.percent_complete);
        }
        for name in self.output_variables.iter().flatten().map(|(name, _)| name) {
            rules.variable_name("outputVariables", name);
        }
        // "outputVariables can be included only when there is no continuation token on the request."
        if self.output_variables.is_some() && self.continuation_token.is_some() {
            rules.broken("outputVariables must not be given together with a continuationToken");
        }
        rules.done()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutJobFailureResult {
    pub(super) job_id: Option<String>,
    pub(super) failure_details: Option<FailureDetails>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureDetails {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) message: Option<String>,
    external_execution_id: Option<String>,
}

const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];

impl PutJobFailureResult {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let mut rules = Rules::default();
        rules.job_id(self.job_id.as_deref());
        match &self.failure_details {
            None => rules.required("failureDetails", None),
            Some(details) => {
                rules.required("failureDetails.type", details.kind.as_deref());
                rules.one_of("failureDetails.type", details.kind.as_deref(), &FAILURE_TYPES);
                rules.required("failureDetails.message", details.message.as_deref());
                rules.length("failureDetails.message", details.message.as_deref(), 5000);
                let id = details.external_execution_id.as_deref();
                rules.length("failureDetails.externalExecutionId", id, 1500);
            }
        }
        rules.done()
    }
}
