//! Puts the services' metrics into the stack's CloudWatch, at the start of each minute for the one before.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;

use super::{Shared, http_client, now};
use crate::model::{Datum, MetricValue, Millis};

const MINUTE: u64 = 60_000;

/// Where CloudWatch is.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    authority: String,
}

impl Stack {
    /// Reads `http://host:port`.
    pub(super) fn parse(url: &str) -> Option<Stack> {
        let authority = url.strip_prefix("http://")?.trim_end_matches('/');
        let (host, port) = authority.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        (!host.is_empty()).then(|| Stack {
            authority: authority.to_string(),
        })
    }
}

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
    let (data, region) = {
        let mut endpoint = shared.endpoint();
        (
            endpoint.world.collect_metrics(minute),
            endpoint.world.config.region.clone(),
        )
    };
    for namespace in ["AWS/ApplicationELB", "AWS/ECS"] {
        let data: Vec<&Datum> = data.iter().filter(|d| d.namespace == namespace).collect();
        for chunk in data.chunks(20) {
            put(stack, &region, form(namespace, chunk)).await?;
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

async fn put(stack: &Stack, region: &str, form: String) -> Result<(), String> {
    // Local stacks take service and account from the credential and do not verify the signature.
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "test".into());
    let date = &now().iso8601().replace('-', "")[..8];
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{date}/{region}/monitoring/aws4_request, SignedHeaders=host, Signature=0"
    );
    let request = Request::post("/")
        .header(header::HOST, &stack.authority)
        .header(header::AUTHORIZATION, authorization)
        .header(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .header(header::USER_AGENT, "fargate-sim")
        .header(header::CONTENT_LENGTH, form.len())
        .body(Body::from(form))
        .map_err(|e| e.to_string())?;
    let answer = async {
        let response = http_client::send(&stack.authority, request)
            .await
            .map_err(|e| e.to_string())?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|e| e.to_string())?
            .to_bytes();
        match status.is_success() {
            true => Ok(()),
            false => Err(format!(
                "CloudWatch at {} answers {status}: {}",
                stack.authority,
                String::from_utf8_lossy(&body)
            )),
        }
    };
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err("no answer within 10 s".into()))
}
