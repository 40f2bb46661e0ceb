//! Waiting for tokens, before anything is decided or written.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;

use super::Priority;
use crate::duration;
use crate::error::{Code, Error};
use crate::ports::{Booking, Clock, Grant, Quota};

/// A function waits this long for tokens, all in all. With all else that it does this fits into the 29 s of the wake
/// function, the 50 s of a scale-in's step and the 55 s of a tick. Our choice.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// What was seen before tokens were asked for is too old if the answers took longer. Our choice.
const SOON: Duration = Duration::from_secs(1);

/// Tokens for calls that are about to be made. Those that are not spent in the end are lost, which harms nobody.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    held: u32,
    patience_ends: Timestamp,
}

/// When tokens were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Before anything that was seen has grown old.
    AtOnce,
    /// After a while: whoever has decided on something must look and decide again.
    Later,
}

impl Tokens {
    /// None yet, and the moment up to which to wait for them: usually [`PATIENCE`] after the function began.
    #[must_use]
    pub fn none(patience_ends: Timestamp) -> Self {
        Self {
            held: 0,
            patience_ends,
        }
    }

    /// So many from before, and the moment up to which to wait for more.
    #[must_use]
    pub fn kept(held: u32, patience_ends: Timestamp) -> Self {
        Self { held, patience_ends }
    }

    /// How many are held.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.held
    }

    /// When tokens are there for so many calls of a wake, those that are held included: they are booked, unless they
    /// would come too late.
    pub async fn book_for_wake<W: Quota>(&self, world: &W, wanted: u32) -> Booking {
        match wanted.saturating_sub(self.held) {
            0 => Booking::Now,
            missing => world.book(Priority::Wake, missing, self.patience_ends).await,
        }
    }

    /// Gives back what is held, and what was booked for later: others are not to wait for calls that nobody makes.
    pub async fn give_back<W: Quota>(&mut self, world: &W, booking: &Booking, booked: u32) {
        let later = match booking {
            Booking::At(_) => booked.saturating_sub(self.held),
            Booking::Now | Booking::Later => 0,
        };
        let all = std::mem::take(&mut self.held) + later;
        if all > 0 {
            world.give_back(all).await;
        }
    }

    /// Holds so many that were booked.
    pub fn keep(&mut self, count: u32) {
        self.held = self.held.max(count);
    }

    /// Takes tokens until so many are held, and waits for them if need be: a sleep until there are some, and a scale-out
    /// in line. `what` names the thing they are for.
    ///
    /// It must not stand between the write of a record and the call that the record speaks of: a command is believed to
    /// land soon after it was written ([`crate::record::Command::LANDS_WITHIN`]).
    ///
    /// # Errors
    /// [`Code::Throttled`] if they will not be there in time; those that are held stay.
    pub async fn hold<W: Quota + Clock>(
        &mut self,
        world: &W,
        priority: Priority,
        wanted: u32,
        what: &impl Display,
    ) -> Result<Held, Error> {
        let began = world.now();
        let mut held = Held::AtOnce;
        while self.held < wanted {
            match world.take(priority).await {
                Grant::Now => self.held += 1,
                Grant::Wait(_) if priority == Priority::ScaleOut => {
                    let missing = wanted - self.held;
                    match world.book(priority, missing, self.patience_ends).await {
                        Booking::Now => {}
                        Booking::At(slot) => world.pause(duration::between(world.now(), slot)).await,
                        Booking::Later => return Err(no_token(priority, what)),
                    }
                    held = Held::Later;
                    self.held = wanted;
                }
                Grant::Wait(wait) if duration::after(world.now(), wait) > self.patience_ends => {
                    return Err(no_token(priority, what));
                }
                Grant::Wait(wait) => {
                    held = Held::Later;
                    world.pause(wait).await;
                }
            }
        }
        if duration::between(began, world.now()) > SOON {
            held = Held::Later;
        }
        Ok(held)
    }

    /// Gives one away. Says whether there was one.
    pub fn spend(&mut self) -> bool {
        let some = self.held > 0;
        self.held = self.held.saturating_sub(1);
        some
    }
}

