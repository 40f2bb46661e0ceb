//! What one pass over a service's tasks read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::sample;

/// The connections of the tasks that answered one pass, and how many did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    tasks: u32,
    asked: u32,
    answered: u32,
    starting: u32,
    sum: u128,
    min: u64,
    max: u64,
    variance: f64,
}

impl Reading {
    /// The reading of a pass over a service with `tasks` tasks that are ready: the answers of all of them, or of a
    /// random sample. A task that could not be asked at all, because its address is not known, belongs among the
    /// errors.
    ///
    /// # Errors
    /// Why nothing is known: nobody answered, which is never zero connections.
    pub fn of(tasks: u32, answers: &[Result<u64, String>]) -> Result<Self, String> {
        let known: Vec<u64> = answers.iter().flatten().copied().collect();
        let (Some(min), Some(max)) = (known.iter().min(), known.iter().max()) else {
            let failed = answers.iter().find_map(|answer| answer.as_ref().err());
            return Err(
                failed.map_or("no task runs that could be asked".to_owned(), |why| {
                    format!("none of {} tasks answered: {why}", answers.len())
                }),
            );
        };
        let asked = answers.len() as u32;
        Ok(Self {
            tasks: tasks.max(asked),
            asked,
            answered: known.len() as u32,
            starting: 0,
            sum: known.iter().map(|n| u128::from(*n)).sum(),
            min: *min,
            max: *max,
            variance: sample::variance(&known),
        })
    }

    /// As many more tasks run that are not ready yet and were not asked. Nobody is led to them, so they do not count
    /// as tasks with the mean, which would ask for twice as many each time that new tasks start; but nothing is known
    /// of them either, so this proves no lull.
    #[must_use]
    pub fn and_starting(self, starting: u32) -> Self {
        Self { starting, ..self }
    }

    /// Tasks of the service that are ready.
    #[must_use]
    pub fn tasks(&self) -> u32 {
        self.tasks
    }

    /// Those that were asked: all, or the sample.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// Those that answered; at least 1. The mean is theirs.
    #[must_use]
    pub fn answered(&self) -> u32 {
        self.answered
    }

    /// Fewest connections of a task that answered.
    #[must_use]
    pub fn min(&self) -> u64 {
        self.min
    }

    /// Most connections of a task that answered.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Mean connections per task.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / f64::from(self.answered)
    }

    /// Connections of all tasks: those counted, or the mean times the tasks, rounded up. Rounding changes no
    /// decision, because what totals are compared with are whole numbers.
    #[must_use]
    pub fn total(&self) -> u64 {
        let estimate = (self.sum * u128::from(self.tasks)).div_ceil(u128::from(self.answered));
        u64::try_from(estimate).unwrap_or(u64::MAX)
    }

    /// The [standard error](sample::standard_error) of the mean, in connections.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        sample::standard_error(self.variance, self.answered, self.tasks)
    }

    /// Why it does not prove how low the load is, if so. A task that did not answer may be the busiest of all, and
    /// that is why it did not: what the others say proves nothing about it.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let Self {
            tasks,
            asked,
            answered,
            starting,
            ..
        } = self;
        match self.standard_error() {
            _ if answered < asked => Some(format!("{} of {asked} tasks did not answer", asked - answered)),
            _ if *starting > 0 => Some(format!("{starting} tasks do not answer yet")),
            None => Some(format!("one of {tasks} tasks was asked, which tells no spread")),
            Some(_) => None,
        }
    }

    /// The total that a scale-in reckons with: two standard errors above the estimate, which the truth exceeds for
    /// about one sample in 40. None if there is a doubt.
    #[must_use]
    pub fn upper_total(&self) -> Option<u64> {
        let error = self.standard_error().filter(|_| self.doubt().is_none())?;
        let above = (2.0 * error * f64::from(self.tasks)).ceil();
        // A float beyond the range of u64 becomes the greatest one.
        Some(self.total().saturating_add(above as u64))
    }
}

