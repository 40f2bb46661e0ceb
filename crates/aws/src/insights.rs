//! Queries of CloudWatch Logs Insights.

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use dormouse_core::error::{Code, Error};
use dormouse_core::logs::{self, LogSource};
use dormouse_core::ports::{LogQueries, QueryState};
use jiff::Timestamp;

use crate::Aws;
use crate::errors::failed;

impl LogQueries for Aws {
    async fn start_query(
        &self,
        source: &LogSource,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<String, Error> {
        let started = self
            .logs
            .start_query()
            .log_group_name(source.group.as_str())
            .start_time(start.as_second())
            .end_time(end.as_second())
            .query_string(source.query())
            .limit(1)
            .send()
            .await
            .map_err(|error| failed("StartQuery", &error))?;
        started
            .query_id
            .ok_or_else(|| Error::new(Code::Rejected, "StartQuery gave no query id"))
    }

    async fn query_state(&self, id: &str) -> Result<QueryState, Error> {
        let answer = self.logs.get_query_results().query_id(id).send().await;
        let answer = answer.map_err(|error| failed("GetQueryResults", &error))?;
        match answer.status() {
            Some(QueryStatus::Complete) => last(&answer).map(QueryState::Complete),
            Some(QueryStatus::Scheduled | QueryStatus::Running) => Ok(QueryState::Running),
            Some(other) => Ok(QueryState::Ended(other.as_str().to_owned())),
            None => Ok(QueryState::Ended("without a status".to_owned())),
        }
    }

    async fn stop_query(&self, id: &str) {
        // If it cannot be stopped, it ends by itself after an hour at most.
        let _ = self.logs.stop_query().query_id(id).send().await;
    }
}

fn last(answer: &GetQueryResultsOutput) -> Result<Option<Timestamp>, Error> {
    let Some(line) = answer.results().first() else {
        return Ok(None);
    };
    let at = line
        .iter()
        .find(|field| field.field() == Some("@timestamp"))
        .and_then(|field| field.value())
        .unwrap_or_default();
    let moment = logs::moment(at).ok_or_else(|| {
        Error::new(
            Code::Rejected,
            format!("GetQueryResults: @timestamp `{at}` is no moment"),
        )
    })?;
    Ok(Some(moment))
}
