//! What the services measure of themselves and put into CloudWatch.
//!
//! "CloudWatch metrics for your Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>):
//! RequestCount counts only requests for which a target could be chosen, and nothing is reported where there is
//! nothing to count. "Amazon ECS CloudWatch metrics": CPUUtilization and MemoryUtilization of a service.

use std::collections::BTreeMap;

use super::balancer::Route;
use super::target_health::TargetState;
use super::task::Stage;
use super::time::Millis;
use super::world::World;

/// One metric value of one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// `AWS/ApplicationELB` or `AWS/ECS`.
    pub namespace: &'static str,
    /// Name of the metric.
    pub name: &'static str,
    /// Names and values of its dimensions.
    pub dimensions: Vec<(&'static str, String)>,
    /// Start of the minute.
    pub at: Millis,
    /// `Count` or `Percent`.
    pub unit: &'static str,
    /// The value.
    pub value: MetricValue,
}

/// A value, or the statistics of several.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// One value.
    One(f64),
    /// Statistics over samples.
    Many {
        /// How many.
        samples: f64,
        /// Their sum.
        sum: f64,
        /// The least.
        minimum: f64,
        /// The greatest.
        maximum: f64,
    },
}

/// Requests since the last report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    /// By load balancer and target group ARN.
    forwarded: BTreeMap<(String, String), u64>,
    /// Refused with 503, 502 by load balancer ARN.
    no_target: BTreeMap<String, u64>,
    bad_gateway: BTreeMap<String, u64>,
}

const ELB: &str = "AWS/ApplicationELB";

impl World {
    /// A load balancer had a request and sent it this way.
    pub fn count_request(&mut self, listener: &str, route: &Route) {
        let Some(listener) = self.listeners.get(listener) else {
            return;
        };
        let balancer = listener.load_balancer.clone();
        let counter = match route {
            Route::Target { target_group, .. } => self
                .requests
                .forwarded
                .entry((balancer, target_group.clone()))
                .or_default(),
            _ => self.requests.no_target.entry(balancer).or_default(),
        };
        *counter += 1;
    }

    /// A target did not answer a request of this listener: 502.
    pub fn count_bad_gateway(&mut self, listener: &str) {
        if let Some(listener) = self.listeners.get(listener) {
            *self
                .requests
                .bad_gateway
                .entry(listener.load_balancer.clone())
                .or_default() += 1;
        }
    }

    /// Everything measured since the last call, as values of the minute that begins at `minute`.
    pub fn collect_metrics(&mut self, minute: Millis) -> Vec<Datum> {
        let mut data = Vec::new();
        let requests = std::mem::take(&mut self.requests);
        let mut totals: BTreeMap<String, u64> = BTreeMap::new();
        for ((balancer, group), count) in requests.forwarded {
            *totals.entry(balancer.clone()).or_default() += count;
            data.extend(self.elb("RequestCount", &balancer, Some(&group), count as f64, minute));
        }
        for (name, counts) in [
            ("RequestCount", totals),
            ("HTTPCode_ELB_503_Count", requests.no_target),
            ("HTTPCode_ELB_502_Count", requests.bad_gateway),
        ] {
            for (balancer, count) in counts {
                data.extend(self.elb(name, &balancer, None, count as f64, minute));
            }
        }
        for group in self.target_groups.values() {
            let count = |wanted: fn(&TargetState) -> bool| {
                group.targets.values().filter(|t| wanted(&t.state)).count()
            };
            let healthy = count(|s| *s == TargetState::Healthy);
            let unhealthy = count(|s| matches!(s, TargetState::Unhealthy(_)));
            let registered = count(|s| !matches!(s, TargetState::Draining | TargetState::Unused));
            for balancer in self
                .balancers_of(&group.arn)
                .into_iter()
                .filter(|_| registered > 0)
            {
                data.extend(self.elb(
                    "HealthyHostCount",
                    balancer,
                    Some(&group.arn),
                    healthy as f64,
                    minute,
                ));
                data.extend(self.elb(
                    "UnHealthyHostCount",
                    balancer,
                    Some(&group.arn),
                    unhealthy as f64,
                    minute,
                ));
            }
        }
        data.extend(self.ecs(minute));
        data
    }

    fn elb(
        &self,
        name: &'static str,
        balancer: &str,
        group: Option<&str>,
        value: f64,
        at: Millis,
    ) -> Option<Datum> {
        let balancer = self.load_balancers.get(balancer)?;
        let mut dimensions = vec![("LoadBalancer", balancer.dimension().to_string())];
        if let Some(group) = group {
            dimensions.insert(
                0,
                (
                    "TargetGroup",
                    self.target_groups.get(group)?.dimension().to_string(),
                ),
            );
        }
        Some(Datum {
            namespace: ELB,
            name,
            dimensions,
            at,
            unit: "Count",
            value: MetricValue::One(value),
        })
    }

    fn ecs(&self, at: Millis) -> Vec<Datum> {
        let mut data = Vec::new();
        for service in self.services.values() {
            let tasks = self.tasks_of(&service.key);
            let loads: Vec<_> = tasks
                .iter()
                .filter(|t| t.stage == Stage::Running)
                .map(|t| t.load)
                .collect();
            if loads.is_empty() {
                continue;
            }
            let dimensions = vec![
                ("ClusterName", service.key.cluster.clone()),
                ("ServiceName", service.key.name.clone()),
            ];
            let cpu: Vec<f64> = loads.iter().map(|l| l.cpu).collect();
            let memory: Vec<f64> = loads.iter().map(|l| l.memory).collect();
            for (name, values) in [("CPUUtilization", cpu), ("MemoryUtilization", memory)] {
                let value = MetricValue::Many {
                    samples: values.len() as f64,
                    sum: values.iter().sum(),
                    minimum: values.iter().copied().fold(f64::INFINITY, f64::min),
                    maximum: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                };
                let dimensions = dimensions.clone();
                data.push(Datum {
                    namespace: "AWS/ECS",
                    name,
                    dimensions,
                    at,
                    unit: "Percent",
                    value,
                });
            }
        }
        data
    }
}
