//! When each stage of the demo began, and how long it took.

use std::time::{Duration, Instant};

/// Stages in the order in which they began.
pub(crate) struct Timeline {
    begun: Instant,
    stages: Vec<(String, Duration)>,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            stages: Vec::new(),
        }
    }

    /// A stage begins now, unless it is the one that lasts.
    pub(crate) fn mark(&mut self, stage: &str) {
        let now = self.begun.elapsed();
        self.mark_at(stage, now);
    }

    fn mark_at(&mut self, stage: &str, now: Duration) {
        if self.stages.last().is_none_or(|(last, _)| last != stage) {
            self.stages.push((stage.to_owned(), now));
        }
    }

    /// The table: second at which a stage began, stage, seconds until the next one.
    pub(crate) fn table(&self) -> String {
        let width = self
            .stages
            .iter()
            .map(|(stage, _)| stage.chars().count())
            .max()
            .unwrap_or(0)
            .max(5);
        let mut table = format!("   at s  {:width$}   took s\n", "stage");
        for (index, (stage, at)) in self.stages.iter().enumerate() {
            let took = match self.stages.get(index + 1) {
                Some((_, next)) => format!("{:8.1}", next.saturating_sub(*at).as_secs_f64()),
                None => String::new(),
            };
            let line = format!("{:7.1}  {stage:width$} {took}", at.as_secs_f64());
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_lasts_until_the_next_one_begins() {
        let mut timeline = Timeline::new();
        for (stage, millis) in [
            ("asked", 0),
            ("pending", 150),
            ("pending", 900),
            ("asleep", 12_340),
        ] {
            timeline.mark_at(stage, Duration::from_millis(millis));
        }
        let expected = "   at s  stage     took s\n    0.0  asked        0.1\n    0.1  pending     12.2\n   12.3  asleep\n";
        assert_eq!(timeline.table(), expected);
    }
}
