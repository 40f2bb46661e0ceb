//! Minutes of CloudWatch metrics, and the signals `requests` and `cpu` that are read from them.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use dormouse_core::ids::ServiceId;
use dormouse_core::minutes::{self, Point};
use dormouse_core::reading::Reading;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::errors::failed;
use crate::{Aws, moment};

impl Aws {
    /// What the load balancers in front of these target groups counted.
    pub(crate) async fn requests(
        &self,
        target_groups: &[String],
        idle_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let readings = target_groups.iter().map(async |group| {
            let minutes = self.minutes_of_target_group(group, idle_after, now).await;
            minutes.map_or_else(Reading::Unknown, |(requests, witness)| {
                minutes::judge(&requests, &witness, "HealthyHostCount of the target group", now)
            })
        });
        minutes::combine(join_all(readings).await)
    }

    /// Whether a task of the service used more CPU than an idle one, in percent.
    pub(crate) async fn cpu(
        &self,
        service: &ServiceId,
        idle_cpu: u32,
        idle_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let what = format!("CPUUtilization of {service}");
        let query = of_service("cpu", service, "CPUUtilization", "Maximum");
        let since = minutes::window_start(idle_after, now);
        let answer = self.minutes(vec![query], &what, since, now).await;
        match answer.and_then(|mut minutes| minutes.take("cpu", &what)) {
            Ok(cpu) => {
                let used = minutes::above(&cpu, f64::from(idle_cpu));
                minutes::judge(&used, &cpu, "CPUUtilization of the service", now)
            }
            Err(why) => Reading::Unknown(why),
        }
    }

    /// The minutes of RequestCount and HealthyHostCount of a target group.
    async fn minutes_of_target_group(
        &self,
        target_group: &str,
        idle_after: Duration,
        now: Timestamp,
    ) -> Result<(Vec<Point>, Vec<Point>), String> {
        let balancer = self.elb.balancer(target_group).await;
        let balancer = balancer.map_err(|error| error.message)?;
        let dimensions = [
            ("LoadBalancer", suffix(&balancer.arn, ":loadbalancer/")),
            ("TargetGroup", target_group.rsplit(':').next().unwrap_or_default()),
        ];
        let of = |id, metric, statistic| query(id, "AWS/ApplicationELB", metric, statistic, dimensions);
        let queries = vec![
            of("requests", "RequestCount", "Sum"),
            of("witness", "HealthyHostCount", "Maximum"),
        ];
        let since = minutes::window_start(idle_after, now);
        let mut minutes = self.minutes(queries, target_group, since, now).await?;
        Ok((
            minutes.take("requests", target_group)?,
            minutes.take("witness", target_group)?,
        ))
    }

    /// The minutes of up to 500 metrics from `since` to `now`, or why there are none. `what` names the metrics.
    pub(crate) async fn minutes(
        &self,
        queries: Vec<MetricDataQuery>,
        what: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Minutes, String> {
        let mut pages = self
            .cloudwatch
            .get_metric_data()
            .start_time(DateTime::from_secs(since.as_second()))
            .end_time(DateTime::from_secs(now.as_second()))
            .set_metric_data_queries(Some(queries))
            .into_paginator()
            .send();
        let mut minutes = Minutes::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(&format!("GetMetricData of {what}"), &error).message)?;
            for result in page.metric_data_results() {
                minutes.add(result);
            }
        }
        Ok(minutes)
    }
}

/// Minutes by the ids of their queries, or CloudWatch's words about why it has not got them.
#[derive(Default)]
pub(crate) struct Minutes(HashMap<String, Result<Vec<Point>, String>>);

