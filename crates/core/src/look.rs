//! One look at a group, for all who ask at about the same time: whoever waits in a hundred tabs costs what one does.
//!
//! Whoever wants to look claims it first. A claim is over when its look was shared, and after [`HELD`] at the latest; then the
//! next one may be made, but not within [`EVERY`] of it. Those whose wish to wake is yet to be written down do not stand behind
//! those who only look: they claim by themselves, one in each [`EVERY`], before they know what the table holds.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decide::RENEW_EVERY;
use crate::duration;
use crate::engine::Turn;
use crate::error::Error;
use crate::ids::Generation;
use crate::intent::{Action, Intent};
use crate::record::{Phase, Record};
use crate::status::{self, Status};

/// A group is looked at once in this time at most, however many ask, and no answer is older than that after its look ended:
/// those who wait for a long one come by more often. Our choice: what a visitor does not notice.
pub const EVERY: Duration = Duration::from_secs(1);
/// Whoever claimed a look and shared nothing for so long has died, or will take longer still. Our choice: a probe that nobody
/// answers takes 3 s.
pub const HELD: Duration = Duration::from_secs(5);
/// An older look is better than none for so long, for those who cannot wait. Our choice.
const LAST_RESORT: Duration = Duration::from_secs(30);

/// Whether it is a wish to wake that this record does not show yet.
#[must_use]
pub fn is_to_be_written(intent: &Intent, record: Option<&Record>, now: Timestamp) -> bool {
    let is_up = |record: &Record| matches!(record.phase, Phase::Waking | Phase::Awake);
    let is_written = record.is_some_and(|record| is_up(record) && is_renewed(record, now));
    matches!(intent.action, Action::Wake(_)) && !is_written
}

/// The claims of wakes that keep another one from being made at this moment: those from the first to the last. One that lies
/// further in the future was made by a clock that is wrong.
#[must_use]
pub fn wakes_claimed(now: Timestamp) -> (Timestamp, Timestamp) {
    let millis = Duration::from_millis(1);
    let latest = duration::after(now, EVERY);
    (duration::after(duration::before(now, EVERY), millis), latest)
}

/// What the table holds of looks at a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared {
    /// The last look.
    pub look: Option<Look>,
    /// When the last one was claimed.
    pub claimed_at: Option<Timestamp>,
}

impl Shared {
    /// Whether the next look may be claimed now.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        let Some(claimed_at) = self.claimed_at else {
            return true;
        };
        let ended = self
            .look
            .as_ref()
            .is_some_and(|look| look.claimed_at >= claimed_at);
        duration::between(claimed_at, now) >= if ended { EVERY } else { HELD }
    }
}

/// What a look at a group gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The version of the record that it left behind: whoever finds another one looks again.
    pub version: u64,
    /// Whether the group was asked for with it, and not only looked at.
    pub asked: bool,
    /// The status, or why there is none.
    pub status: Result<Status, Error>,
    /// Why what was asked for was refused, if it was.
    pub refusal: Option<Error>,
    /// The most that was shown of a wake, and of which generation.
    pub shown: Option<(Generation, f64)>,
}

impl Look {
    /// The look that a turn was. The progress of a generation never goes back, also when a task of it has crashed and the
    /// next one begins anew.
    #[must_use]
    pub fn of(
        turn: &Turn,
        intent: &Intent,
        earlier: Option<&Self>,
        claimed_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let mut status = status::of(turn);
        if status.phase == Phase::Waking {
            let shown = earlier.and_then(|look| look.shown);
            let floor = shown.filter(|(generation, _)| *generation == status.generation);
            let most = if status.ready { 1.0 } else { 0.99 };
            status.progress =
                floor.map_or(status.progress, |(_, shown)| status.progress.max(shown).min(most));
        }
        Self {
            claimed_at,
            at: turn.now,
            ended_at: now,
            version: turn.record.version,
            asked: matches!(intent.action, Action::Wake(_)),
            refusal: turn.refusal(),
            shown: (status.phase == Phase::Waking).then_some((status.generation, status.progress)),
            status: Ok(status),
        }
    }

    /// The look that failed.
    #[must_use]
    pub fn failed(
        error: &Error,
        record: Option<&Record>,
        intent: &Intent,
        earlier: Option<&Self>,
        claimed_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            claimed_at,
            at: claimed_at,
            ended_at: now,
            version: record.map_or(0, |record| record.version),
            asked: matches!(intent.action, Action::Wake(_)),
            status: Err(error.clone()),
            refusal: None,
            shown: earlier.and_then(|look| look.shown),
        }
    }

    /// Whether it answers somebody who `came` then and finds this record now: it is new or began after they came, nobody
    /// has written since, and what they ask for was asked for with it, or changes nothing.
    #[must_use]
    pub fn answers(&self, record: Option<&Record>, intent: &Intent, came: Timestamp, now: Timestamp) -> bool {
        let is_new = duration::between(self.ended_at, now) < EVERY;
        (is_new || self.at >= came) && self.is_current(record) && self.covers(record, intent, now)
    }

    /// Whether it is better than none for somebody who cannot wait any longer. Nobody is led into an app by it.
    #[must_use]
    pub fn will_do(&self, record: Option<&Record>, intent: &Intent, now: Timestamp) -> bool {
        let waits = self.status.as_ref().is_ok_and(|status| !status.ready);
        let is_recent = duration::between(self.ended_at, now) < LAST_RESORT;
        waits && is_recent && self.is_current(record) && self.covers(record, intent, now)
    }

    /// Whether a later look tells those who share it nothing else.
    #[must_use]
    pub fn tells_the_same(&self, later: &Self) -> bool {
        let told = |look: &Self| (look.version, look.status.clone(), look.refusal.clone());
        told(self) == told(later)
    }

    fn is_current(&self, record: Option<&Record>) -> bool {
        record.map_or(0, |record| record.version) == self.version
    }

    fn covers(&self, record: Option<&Record>, intent: &Intent, now: Timestamp) -> bool {
        match &intent.action {
            // Who only looks is not told what was refused to somebody else.
            Action::Look => self.refusal.is_none(),
            // Others say more: how many tasks, for how long.
            Action::Wake(wake) if wake.desired_count.is_some() || wake.idle_after.is_some() => false,
            Action::Wake(_) => {
                let ready = self.status.as_ref().is_ok_and(|status| status.ready);
                let is_written = record.is_some_and(|record| {
                    let is_up = match record.phase {
                        Phase::Waking => true,
                        Phase::Awake => ready,
                        Phase::Asleep | Phase::FallingAsleep => false,
                    };
                    is_up && is_renewed(record, now)
                });
                self.asked || is_written
            }
            _ => false,
        }
    }
}

fn is_renewed(record: &Record, now: Timestamp) -> bool {
    let asked = record.last_wake_at;
    asked.is_some_and(|at| duration::between(at, now) < RENEW_EVERY)
}

#[cfg(test)]
mod tests;
