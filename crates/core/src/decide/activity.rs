//! Use that the service's own log lines show, each at its own moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::ids::ServiceId;
use crate::intent::Wake;
use crate::logs;
use crate::reason::Reason;
use crate::record::Phase;

use super::Draft;

/// Later use of an awake group is written down at most this often, however many lines come. Our choice: far below
/// any idle time. While it sleeps, all that is later is news, or the first line after a sleep would be lost.
const NOTE_EVERY: Duration = Duration::from_secs(5);

impl Draft<'_> {
    /// Counts use. It wakes a sleeping group if it is news and was after the group fell asleep, so that neither a line
    /// that was delivered twice nor the app's own last words wake it again.
    pub(super) fn note_activity(&mut self, services: &BTreeMap<ServiceId, Timestamp>) -> Reason {
        let mut news = None;
        let sleeps = self.sleeps();
        for (service, at) in services {
            // A clock that is ahead of ours does not hold the group awake for longer.
            let at = (*at).min(self.now);
            let known = &mut self.record.service(service).active_at;
            let is_news = |known| duration::between(known, at) >= NOTE_EVERY || (sleeps && at > known);
            if known.is_none_or(is_news) {
                *known = Some(at);
                news = news.max(Some(at));
            }
        }
        match (self.record.phase, news) {
            (Phase::Waking, _) => Reason::StillWaking,
            (Phase::Awake, _) => Reason::AlreadyAwake,
            (Phase::Asleep | Phase::FallingAsleep, Some(at)) if self.was_after_falling_asleep(at) => {
                self.ask_for_wake(&Wake::default())
            }
            (Phase::Asleep | Phase::FallingAsleep, Some(at)) => Reason::ActivityBeforeSleep { at },
            (Phase::Asleep | Phase::FallingAsleep, None) => Reason::AlreadyAsleep,
        }
    }

    /// Whoever puts a group to sleep by hand knows what went before. A sleep that was decided from silence could not
    /// yet know of lines that were on their way.
    fn was_after_falling_asleep(&self, at: Timestamp) -> bool {
        let unknown = if self.record.reason.is_of_somebody() {
            Duration::ZERO
        } else {
            logs::LAG
        };
        self.record
            .fell_asleep_at
            .is_none_or(|fell_asleep| at > duration::before(fell_asleep, unknown))
    }
}
