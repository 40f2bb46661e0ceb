//! What the services measure of themselves and put into CloudWatch.
//!
//! "CloudWatch metrics for your Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>), of
//! which `request_counts` has those of requests. "Amazon ECS CloudWatch metrics": CPUUtilization and MemoryUtilization
//! of a service.

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

const ELB: &str = "AWS/ApplicationELB";

impl World {
    /// Everything measured since the last call, as values of the minute that begins at `minute`.
    pub fn collect_metrics(&mut self, minute: Millis) -> Vec<Datum> {
        let mut data = self.request_metrics(minute);
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

    /// A value of a load balancer or of a target group behind it; `None` if one of them is gone.
    pub(super) fn elb(
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
