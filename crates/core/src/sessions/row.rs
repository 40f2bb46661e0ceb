//! What is remembered of one task's sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::SessionId;
use super::message::{Event, Message, Order, Report};
use crate::duration;

/// How long a row remembers a session that is over, so that a late report cannot raise it: 25 hours, an hour more than
/// the queue keeps messages, for clocks that differ. No message can come later, unless somebody puts it back into the
/// queue by hand; a session that it raises lives until its task stops.
pub const REMEMBERED: Duration = Duration::from_secs(25 * 3600);

/// Most sessions that a row remembers, as long as no more are live: about 225 KB of the 400 KB that an item may have
/// (Amazon DynamoDB quotas). A task with more live ones than fit should report their count instead.
pub const MOST: usize = 2000;

/// What is remembered of one task. Starts empty, and is then what its messages make of it, whatever their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The newest report about each session. Must be there in what is read: a missing one is not zero sessions.
    pub sessions: BTreeMap<SessionId, Session>,
    /// The newest count of all sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
    /// When the task stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The latest end among the sessions that [`Row::prune`] dropped. Quiet counts from here at the earliest, because
    /// an idle time may be longer than [`REMEMBERED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Timestamp>,
}

/// The newest report about one session: a register in which the last writer wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its place among all reports about the session.
    pub order: Order,
    /// Whether it says that the session ended. Kept as a tombstone, so that a late report cannot raise the dead.
    pub ended: bool,
    /// When the session is over by itself, by the app's clock; none: never, or over already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The newest count of a task's sessions: a register too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Count {
    // The derived order compares the fields from the top: the larger count wins a tie.
    /// Its place among all counts.
    pub order: Order,
    /// How many.
    pub n: u32,
}

impl Session {
    fn new(order: Order, event: Event, ttl: Option<Duration>) -> Self {
        let ended = event == Event::Ended;
        Self {
            order,
            ended,
            expires_at: ttl.filter(|_| !ended).map(|ttl| duration::after(order.at, ttl)),
        }
    }

    /// Of two reports, the one with the higher rank stays. Equal ranks are equal reports. In a tie an end wins, then
    /// the later expiry, and never is the latest.
    fn rank(&self) -> impl Ord {
        (self.order, self.ended, self.expires_at.is_none(), self.expires_at)
    }

    /// When the session was over by its own account; none: it is live.
    fn over(&self, now: Timestamp) -> Option<Timestamp> {
        if self.ended {
            return Some(self.order.at);
        }
        self.expires_at.filter(|expiry| *expiry <= now)
    }
}

impl Count {
    /// When the last session was over; none: some are live.
    fn over(&self) -> Option<Timestamp> {
        (self.n == 0).then_some(self.order.at)
    }
}

impl Row {
    /// Takes in a message about this row's task, and says whether that changed anything. Commutative, associative and
    /// idempotent: the row depends on which messages came, not on their order, nor on how often each came.
    pub fn apply(&mut self, message: &Message) -> bool {
        let order = message.order;
        match &message.report {
            Report::Session { id, event, ttl } => {
                let heard = Session::new(order, *event, *ttl);
                let known = self.sessions.get(id);
                let news = known.is_none_or(|known| known.rank() < heard.rank());
                if news {
                    self.sessions.insert(id.clone(), heard);
                }
                news
            }
            Report::Count(n) => {
                let heard = Some(Count { order, n: *n });
                let news = self.count < heard;
                self.count = self.count.max(heard);
                news
            }
        }
    }

    /// Takes in that the task stopped, and says whether that changed anything. The earliest moment stays. All its
    /// sessions ended with it, so nothing that is reported afterwards makes it live: keep the row for [`REMEMBERED`],
    /// since late messages would make a new one that does not know.
    pub fn end(&mut self, at: Timestamp) -> bool {
        let news = self.ended_at.is_none_or(|known| at < known);
        if news {
            self.ended_at = Some(at);
        }
        news
    }

    /// How many sessions are live, without those that are only counted: not ended and not expired. None once the task
    /// has stopped. An expiry is a moment of the app's clock: one that is slow ends sessions early.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> usize {
        if self.ended_at.is_some() {
            return 0;
        }
        let live = self
            .sessions
            .values()
            .filter(|session| session.over(now).is_none());
        live.count()
    }

    /// Whether the task has a live session, or counts some. Never once it has stopped.
    #[must_use]
    pub fn in_use(&self, now: Timestamp) -> bool {
        let counted = self.count.is_some_and(|count| count.n > 0);
        self.live(now) > 0 || (counted && self.ended_at.is_none())
    }

    /// The latest moment at which the row knows of use, and from which a quiet time counts: that of the newest report,
    /// or of an expiry that has passed, and none after the task stopped, which ended what was live. Not after `now`,
    /// for clocks that are ahead; none: nothing was ever reported.
    #[must_use]
    pub fn last_change(&self, now: Timestamp) -> Option<Timestamp> {
        let moment = |over, order: Order| earliest(over, self.ended_at).unwrap_or(order.at);
        let sessions = self.sessions.values();
        let latest = sessions
            .map(|session| moment(session.over(now), session.order))
            .chain(self.count.map(|count| moment(count.over(), count.order)))
            .chain(self.forgotten)
            .max();
        latest.map(|latest| latest.min(now))
    }

    /// Drops sessions that have been over for longer than [`REMEMBERED`], and the oldest of them beyond [`MOST`]; changes
    /// nothing that the other methods say. A late report can raise one of the latter: it then counts as live until its
    /// task stops, which cuts nobody off.
    pub fn prune(&mut self, now: Timestamp) {
        let horizon = duration::before(now, REMEMBERED).max(self.horizon_that_fits(now));
        let (ended_at, forgotten) = (self.ended_at, &mut self.forgotten);
        self.sessions.retain(|_, session| {
            let over = earliest(session.over(now), ended_at).filter(|over| *over < horizon);
            *forgotten = over.max(*forgotten);
            over.is_none()
        });
    }
}

impl Row {
    /// The moment before which sessions must have been over to be dropped, so that at most [`MOST`] are left.
    fn horizon_that_fits(&self, now: Timestamp) -> Timestamp {
        let excess = self.sessions.len().saturating_sub(MOST);
        let over = |session: &Session| earliest(session.over(now), self.ended_at);
        let mut overs: Vec<Timestamp> = self.sessions.values().filter_map(over).collect();
        overs.sort_unstable();
        let last_dropped = overs.get(excess.min(overs.len()).wrapping_sub(1));
        last_dropped.map_or(Timestamp::MIN, |at| duration::after(*at, Duration::from_nanos(1)))
    }
}

/// The earlier of those that there are.
fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
