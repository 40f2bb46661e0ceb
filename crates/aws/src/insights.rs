//! The signal `logs`: one bounded CloudWatch Logs Insights query for the last line that shows use.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use dormouse_core::duration::between;
use dormouse_core::error::Error;
use dormouse_core::logs::{self, LogSource};
use dormouse_core::ports::Clock;
use dormouse_core::reading::Reading;
use jiff::Timestamp;

use crate::Aws;
use crate::errors::failed;

/// A query may take this long. Most take a second or two; the tick that waits has 55 s. Our choice.
const LIMIT: Duration = Duration::from_secs(20);
/// The first wait for a result, doubled each time up to [`LONGEST_PAUSE`]: GetQueryResults allows 5 calls a second
/// (CloudWatch Logs quotas), and many groups may wait at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

impl Aws {
    /// When the last line of the idle time that shows use was written. Whatever keeps the query from completing is
    /// `Unknown`.
    pub(crate) async fn last_line(
        &self,
        source: &LogSource,
        idle_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let start = logs::window_start(idle_after, now);
        match self.search(source, start, now).await {
            Ok(last) => logs::judge(last, start, idle_after, now),
            Err(why) => Reading::Unknown(why),
        }
    }

    async fn search(
        &self,
        source: &LogSource,
        start: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, String> {
        let group = source.group.as_str();
        let started = self
            .logs
            .start_query()
            .log_group_name(group)
            .start_time(start.as_second())
            .end_time(now.as_second())
            .query_string(source.query())
            .limit(1)
            .send()
            .await
            .map_err(|error| failed(&format!("StartQuery of log group `{group}`"), &error).message)?;
        let id = started.query_id().ok_or("StartQuery gave no query id")?;
        let begun = self.now();
        let mut pause = FIRST_PAUSE;
        while between(begun, self.now()) < LIMIT {
            self.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let answer = self.results(id).await.map_err(|error| error.message)?;
            match answer.status() {
                Some(QueryStatus::Complete) => return last(&answer),
                Some(QueryStatus::Scheduled | QueryStatus::Running) => {}
                other => {
                    let status = other.map_or("without a status", QueryStatus::as_str);
                    return Err(format!("the query of log group `{group}` ended {status}"));
                }
            }
        }
        // It would run, and cost, up to an hour; if it cannot be stopped, it ends by itself.
        let _ = self.logs.stop_query().query_id(id).send().await;
        Err(format!(
            "the query of log group `{group}` took more than {} s",
            LIMIT.as_secs()
        ))
    }

    async fn results(&self, id: &str) -> Result<GetQueryResultsOutput, Error> {
        let answer = self.logs.get_query_results().query_id(id).send().await;
        answer.map_err(|error| failed("GetQueryResults", &error))
    }
}

fn last(answer: &GetQueryResultsOutput) -> Result<Option<Timestamp>, String> {
    let Some(line) = answer.results().first() else {
        return Ok(None);
    };
    let at = line
        .iter()
        .find(|field| field.field() == Some("@timestamp"))
        .and_then(|field| field.value());
    let at = at.ok_or("the query's result has no @timestamp")?;
    let moment = logs::moment(at).ok_or_else(|| format!("the query's @timestamp `{at}` is no moment"))?;
    Ok(Some(moment))
}
