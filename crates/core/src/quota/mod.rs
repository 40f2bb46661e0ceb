//! Courtesy towards the throttle that all functions share: calls that can wait stand back for those that cannot.
//!
//! ECS throttles with a token bucket for each account and Region. Ours is its shadow, kept where all functions see it: a
//! "generic cell rate algorithm" (ITU-T Recommendation I.371, virtual scheduling), which needs to store one moment only,
//! the theoretical arrival time, here called `until`: when the bucket is full again if nobody takes any more. How far
//! that lies ahead tells how many tokens are out. More may be out than there are: who books one that is yet to come
//! knows from `until` when that is, so a thousand wakes at once stand in line without a queue.

pub(crate) mod pace;
#[cfg(test)]
mod properties;
mod tokens;

pub(crate) use tokens::no_token;
pub use tokens::{Held, PATIENCE, Tokens};

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;

/// UpdateService, CreateService and DeleteService together: 50 at once, 5 a second (Amazon ECS API reference, "Request
/// throttling for the Amazon ECS API").
pub const SERVICE_WRITES: Bucket = Bucket {
    burst: 50,
    interval: Duration::from_millis(200),
};

/// Tokens are booked this long ahead at most: no function lasts longer that does. Our choice.
const FARTHEST: Duration = Duration::from_secs(60);
/// How far the clocks of two functions may differ. What lies further ahead than takes can lead to was not written by
/// these rules, and is not believed, so that it cannot keep anybody waiting for ever. Our choice.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// How urgent a call is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody waits for a group.
    Wake,
    /// A service has more to do than its tasks can.
    ScaleOut,
    /// Nobody waits for it: a group that falls asleep, or the lower count of a scale-in.
    Sleep,
}

impl Priority {
    /// The name under which calls are counted.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::ScaleOut => "scale-out",
            Self::Sleep => "sleep",
        }
    }

    /// The tokens that it leaves in the bucket for those that are more urgent. Our choice: half of the bucket for
    /// wakes and scale-outs, and a fifth for wakes alone.
    #[must_use]
    pub fn reserve(self) -> u32 {
        match self {
            Self::Wake => 0,
            Self::ScaleOut => 10,
            Self::Sleep => 25,
        }
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token bucket that fills up one token at a time. It knows whole milliseconds only: what is less is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The tokens in it when it is full.
    pub burst: u32,
    /// From one token to the next.
    pub interval: Duration,
}

/// What becomes of somebody who wants a token, in terms of one conditional write: others may have written since `until`
/// was read, and as long as its condition holds, that does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The first token of a full bucket is granted if `until` is still absent, before `now` or after `latest`.
    First {
        /// What `until` becomes.
        until: Timestamp,
        /// The cut moment of the take.
        now: Timestamp,
        /// Later ones are not believed.
        latest: Timestamp,
    },
    /// A token is granted if `until` is still between these, both included.
    Next {
        /// What `until` moves on by.
        by: Duration,
        /// The cut moment of the take.
        from: Timestamp,
        /// Later ones leave too few tokens.
        to: Timestamp,
    },
    /// Too few tokens are left; there are enough after this time if nobody else takes any.
    Wait(Duration),
}

impl Bucket {
    /// Takes a token that is there, given the stored `until`, if there is one.
    #[must_use]
    pub fn take(&self, until: Option<Timestamp>, now: Timestamp, priority: Priority) -> Take {
        self.book(until, now, priority, 1, now)
    }

    /// Books tokens, all of which are there at the moment `latest`, given the stored `until`, if there is one.
    /// [`Bucket::slot`] says when they are, by the `until` that follows.
    #[must_use]
    pub fn book(
        &self,
        until: Option<Timestamp>,
        now: Timestamp,
        priority: Priority,
        count: u32,
        latest: Timestamp,
    ) -> Take {
        let (now, last) = (cut(now), cut(latest));
        let latest = self.latest(now);
        let all = self.interval * count;
        let Some(until) = until.filter(|until| (now..=latest).contains(until)) else {
            return Take::First {
                until: duration::after(now, all),
                now,
                latest,
            };
        };
        let most = duration::after(last.max(now), self.room(priority)).min(latest);
        let wanted = duration::after(until, all);
        if wanted <= most {
            Take::Next {
                by: all,
                from: now,
                to: duration::before(most, all),
            }
        } else {
            Take::Wait(duration::between(most, wanted))
        }
    }

    /// What `until` moves back by if so many tokens are given back, and the earliest `until` of which that is true.
    #[must_use]
    pub fn give_back(&self, count: u32, now: Timestamp) -> (Duration, Timestamp) {
        let all = self.interval * count;
        (all, duration::after(cut(now), all))
    }

