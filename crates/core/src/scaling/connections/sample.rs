//! Random samples of a service's tasks: of how many, and how far their mean may be off.

/// How many of `tasks` to ask, at most `bound` (at least 1): all, if that is allowed. The caller draws them at random
/// anew for each pass, every task with the same chance.
#[must_use]
pub fn sample_size(tasks: u32, bound: u32) -> u32 {
    tasks.min(bound.max(1))
}

/// The variance of a sample, with the divisor n − 1; zero for one value.
pub(super) fn variance(values: &[u64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| *value as f64).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
    squares / (n - 1.0).max(1.0)
}

/// The standard error of the mean of `n` values with this variance out of `all`: that of a simple random sample
/// without replacement, with the finite population correction, `sqrt(s²/n · (1 − n/N))` (Cochran, "Sampling
/// Techniques", chapter "Simple random sampling"). Zero for all of them; none for one of several, which has no
/// spread.
#[must_use]
pub fn standard_error(variance: f64, n: u32, all: u32) -> Option<f64> {
    if n == all {
        return Some(0.0);
    }
    let (n, all) = (f64::from(n), f64::from(all));
    (n > 1.0).then(|| (variance / n * (1.0 - n / all)).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_are_asked_up_to_the_bound() {
        assert_eq!(
            [0, 1, 100, 101, 5000].map(|tasks| sample_size(tasks, 100)),
            [0, 1, 100, 100, 100]
        );
        assert_eq!(sample_size(7, 0), 1);
    }

    proptest! {
        /// Of every sample of three out of six, drawn once each.
        #[test]
        fn over_all_samples_the_error_is_the_spread_of_their_means(values in proptest::array::uniform6(0u64..1000)) {
            let mut means = Vec::new();
            let mut squared_errors = Vec::new();
            for mask in 0u32..64 {
                let sample: Vec<u64> = (0..6).filter(|i| mask >> i & 1 == 1).map(|i| values[i]).collect();
                if sample.len() == 3 {
                    means.push(sample.iter().sum::<u64>() as f64 / 3.0);
                    squared_errors.push(standard_error(variance(&sample), 3, 6).expect("an error").powi(2));
                }
            }
            let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
            let truth = mean(&values.map(|value| value as f64));
            let spread = means.iter().map(|m| (m - truth).powi(2)).sum::<f64>() / means.len() as f64;
            prop_assert!((mean(&means) - truth).abs() < 1e-6);
            prop_assert!((mean(&squared_errors) - spread).abs() < 1e-6 * spread.max(1.0));
        }
    }
}
