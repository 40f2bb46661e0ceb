//! What happened, for whoever reads why a run failed.

use std::cell::RefCell;

use fargate_sim::model::Millis;

use super::START;

#[derive(Default)]
pub(crate) struct Story(RefCell<Vec<(Millis, String)>>);

impl Story {
    pub(super) fn add(&self, at: Millis, what: String) {
        self.0.borrow_mut().push((at, what));
    }

    /// The last lines, each with its second of the run.
    pub(crate) fn tell(&self, lines: usize) -> String {
        let story = self.0.borrow();
        let from = story.len().saturating_sub(lines);
        let line = |(at, what): &(Millis, String)| {
            let since = at.since(START).as_millis();
            format!("{:>9}.{:03} s  {what}", since / 1000, since % 1000)
        };
        let told: Vec<String> = story[from..].iter().map(line).collect();
        told.join("\n")
    }
}