    /// When the tokens are there that were booked last, by the `until` that followed.
    #[must_use]
    pub fn slot(&self, until: Timestamp, priority: Priority) -> Timestamp {
        duration::before(until, self.room(priority))
    }

    /// The `until` of a bucket that has just been emptied.
    #[must_use]
    pub fn emptied(&self, now: Timestamp) -> Timestamp {
        duration::after(cut(now), self.interval * self.burst)
    }

    /// The last `until` that is believed.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        duration::after(cut(now), self.interval * self.burst + FARTHEST + CLOCKS_DIFFER)
    }

    /// How far ahead `until` may be, by a call that is made now.
    fn room(&self, priority: Priority) -> Duration {
        self.interval * self.burst.saturating_sub(priority.reserve())
    }
}

/// Without what is less than a millisecond.
fn cut(moment: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::properties::Stored;
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a moment")
    }

    /// How many are granted at one moment before one must wait, and for how long.
    fn at_once(stored: &mut Stored, priority: Priority) -> (u32, Duration) {
        let mut granted = 0;
        loop {
            match stored.take(at(0), priority) {
                Some(wait) => return (granted, wait),
                None => granted += 1,
            }
        }
    }

    #[test]
    fn each_leaves_its_reserve_to_the_more_urgent() {
        let mut stored = Stored::default();
        let wait = Duration::from_millis(200);
        assert_eq!(at_once(&mut stored, Priority::Sleep), (25, wait));
        assert_eq!(at_once(&mut stored, Priority::ScaleOut), (15, wait));
        assert_eq!(at_once(&mut stored, Priority::ScaleOut), (0, wait));
        let (none, longer) = at_once(&mut stored, Priority::Sleep);
        assert_eq!((none, longer), (0, wait * 16));
    }

    #[test]
    fn a_thousand_wakes_stand_in_line_and_a_sleep_waits_until_all_have_gone() {
        let mut stored = Stored::default();
        let wake = |stored: &mut Stored| stored.book(at(0), Priority::Wake, 3, at(20_000));
        for n in 1..=50 {
            let slot = (n * 3 - 50).max(0) * 200;
            assert_eq!(wake(&mut stored), Some(at(slot)), "wake {n}");
        }
        assert_eq!(wake(&mut stored), None, "there is none within 20 s");
        assert_eq!(stored.until, Some(at(30_000)));
        let wait = stored.take(at(0), Priority::Sleep).expect("a wait");
        assert_eq!(wait, Duration::from_millis(30_000 - 4_800));
        assert_eq!(stored.take(at(25_200), Priority::Sleep), None);
    }

    #[test]
    fn a_scale_out_in_line_leaves_its_reserve_to_wakes() {
        let mut stored = Stored::default();
        let mut book = |priority, count| stored.book(at(0), priority, count, at(20_000));
        assert_eq!(book(Priority::Wake, 45), Some(at(0)));
        assert_eq!(book(Priority::ScaleOut, 1), Some(at(1_200)));
        assert_eq!(book(Priority::Wake, 4), Some(at(0)));
        assert_eq!(book(Priority::Wake, 1), Some(at(200)));
    }

    #[test]
    fn a_bucket_that_was_emptied_fills_up() {
        let mut stored = Stored {
            until: Some(SERVICE_WRITES.emptied(at(0))),
        };
        assert_eq!(
            stored.take(at(0), Priority::ScaleOut),
            Some(Duration::from_millis(200 * 11))
        );
        assert_eq!(at_once(&mut Stored { until: Some(at(0)) }, Priority::Sleep).0, 25);
        assert_eq!(
            at_once(&mut Stored { until: Some(at(-1)) }, Priority::Sleep).0,
            25
        );
    }

    #[test]
    fn a_moment_that_no_take_leads_to_is_not_believed() {
        let far = SERVICE_WRITES.latest(at(0));
        let take = |until| SERVICE_WRITES.take(Some(until), at(0), Priority::Sleep);
        assert!(matches!(take(far), Take::Wait(_)));
        let beyond = duration::after(far, Duration::from_millis(1));
        assert!(matches!(take(beyond), Take::First { until, .. } if until == at(200)));
    }

    #[test]
    fn tokens_that_are_given_back_move_the_bucket_back_by_as_much() {
        let bucket = Bucket {
            burst: 50,
            interval: Duration::from_millis(200),
        };
        assert_eq!(bucket.give_back(3, at(0)), (Duration::from_millis(600), at(600)));
        let latest = crate::duration::after(at(10_000), FARTHEST + CLOCKS_DIFFER);
        assert_eq!(bucket.latest(at(0)), latest);
    }

    #[test]
    fn each_priority_is_counted_under_its_name() {
        let names = [Priority::Wake, Priority::ScaleOut, Priority::Sleep].map(|one| one.to_string());
        assert_eq!(names, ["wake", "scale-out", "sleep"]);
    }
}
