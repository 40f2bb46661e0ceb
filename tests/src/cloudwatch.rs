//! Metrics and alarms.

use serde_json::{Value, json};

use crate::now;
use crate::stack::Stack;

/// A metric by its name and dimensions.
///
/// MiniStack's alarms look at the name alone, so each test that sends data takes a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: &'a str,
    /// Such as `HTTPCode_ELB_503_Count`.
    pub name: &'a str,
    /// Names and values.
    pub dimensions: &'a [(&'a str, &'a str)],
}

impl Metric<'_> {
    fn dimensions(&self) -> Value {
        self.dimensions
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect()
    }
}

impl Stack {
    /// Makes an alarm that rings when the sum of a minute reaches 1, and tells the topic of `ALARM` and of `OK`.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_alarm(&self, alarm: &str, metric: Metric<'_>, topic: &str) {
        let body = json!({
            "AlarmName": alarm,
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": metric.dimensions(),
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [topic],
            "OKActions": [topic],
        });
        self.cloudwatch("PutMetricAlarm", &body).await;
    }

    /// Sends one value of a metric, as of now. MiniStack looks at its alarms whenever it gets metric data, and at no
    /// other time: an alarm whose data ends stays as it is.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_metric(&self, metric: Metric<'_>, value: f64) {
        let data = json!({"MetricName": metric.name, "Dimensions": metric.dimensions(), "Value": value});
        let body = json!({"Namespace": metric.namespace, "MetricData": [data]});
        self.cloudwatch("PutMetricData", &body).await;
    }

    /// Sends the average CPU utilization of a service, as ECS would have, for each of the last minutes that were full:
    /// oldest first, in percent.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn put_cpu_history(&self, cluster: &str, service: &str, minutes: &[f64]) {
        let metric = Metric {
            namespace: "AWS/ECS",
            name: "CPUUtilization",
            dimensions: &[("ClusterName", cluster), ("ServiceName", service)],
        };
        let this_minute = now().as_second() / 60 * 60;
        let data: Vec<Value> = minutes
            .iter()
            .rev()
            .zip(1..)
            .map(|(percent, ago)| {
                let at = this_minute - 60 * ago;
                json!({"MetricName": metric.name, "Dimensions": metric.dimensions(), "Timestamp": at, "Value": percent})
            })
            .collect();
        let body = json!({"Namespace": metric.namespace, "MetricData": data});
        self.cloudwatch("PutMetricData", &body).await;
    }

    /// Puts an alarm into a state, `ALARM`, `OK` or `INSUFFICIENT_DATA`. It tells its topic if that is another one,
    /// and stays there until its metric has data.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn set_alarm_state(&self, alarm: &str, state: &str) {
        let body = json!({"AlarmName": alarm, "StateValue": state, "StateReason": "the test says so"});
        self.cloudwatch("SetAlarmState", &body).await;
    }

    /// The name of the alarm that the template makes for its load balancer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn template_alarm(&self) -> String {
        let alarms = self.cloudwatch("DescribeAlarms", &json!({})).await;
        let all = alarms["MetricAlarms"].as_array().cloned().unwrap_or_default();
        let ours = all.iter().find(|alarm| {
            let watches = &alarm["Dimensions"][0]["Value"];
            watches
                .as_str()
                .is_some_and(|value| value.starts_with("app/front/"))
        });
        let name = ours.and_then(|alarm| alarm["AlarmName"].as_str());
        name.unwrap_or_else(|| panic!("no alarm of the template: {alarms}"))
            .to_owned()
    }

    async fn cloudwatch(&self, operation: &str, body: &Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        self.json_api("monitoring", &target, body).await
    }
}
