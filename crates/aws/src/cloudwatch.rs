//! Minutes of CloudWatch metrics: the signals `requests` and `cpu`.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use dormouse_core::error::Error;
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
            minutes.map_or_else(
                |error| Reading::Unknown(error.message),
                |(requests, witness)| {
                    minutes::judge(&requests, &witness, "HealthyHostCount of the target group", now)
                },
            )
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
        let dimensions = [
            ("ClusterName", &*service.cluster),
            ("ServiceName", &*service.name),
        ];
        let query = query("cpu", "AWS/ECS", "CPUUtilization", "Maximum", dimensions);
        match self
            .minutes(
                vec![query],
                &format!("CPUUtilization of {service}"),
                idle_after,
                now,
            )
            .await
        {
            Ok(mut points) => {
                let cpu = points.remove("cpu").unwrap_or_default();
                let used = minutes::above(&cpu, f64::from(idle_cpu));
                minutes::judge(&used, &cpu, "CPUUtilization of the service", now)
            }
            Err(error) => Reading::Unknown(error.message),
        }
    }

    /// The minutes of RequestCount and HealthyHostCount of a target group.
    async fn minutes_of_target_group(
        &self,
        target_group: &str,
        idle_after: Duration,
        now: Timestamp,
    ) -> Result<(Vec<Point>, Vec<Point>), Error> {
        let balancer = self.elb.balancer(target_group).await?;
        let dimensions = [
            ("LoadBalancer", suffix(&balancer.arn, ":loadbalancer/")),
            ("TargetGroup", target_group.rsplit(':').next().unwrap_or_default()),
        ];
        let of = |id, metric, statistic| query(id, "AWS/ApplicationELB", metric, statistic, dimensions);
        let queries = vec![
            of("requests", "RequestCount", "Sum"),
            of("witness", "HealthyHostCount", "Maximum"),
        ];
        let mut points = self.minutes(queries, target_group, idle_after, now).await?;
        Ok((
            points.remove("requests").unwrap_or_default(),
            points.remove("witness").unwrap_or_default(),
        ))
    }

    /// The minutes of some metrics, by the ids of their queries.
    async fn minutes(
        &self,
        queries: Vec<MetricDataQuery>,
        what: &str,
        idle_after: Duration,
        now: Timestamp,
    ) -> Result<HashMap<String, Vec<Point>>, Error> {
        let since = minutes::window_start(idle_after, now);
        let mut pages = self
            .cloudwatch
            .get_metric_data()
            .start_time(DateTime::from_secs(since.as_second()))
            .end_time(DateTime::from_secs(now.as_second()))
            .set_metric_data_queries(Some(queries))
            .into_paginator()
            .send();
        let mut points: HashMap<String, Vec<Point>> = HashMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(&format!("GetMetricData of {what}"), &error))?;
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
        Ok(points)
    }
}

/// The part of an ARN that CloudWatch uses as the dimension's value.
fn suffix<'a>(arn: &'a str, mark: &str) -> &'a str {
    arn.split_once(mark).map_or(arn, |(_, suffix)| suffix)
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
