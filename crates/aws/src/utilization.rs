//! Utilizations of services, for the scaling decision.

use aws_sdk_cloudwatch::types::MetricDataQuery;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::Utilizations;
use dormouse_core::scaling::load::Metric;
use dormouse_core::scaling::reason::Utilization;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::Aws;
use crate::cloudwatch::of_service;

/// Metrics in one GetMetricData call (Amazon CloudWatch User Guide, "CloudWatch service quotas").
const PER_CALL: usize = 500;

impl Utilizations for Aws {
    async fn utilizations(
        &self,
        wanted: &[(ServiceId, Utilization)],
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric> {
        let calls = wanted
            .chunks(PER_CALL)
            .map(|chunk| self.in_one_call(chunk, since, now));
        join_all(calls).await.into_iter().flatten().collect()
    }
}

impl Aws {
    async fn in_one_call(
        &self,
        wanted: &[(ServiceId, Utilization)],
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<Metric> {
        let what = format!("{} utilizations", wanted.len());
        let answer = self.minutes(queries(wanted), &what, since, now).await;
        let mut minutes = match answer {
            Ok(minutes) => minutes,
            Err(why) => return vec![Metric::Unknown(why); wanted.len()],
        };
        let questions = wanted.iter().enumerate();
        questions
            .map(|(index, (service, utilization))| {
                let what = format!("{} of {service}", utilization.metric());
                let points = minutes.take(&id(index), &what);
                points.map_or_else(Metric::Unknown, Metric::Known)
            })
            .collect()
    }
}

fn queries(wanted: &[(ServiceId, Utilization)]) -> Vec<MetricDataQuery> {
    let questions = wanted.iter().enumerate();
    questions
        .map(|(index, (service, utilization))| {
            of_service(&id(index), service, utilization.metric(), "Average")
        })
        .collect()
}

/// The id of a call's question: it must begin with a lowercase letter (Amazon CloudWatch API reference,
/// MetricDataQuery, `Id`).
fn id(index: usize) -> String {
    format!("m{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_of_a_call_has_its_own_id() {
        let web = ServiceId::new("dev", "web");
        let wanted = [(web.clone(), Utilization::Cpu), (web, Utilization::Memory)];
        let asked: Vec<String> = queries(&wanted)
            .iter()
            .map(|query| {
                let stat = query.metric_stat().expect("a statistic");
                let metric = stat.metric().expect("a metric");
                let dimensions = metric
                    .dimensions()
                    .iter()
                    .filter_map(|dimension| dimension.value());
                format!(
                    "{} = {} {} of {} each {} s",
                    query.id().unwrap_or_default(),
                    stat.stat().unwrap_or_default(),
                    metric.metric_name().unwrap_or_default(),
                    dimensions.collect::<Vec<_>>().join("/"),
                    stat.period().unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(
            asked,
            [
                "m0 = Average CPUUtilization of dev/web each 60 s",
                "m1 = Average MemoryUtilization of dev/web each 60 s"
            ]
        );
    }
}
