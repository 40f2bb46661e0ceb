//! List prices that the bench reckons with, each with its source and date.

/// Where the prices are from and what they are for.
pub(super) const SOURCE: &str = "AWS, \"AWS Fargate Pricing\", us-east-1, Linux on x86, on demand; as quoted by \
     Wring, \"AWS Fargate Pricing: Serverless Container Costs\"";

/// The date of the source.
pub(super) const AS_OF: &str = "2026-03-10";

/// USD for a vCPU for an hour.
const VCPU_HOUR: f64 = 0.04048;
/// USD for a GB of memory for an hour.
const GB_HOUR: f64 = 0.004_445;

/// vCPUs of the task that the bench puts to sleep.
const VCPUS: f64 = 0.25;
/// GB of its memory.
const GB: f64 = 0.5;

/// USD for one task of 0.25 vCPU and 0.5 GB for so many hours.
pub(super) fn of_task(hours: f64) -> f64 {
    hours * (VCPUS * VCPU_HOUR + GB * GB_HOUR)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_small_task_that_is_always_on_costs_two_dollars_a_week() {
        // 0.25 · 0.04048 + 0.5 · 0.004445 = 0.0123425 USD an hour.
        assert!((super::of_task(1.0) - 0.012_342_5).abs() < 1e-12);
        assert!((super::of_task(168.0) - 2.073_54).abs() < 1e-9);
    }
}