impl Minutes {
    /// Adds a page of one query's minutes. A page that CloudWatch could not or would not give leaves the query without
    /// any: what is missing must not pass for silence.
    fn add(&mut self, result: &MetricDataResult) {
        let id = result.id().unwrap_or_default().to_owned();
        let minutes = self.0.entry(id).or_insert_with(|| Ok(Vec::new()));
        match result.status_code() {
            Some(status @ (StatusCode::InternalError | StatusCode::Forbidden)) => {
                let words = result.messages().iter().filter_map(|message| message.value());
                let words: Vec<&str> = std::iter::once(status.as_str()).chain(words).collect();
                *minutes = Err(words.join(": "));
            }
            _ => {
                if let Ok(points) = minutes {
                    let page = result.timestamps().iter().zip(result.values());
                    points.extend(page.map(|(at, value)| Point {
                        at: moment(at),
                        value: *value,
                    }));
                }
            }
        }
    }

    /// The minutes of one query, or why there are none. `what` names its metric.
    pub(crate) fn take(&mut self, id: &str, what: &str) -> Result<Vec<Point>, String> {
        let minutes = self.0.remove(id).unwrap_or_else(|| Ok(Vec::new()));
        minutes.map_err(|why| format!("GetMetricData of {what}: {why}"))
    }
}

/// The part of an ARN that CloudWatch uses as the dimension's value.
fn suffix<'a>(arn: &'a str, mark: &str) -> &'a str {
    arn.split_once(mark).map_or(arn, |(_, suffix)| suffix)
}

/// Asks for a metric that ECS publishes for a service (Amazon ECS Developer Guide, "Amazon ECS CloudWatch metrics").
pub(crate) fn of_service(id: &str, service: &ServiceId, metric: &str, statistic: &str) -> MetricDataQuery {
    let dimensions = [
        ("ClusterName", &*service.cluster),
        ("ServiceName", &*service.name),
    ];
    query(id, "AWS/ECS", metric, statistic, dimensions)
}

fn query(
    id: &str,
    namespace: &str,
    metric: &str,
    statistic: &str,
    dimensions: [(&str, &str); 2],
) -> MetricDataQuery {
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(namespace)
        .metric_name(metric)
        .set_dimensions(Some(dimensions.to_vec()))
        .build();
    let period = i32::try_from(minutes::PERIOD.as_secs()).unwrap_or(60);
    let stat = MetricStat::builder()
        .metric(metric)
        .period(period)
        .stat(statistic)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::MessageData;

    use super::*;

    fn page(status: StatusCode, minutes: &[i64]) -> MetricDataResult {
        let times = minutes.iter().map(|minute| DateTime::from_secs(minute * 60));
        MetricDataResult::builder()
            .id("m0")
            .status_code(status)
            .set_timestamps(Some(times.collect()))
            .set_values(Some(vec![7.5; minutes.len()]))
            .build()
    }

    #[test]
    fn pages_of_a_metric_are_put_together() {
        let mut minutes = Minutes::default();
        minutes.add(&page(StatusCode::PartialData, &[3, 2]));
        minutes.add(&page(StatusCode::Complete, &[1]));
        let points = minutes.take("m0", "CPUUtilization of dev/web").expect("points");
        let seconds: Vec<i64> = points.iter().map(|point| point.at.as_second()).collect();
        assert_eq!(seconds, [180, 120, 60]);
        assert_eq!(minutes.take("m1", "what has no result"), Ok(Vec::new()));
    }

    #[test]
    fn a_metric_with_a_page_that_failed_has_no_minutes_and_says_why() {
        let why = MessageData::builder().code("x").value("try again").build();
        let failed = MetricDataResult::builder().id("m0").messages(why);
        let failed = failed.status_code(StatusCode::InternalError).build();
        let mut minutes = Minutes::default();
        for page in [
            &page(StatusCode::PartialData, &[3]),
            &failed,
            &page(StatusCode::Complete, &[1]),
        ] {
            minutes.add(page);
        }
        let why = "GetMetricData of CPUUtilization of dev/web: InternalError: try again";
        assert_eq!(
            minutes.take("m0", "CPUUtilization of dev/web"),
            Err(why.to_owned())
        );
        minutes.add(&page(StatusCode::Forbidden, &[]));
        assert_eq!(
            minutes.take("m0", "x"),
            Err("GetMetricData of x: Forbidden".to_owned())
        );
    }
}