pub(crate) fn no_token(priority: Priority, what: &impl Display) -> Error {
    let message = format!(
        "{what}: {priority}: the calls of this account that change services leave none for this one within {} s",
        PATIENCE.as_secs()
    );
    Error::new(Code::Throttled, message)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Answers with these in turn, and each answer takes a while; time passes in pauses too.
    struct World {
        now: Cell<Timestamp>,
        grants: RefCell<Vec<Grant>>,
        answers_after: Duration,
    }

    impl Clock for World {
        async fn within<T>(&self, _limit: Duration, work: impl Future<Output = T>) -> Option<T> {
            Some(work.await)
        }

        fn now(&self) -> Timestamp {
            self.now.get()
        }

        async fn pause(&self, duration: Duration) {
            self.now.set(duration::after(self.now.get(), duration));
        }
    }

    impl Quota for World {
        async fn take(&self, _: Priority) -> Grant {
            self.pause(self.answers_after).await;
            self.grants.borrow_mut().remove(0)
        }

        async fn give_back(&self, _: u32) {}

        async fn book(&self, _: Priority, count: u32, latest: Timestamp) -> Booking {
            let slot = duration::after(self.now(), Duration::from_secs(1) * count);
            if slot > latest {
                Booking::Later
            } else {
                Booking::At(slot)
            }
        }
    }

    fn world(grants: &[Grant], answers_after: u64) -> World {
        World {
            now: Cell::new(Timestamp::UNIX_EPOCH),
            grants: RefCell::new(grants.to_vec()),
            answers_after: Duration::from_millis(answers_after),
        }
    }

    fn hold(world: &World, tokens: &mut Tokens, wanted: u32) -> Result<Held, Error> {
        hold_for(world, tokens, Priority::Sleep, wanted)
    }

    fn hold_for(world: &World, tokens: &mut Tokens, priority: Priority, wanted: u32) -> Result<Held, Error> {
        let hold = pin!(tokens.hold(world, priority, wanted, &"dev/web"));
        match hold.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(held) => held,
            Poll::Pending => panic!("nothing really waits"),
        }
    }

    fn none() -> Tokens {
        Tokens::none(duration::after(Timestamp::UNIX_EPOCH, PATIENCE))
    }

    #[test]
    fn what_was_seen_is_old_after_a_wait_and_after_slow_answers() {
        let second = Duration::from_secs(1);
        for (grants, answers_after, held) in [
            (vec![Grant::Now, Grant::Now], 500, Held::AtOnce),
            (vec![Grant::Now, Grant::Now], 501, Held::Later),
            (
                vec![Grant::Now, Grant::Wait(second / 10), Grant::Now],
                0,
                Held::Later,
            ),
        ] {
            assert_eq!(hold(&world(&grants, answers_after), &mut none(), 2), Ok(held));
        }
    }

    #[test]
    fn tokens_that_are_held_are_not_taken_again_and_spent_once() {
        let (world, mut tokens) = (world(&[Grant::Now, Grant::Now, Grant::Now], 0), none());
        for wanted in [0, 2, 1, 2, 3] {
            assert_eq!(hold(&world, &mut tokens, wanted), Ok(Held::AtOnce));
        }
        assert_eq!([(); 4].map(|()| tokens.spend()), [true, true, true, false]);
    }

    #[test]
    fn a_scale_out_stands_in_line() {
        let wait = Grant::Wait(Duration::from_secs(600));
        let (world, mut tokens) = (world(&[Grant::Now, wait, wait], 0), none());
        assert_eq!(
            hold_for(&world, &mut tokens, Priority::ScaleOut, 3),
            Ok(Held::Later)
        );
        assert_eq!((world.now().as_second(), tokens.held()), (2, 3));
        assert!(
            hold_for(&world, &mut tokens, Priority::ScaleOut, 30).is_err(),
            "too late"
        );
        assert_eq!(tokens.held(), 3);
    }

    #[test]
    fn a_wait_may_last_until_patience_ends_and_no_longer() {
        let waits = |wait| [Grant::Wait(wait), Grant::Now];
        let longest = world(&waits(PATIENCE), 0);
        assert_eq!(hold(&longest, &mut none(), 1), Ok(Held::Later));
        let longer = world(&waits(PATIENCE + Duration::from_millis(1)), 0);
        let error = hold(&longer, &mut none(), 1).expect_err("no token");
        assert_eq!(
            (error.code, longer.now()),
            (Code::Throttled, Timestamp::UNIX_EPOCH)
        );
    }
}
