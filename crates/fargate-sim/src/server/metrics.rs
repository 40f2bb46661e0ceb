//! Puts the services' metrics into the stack's CloudWatch, at the start of each minute for the one before.

use std::sync::Arc;

use super::{Shared, now};
use crate::model::{Datum, MetricValue, Millis};

const MINUTE: u64 = 60_000;

pub(super) async fn every_minute(shared: Arc<Shared>) {
    if shared.stack.is_none() {
        return;
    }
    loop {
        let next = (now().0 / MINUTE + 1) * MINUTE;
        tokio::time::sleep(Millis(next).since(now())).await;
        if let Err(error) = push(&shared, Millis(next - MINUTE)).await {
            eprintln!(
                "fargate-sim: metrics of {} are lost: {error}",
                Millis(next - MINUTE).iso8601()
            );
        }
    }
}

/// Pushes what the present minute has so far; how many values.
pub(super) async fn flush(shared: &Shared) -> Result<usize, String> {
    push(shared, Millis(now().0 / MINUTE * MINUTE)).await
}

async fn push(shared: &Shared, minute: Millis) -> Result<usize, String> {
    let Some(stack) = &shared.stack else {
        return Err("no --stack was given to push metrics to".into());
    };
    let data = shared.endpoint().world.collect_metrics(minute);
    for namespace in ["AWS/ApplicationELB", "AWS/ECS"] {
        let data: Vec<&Datum> = data.iter().filter(|d| d.namespace == namespace).collect();
        for chunk in data.chunks(20) {
            stack.query("monitoring", form(namespace, chunk)).await?;
        }
    }
    Ok(data.len())
}

/// PutMetricData as the Query protocol writes it ("PutMetricData" in the CloudWatch API reference).
fn form(namespace: &str, data: &[&Datum]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "PutMetricData")
        .append_pair("Version", "2010-08-01");
    form.append_pair("Namespace", namespace);
    for (n, datum) in data.iter().enumerate() {
        let member = format!("MetricData.member.{}", n + 1);
        let mut pair = |name: &str, value: &str| {
            form.append_pair(&format!("{member}.{name}"), value);
        };
        pair("MetricName", datum.name);
        pair("Timestamp", &datum.at.iso8601());
        pair("Unit", datum.unit);
        for (d, (name, value)) in datum.dimensions.iter().enumerate() {
            pair(&format!("Dimensions.member.{}.Name", d + 1), name);
            pair(&format!("Dimensions.member.{}.Value", d + 1), value);
        }
        match datum.value {
            MetricValue::One(value) => pair("Value", &value.to_string()),
            MetricValue::Many {
                samples,
                sum,
                minimum,
                maximum,
            } => {
                pair("StatisticValues.SampleCount", &samples.to_string());
                pair("StatisticValues.Sum", &sum.to_string());
                pair("StatisticValues.Minimum", &minimum.to_string());
                pair("StatisticValues.Maximum", &maximum.to_string());
            }
        }
    }
    form.finish()
}
