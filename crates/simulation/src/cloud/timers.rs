//! Time as functions see it: each waits for moments of its own, so that many can be under way at once, and one can wait
//! for several things.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fargate_sim::model::Millis;

use super::Cloud;

/// The moments for which somebody waits, and whom to wake then.
#[derive(Default)]
pub(crate) struct Timers {
    set: RefCell<BTreeMap<(Millis, u64), Waker>>,
    last: Cell<u64>,
}

impl Timers {
    fn add(&self, at: Millis, waker: &Waker) -> (Millis, u64) {
        self.last.set(self.last.get() + 1);
        let timer = (at, self.last.get());
        self.set.borrow_mut().insert(timer, waker.clone());
        timer
    }

    /// Wakes whoever waits for a moment that is not after this one.
    pub(super) fn ring(&self, now: Millis) {
        let later = self
            .set
            .borrow_mut()
            .split_off(&(now + Duration::from_millis(1), 0));
        let due = self.set.replace(later);
        due.into_values().for_each(Waker::wake);
    }

    pub(super) fn next(&self) -> Option<Millis> {
        self.set.borrow().keys().next().map(|(at, _)| *at)
    }
}

/// Ends when a time has passed. Whoever drops it does not wait any more.
pub(crate) struct Wait<'a> {
    cloud: &'a Cloud,
    until: Millis,
    timer: Option<(Millis, u64)>,
}

impl Cloud {
    pub(crate) fn wait(&self, length: Duration) -> Wait<'_> {
        Wait {
            cloud: self,
            until: self.now() + length,
            timer: None,
        }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timers = &self.cloud.timers;
        // Who asks again may be somebody else.
        if let Some(timer) = self.timer {
            timers.set.borrow_mut().remove(&timer);
        }
        if self.cloud.now() >= self.until {
            return Poll::Ready(());
        }
        self.timer = Some(timers.add(self.until, context.waker()));
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.cloud.timers.set.borrow_mut().remove(&timer);
        }
    }
}