/// A reading for people and machines: what notices, answers and the record keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Connections of all tasks: counted, or estimated from those that answered.
    pub total: u64,
    /// Tasks that answered.
    pub sampled_tasks: u32,
    /// Tasks that run.
    pub total_tasks: u32,
    /// Mean connections of those that answered, to two decimals.
    pub avg: f64,
    /// The [standard error](sample::standard_error) of the mean, to two decimals; none if one of several was asked.
    pub standard_error: Option<f64>,
}

/// Its numbers are never NaN.
impl Eq for Sample {}

/// In words.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            total,
            sampled_tasks,
            total_tasks,
            avg,
            ..
        } = self;
        write!(
            f,
            "{total} connections, {avg} per task; {sampled_tasks} of {total_tasks} tasks answered"
        )
    }
}

impl From<&Reading> for Sample {
    fn from(reading: &Reading) -> Self {
        let cents = |value: f64| (value * 100.0).round() / 100.0;
        Self {
            total: reading.total(),
            sampled_tasks: reading.answered,
            total_tasks: reading.tasks + reading.starting,
            avg: cents(reading.mean()),
            standard_error: reading.standard_error().map(cents),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Result<u64, String> {
        Err("timed out".to_owned())
    }

    #[test]
    fn a_failed_probe_leaves_the_divisor_and_the_total_is_estimated() {
        let reading = Reading::of(4, &[Ok(10), failed(), Ok(20), Ok(33)]).expect("a reading");
        assert_eq!((reading.tasks(), reading.asked(), reading.answered()), (4, 4, 3));
        assert_eq!((reading.min(), reading.max(), reading.mean()), (10, 33, 21.0));
        assert_eq!(reading.total(), 84);
        assert_eq!(
            reading.upper_total(),
            None,
            "who did not answer may be the busiest"
        );
    }

    #[test]
    fn all_failed_is_unknown_and_never_zero() {
        assert_eq!(
            Reading::of(2, &[failed(), failed()]),
            Err("none of 2 tasks answered: timed out".into())
        );
        assert_eq!(
            Reading::of(0, &[]),
            Err("no task runs that could be asked".into())
        );
        assert_eq!(Reading::of(1, &[Ok(0)]).map(|reading| reading.total()), Ok(0));
    }

    #[test]
    fn if_all_answered_the_total_is_exact() {
        let reading = Reading::of(3, &[Ok(1), Ok(2), Ok(4)]).expect("a reading");
        assert_eq!((reading.total(), reading.upper_total()), (7, Some(7)));
        assert_eq!(reading.standard_error(), Some(0.0));
    }

    #[test]
    fn a_sample_has_the_error_of_the_textbook() {
        // s² = 9, n = 4, N = 16
        let reading = Reading::of(16, &[Ok(6), Ok(8), Ok(12), Ok(12)]).expect("a reading");
        let error = reading.standard_error().expect("an error");
        assert!((reading.variance - 9.0).abs() < 1e-9, "{}", reading.variance);
        assert!((error - (9.0_f64 / 4.0 * 0.75).sqrt()).abs() < 1e-9, "{error}");
        assert_eq!(reading.total(), 152);
        assert_eq!(
            reading.upper_total(),
            Some(152 + (2.0 * error * 16.0).ceil() as u64)
        );
    }

    #[test]
    fn a_task_that_starts_neither_raises_the_total_nor_proves_a_lull() {
        let reading = Reading::of(2, &[Ok(50), Ok(60)])
            .expect("a reading")
            .and_starting(2);
        assert_eq!(
            (reading.total(), reading.mean(), reading.upper_total()),
            (110, 55.0, None)
        );
        assert_eq!(reading.doubt(), Some("2 tasks do not answer yet".into()));
    }

    #[test]
    fn one_of_several_has_no_spread_and_proves_no_lull() {
        let reading = Reading::of(9, &[Ok(3)]).expect("a reading");
        assert_eq!(
            (reading.total(), reading.standard_error(), reading.upper_total()),
            (27, None, None)
        );
    }

    #[test]
    fn no_answer_is_too_high() {
        let reading = Reading::of(5000, &[Ok(u64::MAX), Ok(u64::MAX), Ok(0)]).expect("a reading");
        assert_eq!(
            (reading.total(), reading.upper_total()),
            (u64::MAX, Some(u64::MAX))
        );
    }
}
