//! Counts of a load balancer's requests and of the errors among the answers.
//!
//! "CloudWatch metrics for your Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>):
//! RequestCount counts only requests for which a target could be chosen; errors are counted apart by who made them,
//! the load balancer (dimension LoadBalancer) or a target (LoadBalancer, and LoadBalancer with TargetGroup); nothing is
//! reported where there is nothing to count. Counts by Availability Zone are not modelled.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::metrics::Datum;
use super::routing::Route;
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
    lambda_user_errors: ByGroup,
    lambda_internal_errors: ByGroup,
    /// Answers of the load balancer itself, by their status.
    answered: BTreeMap<u16, ByBalancer>,
    fixed: ByBalancer,
    redirected: ByBalancer,
}

/// Who is to blame that a function gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionFailure {
    /// The function: it failed, its answer has no valid form, or one of both is over 1 MB.
    User,
    /// Lambda: the function could not be invoked.
    Internal,
}

impl World {
    /// A load balancer had a request and sent it this way; with no way to go it answered 503 ("HTTP 503: Service
    /// unavailable" in "Troubleshoot your Application Load Balancers"). That its own fixed responses and redirects count
    /// among its HTTPCode_ELB metrics is what users report; AWS does not say.
    pub fn count_request(&mut self, listener: &str, route: &Route) {
        let Some(balancer) = self.balancer_of(listener) else {
            return;
        };
        let requests = &mut self.requests;
        let status = match route {
            Route::Target { target_group, .. } | Route::Lambda { target_group, .. } => {
                let of_group = (balancer, target_group.clone());
                *requests.forwarded.entry(of_group).or_default() += 1;
                return;
            }
            Route::Fixed(fixed) => {
                *requests.fixed.entry(balancer).or_default() += 1;
                fixed.status
            }
            Route::Redirect { status, .. } => {
                *requests.redirected.entry(balancer).or_default() += 1;
                *status
            }
            Route::Unauthenticated { location: Some(_) } => 302,
            Route::Unauthenticated { location: None } => 401,
            Route::NoTarget | Route::NoListener => 503,
        };
        self.count_own_answer(listener, status);
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
        self.count_own_answer(listener, 502);
    }

    /// The load balancer answered a request of this listener by itself with this HTTP status.
    pub fn count_own_answer(&mut self, listener: &str, status: u16) {
        if let Some(balancer) = self.balancer_of(listener) {
            let of_status = self.requests.answered.entry(status).or_default();
            *of_status.entry(balancer).or_default() += 1;
        }
    }

    /// A function gave no answer to a request of this listener; what the load balancer answers is counted apart.
    pub fn count_function_failure(&mut self, listener: &str, target_group: &str, failure: FunctionFailure) {
        if let Some(balancer) = self.balancer_of(listener) {
            let counts = match failure {
                FunctionFailure::User => &mut self.requests.lambda_user_errors,
                FunctionFailure::Internal => &mut self.requests.lambda_internal_errors,
            };
            *counts.entry((balancer, target_group.to_string())).or_default() += 1;
        }
    }

    fn balancer_of(&self, listener: &str) -> Option<String> {
        self.listeners.get(listener).map(|l| l.load_balancer.clone())
    }

    /// What was counted since the last call, as values of the minute that begins at `minute`.
    pub(super) fn request_metrics(&mut self, minute: Millis) -> Vec<Datum> {
        let requests = std::mem::take(&mut self.requests);
        let of_statuses = |statuses: RangeInclusive<u16>| {
            let mut sum = ByBalancer::new();
            for (balancer, count) in requests.answered.range(statuses).flat_map(|(_, c)| c) {
                *sum.entry(balancer.clone()).or_default() += count;
            }
            sum
        };
        let mut data = Vec::new();
        for (name, counts) in [
            ("RequestCount", &requests.forwarded),
            ("HTTPCode_Target_5XX_Count", &requests.target_5xx),
            ("LambdaUserError", &requests.lambda_user_errors),
            ("LambdaInternalError", &requests.lambda_internal_errors),
        ] {
            for ((balancer, group), count) in counts {
                data.extend(self.elb(name, balancer, Some(group), *count as f64, minute));
            }
            // The two of functions are reported by target group only.
            if !name.starts_with("Lambda") {
                data.extend(self.of_balancers(name, &totals(counts), minute));
            }
        }
        for (name, counts) in [
            ("HTTP_Fixed_Response_Count", &requests.fixed),
            ("HTTP_Redirect_Count", &requests.redirected),
            ("HTTPCode_ELB_3XX_Count", &of_statuses(300..=399)),
            ("HTTPCode_ELB_4XX_Count", &of_statuses(400..=499)),
            ("HTTPCode_ELB_500_Count", &of_statuses(500..=500)),
            ("HTTPCode_ELB_502_Count", &of_statuses(502..=502)),
            ("HTTPCode_ELB_503_Count", &of_statuses(503..=503)),
            ("HTTPCode_ELB_504_Count", &of_statuses(504..=504)),
            ("HTTPCode_ELB_5XX_Count", &of_statuses(500..=599)),
        ] {
            data.extend(self.of_balancers(name, counts, minute));
        }
        data
    }

    fn of_balancers(&self, name: &'static str, counts: &ByBalancer, minute: Millis) -> Vec<Datum> {
        let datum =
            |(balancer, count): (&String, &u64)| self.elb(name, balancer, None, *count as f64, minute);
        counts.iter().filter_map(datum).collect()
    }
}

fn totals(counts: &ByGroup) -> ByBalancer {
    let mut totals = ByBalancer::new();
    for ((balancer, _), count) in counts {
        *totals.entry(balancer.clone()).or_default() += count;
    }
    totals
}
