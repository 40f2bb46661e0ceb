//! Token buckets, as ECS and Fargate throttle API calls and task launches.

use std::collections::BTreeMap;

use super::error::ApiError;
use super::time::Millis;

/// One token bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    filled_at: Millis,
}

impl Bucket {
    /// A full bucket of `burst` tokens that refills at `per_second`.
    pub fn new(burst: u32, per_second: f64) -> Bucket {
        Bucket {
            burst: f64::from(burst),
            per_second,
            tokens: f64::from(burst),
            filled_at: Millis(0),
        }
    }

    /// Takes one token if there is one.
    pub fn take(&mut self, now: Millis) -> bool {
        self.tokens = self
            .burst
            .min(self.tokens + now.since(self.filled_at).as_secs_f64() * self.per_second);
        self.filled_at = now.max(self.filled_at);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

/// The buckets of an account in a Region, shared between operations as "Request throttling for the Amazon ECS
/// API" says (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>). They run in
/// real time whatever the speed. Operations that are not in the table are not throttled here.
#[derive(Clone, Debug)]
pub struct Throttle(BTreeMap<&'static str, Bucket>);

impl Default for Throttle {
    fn default() -> Self {
        Throttle(BTreeMap::from([
            ("service-write", Bucket::new(50, 5.0)),
            ("service-read", Bucket::new(100, 20.0)),
            ("task-read", Bucket::new(100, 20.0)),
            ("stop-task", Bucket::new(100, 40.0)),
            ("protection", Bucket::new(200, 80.0)),
        ]))
    }
}

impl Throttle {
    /// Lets an ECS operation through or answers `ThrottlingException`.
    pub fn admit(&mut self, operation: &str, now: Millis) -> Result<(), ApiError> {
        let name = match operation {
            "CreateService" | "UpdateService" | "DeleteService" => "service-write",
            "DescribeServices" | "ListServices" => "service-read",
            "DescribeTasks" | "ListTasks" => "task-read",
            "StopTask" => "stop-task",
            "UpdateTaskProtection" | "GetTaskProtection" => "protection",
            _ => return Ok(()),
        };
        match self.0.get_mut(name).is_none_or(|bucket| bucket.take(now)) {
            true => Ok(()),
            false => Err(ApiError::new("ThrottlingException", "Rate exceeded")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fifty_service_writes_pass_at_once_then_five_a_second_whichever_the_operation() {
        let (mut throttle, start) = (Throttle::default(), Millis(1_000_000));
        let operations = ["CreateService", "UpdateService", "DeleteService"];
        for n in 0..50 {
            assert_eq!(throttle.admit(operations[n % 3], start), Ok(()), "call {n}");
        }
        let refused = throttle.admit("UpdateService", start).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.message.as_str()),
            ("ThrottlingException", "Rate exceeded")
        );
        assert!(
            throttle.admit("DescribeServices", start).is_ok(),
            "reads have their own bucket"
        );

        let later = start + Duration::from_secs(1);
        let passed = (0..10)
            .filter(|_| throttle.admit("UpdateService", later).is_ok())
            .count();
        assert_eq!(passed, 5);
    }
}
