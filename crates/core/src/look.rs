//! One look at a group, for all who ask at about the same time: whoever waits in a hundred tabs costs what one does.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decide::RENEW_EVERY;
use crate::duration;
use crate::engine::Turn;
use crate::error::Error;
use crate::intent::{Action, Intent};
use crate::record::{Phase, Record};
use crate::status::{self, Status};

/// A group is looked at once in this time at most, however many ask, and no answer is older. Our choice: what a visitor
/// does not notice, and a tenth of ECS's read buckets for a hundred groups that wake at once.
pub const EVERY: Duration = Duration::from_secs(1);

/// What a look at a group gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When it began.
    pub at: Timestamp,
    /// The version of the record that it left behind: whoever finds another one looks again.
    pub version: u64,
    /// Whether the group was asked for with it, and not only looked at.
    pub asked: bool,
    /// The status, or why there is none.
    pub status: Result<Status, Error>,
    /// Why what was asked for was refused, if it was.
    pub refusal: Option<Error>,
}

impl Look {
    /// The look that a turn was. The progress of a generation never goes back, also when a task of it has crashed and the
    /// next one begins anew.
    #[must_use]
    pub fn of(turn: &Turn, intent: &Intent, earlier: Option<&Self>) -> Self {
        let mut status = status::of(turn);
        let shown = earlier.and_then(|look| look.status.as_ref().ok());
        if let Some(shown) = shown.filter(|shown| shown.generation == status.generation)
            && status.phase == Phase::Waking
            && shown.phase == Phase::Waking
        {
            let most = if status.ready { 1.0 } else { 0.99 };
            status.progress = status.progress.max(shown.progress).min(most);
        }
        Self {
            at: turn.now,
            version: turn.record.version,
            asked: matches!(intent.action, Action::Wake(_)),
            status: Ok(status),
            refusal: turn.refusal(),
        }
    }

    /// The look that failed.
    #[must_use]
    pub fn failed(error: &Error, record: Option<&Record>, intent: &Intent, at: Timestamp) -> Self {
        Self {
            at,
            version: record.map_or(0, |record| record.version),
            asked: matches!(intent.action, Action::Wake(_)),
            status: Err(error.clone()),
            refusal: None,
        }
    }

    /// Whether it answers somebody who comes now and finds this record: it is new, nobody has written since, and what
    /// they ask for was asked for with it, or changes nothing.
    #[must_use]
    pub fn answers(&self, record: Option<&Record>, intent: &Intent, now: Timestamp) -> bool {
        let is_new = duration::between(self.at, now) < EVERY;
        let is_current = record.map_or(0, |record| record.version) == self.version;
        is_new && is_current && self.covers(record, intent, now)
    }

    fn covers(&self, record: Option<&Record>, intent: &Intent, now: Timestamp) -> bool {
        match &intent.action {
            Action::Look => true,
            // Others say more: how many tasks, for how long.
            Action::Wake(wake) if wake.desired_count.is_some() || wake.idle_after.is_some() => false,
            Action::Wake(_) => {
                let ready = self.status.as_ref().is_ok_and(|status| status.ready);
                let renewed = record.is_some_and(|record| {
                    let asked = record.last_wake_at;
                    let is_up = match record.phase {
                        Phase::Waking => true,
                        Phase::Awake => ready,
                        Phase::Asleep | Phase::FallingAsleep => false,
                    };
                    is_up && asked.is_some_and(|at| duration::between(at, now) < RENEW_EVERY)
                });
                self.asked || renewed
            }
            _ => false,
        }
    }
}
