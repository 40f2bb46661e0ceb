//! The signal `requests`: what load balancers counted, read from CloudWatch.

use std::collections::HashMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::observation::{Observation, Seen};
use dormouse_core::ports::Signals;
use dormouse_core::reading::{Reading, Signal};
use dormouse_core::requests::{self, Point};
use dormouse_core::settings::GroupSettings;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::errors::failed;
use crate::{Aws, moment};

impl Signals for Aws {
    async fn read(
        &self,
        wanted: &[(ServiceId, Signal)],
        group: &GroupSettings,
        seen: &Observation,
        now: Timestamp,
    ) -> Vec<(ServiceId, Signal, Reading)> {
        let since = requests::window_start(group.idle_after(), now);
        let readings = wanted.iter().map(|(service, signal)| async move {
            let reading = match (signal, seen.services.get(service)) {
                (Signal::Requests, Some(Seen::Known(state))) => {
                    let groups = state
                        .target_groups
                        .iter()
                        .map(|arn| self.requests(arn, since, now));
                    requests::combine(join_all(groups).await)
                }
                (Signal::Requests, _) => Reading::Unknown("the service could not be looked at".to_owned()),
            };
            (service.clone(), *signal, reading)
        });
        join_all(readings).await
    }
}

impl Aws {
    async fn requests(&self, target_group: &str, since: Timestamp, now: Timestamp) -> Reading {
        match self.minutes(target_group, since, now).await {
            Ok((counted, witness)) => requests::judge(&counted, &witness, now),
            Err(error) => Reading::Unknown(error.to_string()),
        }
    }

    /// The minutes of RequestCount and HealthyHostCount of a target group.
    async fn minutes(
        &self,
        target_group: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<Point>, Vec<Point>), Error> {
        let balancer = self.elb.balancer(target_group).await?;
        let dimensions = [
            ("LoadBalancer", suffix(&balancer.arn, ":loadbalancer/")),
            ("TargetGroup", target_group.rsplit(':').next().unwrap_or_default()),
        ];
        let mut pages = self
            .cloudwatch
            .get_metric_data()
            .start_time(DateTime::from_secs(since.as_second()))
            .end_time(DateTime::from_secs(now.as_second()))
            .metric_data_queries(query("requests", "RequestCount", "Sum", dimensions))
            .metric_data_queries(query("witness", "HealthyHostCount", "Maximum", dimensions))
            .into_paginator()
            .send();
        let mut points: HashMap<String, Vec<Point>> = HashMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(&format!("GetMetricData of {target_group}"), &error))?;
            for result in page.metric_data_results() {
                let minutes = result.timestamps().iter().zip(result.values());
                let id = result.id().unwrap_or_default().to_owned();
                points
                    .entry(id)
                    .or_default()
                    .extend(minutes.map(|(at, value)| Point {
                        at: moment(at),
                        value: *value,
                    }));
            }
        }
        Ok((
            points.remove("requests").unwrap_or_default(),
            points.remove("witness").unwrap_or_default(),
        ))
    }
}

/// The part of an ARN that CloudWatch uses as the dimension's value.
fn suffix<'a>(arn: &'a str, mark: &str) -> &'a str {
    arn.split_once(mark).map_or(arn, |(_, suffix)| suffix)
}

fn query(id: &str, metric: &str, statistic: &str, dimensions: [(&str, &str); 2]) -> MetricDataQuery {
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name(metric)
        .set_dimensions(Some(dimensions.to_vec()))
        .build();
    let period = i32::try_from(requests::PERIOD.as_secs()).unwrap_or(60);
    let stat = MetricStat::builder()
        .metric(metric)
        .period(period)
        .stat(statistic)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}
