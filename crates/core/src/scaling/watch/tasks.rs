//! What is known of a service's tasks from pass to pass.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use crate::duration;
use crate::error::Error;
use crate::observation::{ServiceState, TaskStage, TaskState};
use crate::scaling::connections::SAMPLE_BOUND;
use crate::scaling::connections::reading::Reading;
use crate::scaling::connections::sample::sample_size;

/// Tasks are listed anew after this long though nothing seems to have changed. Our choice.
const LIST_AGE: Duration = Duration::from_secs(5 * 60);
/// Tasks that seem to have changed are listed again at the earliest after this long: a change of the counts shows in
/// steps. Our choice.
const LIST_PAUSE: Duration = Duration::from_secs(6);

/// What is known of a service's tasks.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Those that run.
    running: Vec<TaskState>,
    /// When they were listed, and for which counts.
    listed: Option<(Timestamp, Counts)>,
    /// When that was tried last.
    tried: Option<Timestamp>,
    /// Those that have answered since they started.
    answered: BTreeSet<String>,
    /// Whether one of these did not answer the last time.
    lost: bool,
}

/// Desired, running and pending tasks.
type Counts = (u32, u32, u32);

fn counts(state: &ServiceState) -> Counts {
    (state.desired, state.running, state.pending)
}

/// What a task answered.
pub(super) type Answer = (String, Result<u64, String>);

/// What the tasks answered that were asked in one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The tasks that were known when some of them were drawn. Those listed since are not among them.
    pub(super) drawn_from: u32,
    pub(super) answers: Vec<Answer>,
}

impl Known {
    /// Whether the tasks should be listed, given the counts of the service.
    pub(super) fn is_due(&self, state: &ServiceState, now: Timestamp) -> bool {
        let since = |at: Timestamp| duration::between(at, now);
        if self.tried.is_some_and(|at| since(at) < LIST_PAUSE) {
            return false;
        }
        let Some((at, seen)) = self.listed else {
            return state.running > 0;
        };
        let missing = self.running.len() != state.running as usize;
        seen != counts(state) || missing || self.lost || since(at) >= LIST_AGE
    }

    /// Since when nobody tried to list them; the longest first.
    pub(super) fn tried(&self) -> Option<Timestamp> {
        self.tried
    }

    /// Takes over what was listed. If that failed, what was known before stays.
    pub(super) fn list(
        &mut self,
        listed: Result<Vec<TaskState>, Error>,
        state: &ServiceState,
        now: Timestamp,
    ) {
        self.tried = Some(now);
        let Ok(tasks) = listed else { return };
        self.running = tasks;
        self.running.retain(|task| task.stage == TaskStage::Running);
        let runs: BTreeSet<&String> = self.running.iter().map(|task| &task.id).collect();
        self.answered.retain(|id| runs.contains(id));
        self.listed = Some((now, counts(state)));
        self.lost = false;
    }

    /// How many tasks are known, of which a sample is drawn.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    /// The tasks to ask in one pass: all, or a random sample.
    pub(super) fn sample(&self, random: &mut Rng) -> Vec<TaskState> {
        let size = sample_size(self.count(), SAMPLE_BOUND) as usize;
        if size == self.running.len() {
            return self.running.clone();
        }
        random.choose_multiple(self.running.iter().cloned(), size)
    }

    /// Makes a reading of what tasks answered, given how many run. A task that never answered is still starting as far
    /// as anybody can tell: nobody is led to it, so it has no share of the mean, but nothing is known of it either. The
    /// same goes for one that was listed after the others were asked. And if fewer should run than are known, as many may
    /// fall silent because they are on their way out: they leave the mean too, or what a scale-in has taken away would
    /// be missed.
    ///
    /// # Errors
    /// Why nothing is known.
    pub(super) fn read(&mut self, asked: Answers, state: &ServiceState) -> Result<Reading, String> {
        let running = state.running;
        let Answers { drawn_from, answers } = asked;
        let asked = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        let all = drawn_from.max(asked);
        let mut leaving = share(asked, all.saturating_sub(running.min(state.desired)), all);
        self.lost = false;
        let (mut known, mut silent) = (Vec::new(), Vec::new());
        for (task, answer) in answers {
            if answer.is_ok() {
                self.answered.insert(task);
                known.push(answer);
            } else if self.answered.contains(&task) {
                self.lost = true;
                match leaving.checked_sub(1) {
                    Some(fewer) => {
                        leaving = fewer;
                        silent.push(answer);
                    }
                    None => known.push(answer),
                }
            } else {
                silent.push(answer);
            }
        }
        if known.is_empty() {
            return Err(unknown(&silent, running));
        }
        let starting = share(all, silent.len() as u32, asked);
        let reading = Reading::of(all - starting, &known)?;
        let newer = running.max(self.count()).saturating_sub(all);
        Ok(reading.and_starting(starting + newer))
    }
}

/// As many of `all` as `part` of `asked`, rounded up.
fn share(all: u32, part: u32, asked: u32) -> u32 {
    let share = (u64::from(all) * u64::from(part)).div_ceil(u64::from(asked.max(1)));
    u32::try_from(share).unwrap_or(all).min(all)
}

fn unknown(silent: &[Result<u64, String>], running: u32) -> String {
    match silent.iter().find_map(|answer| answer.as_ref().err()) {
        Some(why) => format!("none of {} tasks answered: {why}", silent.len()),
        None if running > 0 => format!("{running} tasks run, and their addresses are not known yet"),
        None => "no task runs that could be asked".to_owned(),
    }
}

#[cfg(test)]
mod tests;
