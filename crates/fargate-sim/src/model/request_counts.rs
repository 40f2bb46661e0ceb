//! Counts of a load balancer's requests and of the errors among the answers.
//!
//! "CloudWatch metrics for your Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>):
//! RequestCount counts only requests for which a target could be chosen; errors are counted apart by who made them,
//! the load balancer (dimension LoadBalancer) or a target (LoadBalancer, and LoadBalancer with TargetGroup); nothing is
//! reported where there is nothing to count. Counts by Availability Zone are not modelled.

use std::collections::BTreeMap;

use super::balancer::Route;
use super::metrics::Datum;
use super::time::Millis;
use super::world::World;

/// Counts by ARN of the load balancer.
type ByBalancer = BTreeMap<String, u64>;

/// Counts by ARN of the load balancer and of the target group.
type ByGroup = BTreeMap<(String, String), u64>;

/// Requests since the last report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    forwarded: ByGroup,
    target_5xx: ByGroup,
    elb_502: ByBalancer,
    elb_503: ByBalancer,
}

impl World {
    /// A load balancer had a request and sent it this way; with no way to go it answered 503 ("HTTP 503: Service
    /// unavailable" in "Troubleshoot your Application Load Balancers").
    pub fn count_request(&mut self, listener: &str, route: &Route) {
        let Some(balancer) = self.balancer_of(listener) else {
            return;
        };
        let requests = &mut self.requests;
        *match route {
            Route::Target { target_group, .. } => requests
                .forwarded
                .entry((balancer, target_group.clone()))
                .or_default(),
            Route::NoTarget | Route::NoListener => requests.elb_503.entry(balancer).or_default(),
        } += 1;
    }

    /// A target answered a request of this listener with this HTTP status.
    pub fn count_answer(&mut self, listener: &str, target_group: &str, status: u16) {
        if let Some(balancer) = self.balancer_of(listener).filter(|_| status >= 500) {
            let of_group = (balancer, target_group.to_string());
            *self.requests.target_5xx.entry(of_group).or_default() += 1;
        }
    }

    /// A target did not answer a request of this listener: 502.
    pub fn count_bad_gateway(&mut self, listener: &str) {
        if let Some(balancer) = self.balancer_of(listener) {
            *self.requests.elb_502.entry(balancer).or_default() += 1;
        }
    }

    fn balancer_of(&self, listener: &str) -> Option<String> {
        self.listeners.get(listener).map(|l| l.load_balancer.clone())
    }

    /// What was counted since the last call, as values of the minute that begins at `minute`.
    pub(super) fn request_metrics(&mut self, minute: Millis) -> Vec<Datum> {
        let requests = std::mem::take(&mut self.requests);
        let mut elb_5xx = requests.elb_502.clone();
        for (balancer, count) in &requests.elb_503 {
            *elb_5xx.entry(balancer.clone()).or_default() += count;
        }
        let mut data = Vec::new();
        for (name, counts) in [
            ("RequestCount", requests.forwarded),
            ("HTTPCode_Target_5XX_Count", requests.target_5xx),
        ] {
            for ((balancer, group), count) in &counts {
                data.extend(self.elb(name, balancer, Some(group), *count as f64, minute));
            }
            data.extend(self.of_balancers(name, &totals(counts), minute));
        }
        for (name, counts) in [
            ("HTTPCode_ELB_502_Count", requests.elb_502),
            ("HTTPCode_ELB_503_Count", requests.elb_503),
            ("HTTPCode_ELB_5XX_Count", elb_5xx),
        ] {
            data.extend(self.of_balancers(name, &counts, minute));
        }
        data
    }

    fn of_balancers(&self, name: &'static str, counts: &ByBalancer, minute: Millis) -> Vec<Datum> {
        let datum =
            |(balancer, count): (&String, &u64)| self.elb(name, balancer, None, *count as f64, minute);
        counts.iter().filter_map(datum).collect()
    }
}

fn totals(counts: ByGroup) -> ByBalancer {
    let mut totals = ByBalancer::new();
    for ((balancer, _), count) in counts {
        *totals.entry(balancer).or_default() += count;
    }
    totals
}
