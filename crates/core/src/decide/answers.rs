//! Whether anything of a group answers, and since when nothing does.

use jiff::Timestamp;

use super::Draft;
use crate::duration;
use crate::observation::Seen;
use crate::readiness::{self, Readiness};
use crate::reason::Reason;
use crate::record::Phase;

/// What a look tells of all services of a group together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// One is ready.
    Yes,
    /// None is.
    No,
    /// One could not be read, and may be.
    Unknown,
    /// Nobody has looked at all of them.
    NotLooked,
}

impl Draft<'_> {
    /// Remembers since when nothing answers. A service that could not be read may have answered, and tasks could not
    /// before they were asked for.
    pub(super) fn note_answers(&mut self) {
        match self.answers() {
            Answers::Yes | Answers::Unknown => self.record.unanswered_since = None,
            Answers::No => {
                let since = self.record.unanswered_since.unwrap_or(self.now);
                self.record.unanswered_since = Some(since.max(self.asked_for_at().unwrap_or(since)));
            }
            Answers::NotLooked => {}
        }
    }

    /// Nobody can be using what has not answered for the whole idle time. A wake that shows no trouble is
    /// given its whole time first.
    pub(super) fn nothing_answers(&self) -> Option<Reason> {
        let nothing = self.answers() == Answers::No;
        let since = self.record.unanswered_since.filter(|_| nothing)?;
        let waited = duration::between(since, self.now);
        (waited >= self.idle_after()).then_some(Reason::NothingAnswers {
            seconds: waited.as_secs(),
        })
    }

    fn answers(&self) -> Answers {
        let mut all = Answers::No;
        for settings in &self.group.services {
            match self.seen.services.get(&settings.id) {
                Some(Seen::Known(state)) => match readiness::of_service(state) {
                    Readiness::Ready => return Answers::Yes,
                    Readiness::NotReady(_) => {}
                    Readiness::Unknown(_) => all = Answers::Unknown,
                },
                Some(Seen::Unknown(error)) if error.code.is_gone() => {}
                Some(Seen::Unknown(_)) => all = Answers::Unknown,
                None if all == Answers::No => all = Answers::NotLooked,
                None => {}
            }
        }
        all
    }

    /// When this wake last asked for tasks that ECS now wants too.
    fn asked_for_at(&self) -> Option<Timestamp> {
        let waking = self.known().filter(|_| self.record.phase == Phase::Waking);
        let asked = waking.filter_map(|(settings, state)| {
            let command = self.record.services.get(&settings.id)?.command?;
            (command.count == state.desired).then_some(command.at)
        });
        asked.max()
    }
}
