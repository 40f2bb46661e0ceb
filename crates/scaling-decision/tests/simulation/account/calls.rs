//! What surrounds every call of a port: time, outages, and what a test has planned for this very moment.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use dormouse_core::error::Error;

use super::{Account, Part, refused};

/// A call of a port by a step of a scale-in or by a tick of scaling; what others do at the same time is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its number: calls of steps and of ticks are counted apart, from 1.
    pub(crate) n: usize,
    /// The step, or `tick`.
    pub(crate) step: String,
    pub(crate) port: &'static str,
    pub(crate) when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// What happens at a call, once.
pub(crate) enum Act {
    /// Something in the world outside, or another function.
    Run(Box<dyn FnOnce(&Account)>),
    /// The function dies.
    Die,
    /// The caller sees an error. After the call, it has worked all the same.
    Fail,
    /// The caller of UpdateService sees an error, and it works all the same, but only after this time.
    Late(Duration),
}

impl Act {
    pub(crate) fn run(what: impl FnOnce(&Account) + 'static) -> Self {
        Self::Run(Box::new(what))
    }
}

type Spot = Box<dyn Fn(&Call) -> bool>;

#[derive(Default)]
pub(super) struct Script {
    planned: RefCell<Vec<(Spot, Act)>>,
    /// The step that is under way, or `tick`.
    step: RefCell<Option<String>>,
    counts: RefCell<BTreeMap<bool, usize>>,
    /// The functions that are under way, and what they do.
    under_way: RefCell<Vec<String>>,
    /// All calls so far.
    made: RefCell<Vec<Call>>,
    dead: Cell<bool>,
    pub(super) late: Cell<Option<Duration>>,
}

impl Account {
    /// Plans something for the first call that `spot` says yes to.
    pub(crate) fn plan_for(&self, spot: impl Fn(&Call) -> bool + 'static, act: Act) {
        self.script.planned.borrow_mut().push((Box::new(spot), act));
    }

    /// Whether something that was planned has not happened yet.
    pub(crate) fn is_planned(&self) -> bool {
        !self.script.planned.borrow().is_empty()
    }

    /// All calls that steps and ticks have made, each before and after.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.script.made.borrow().clone()
    }

    /// Whether a step of this name is under way.
    pub(crate) fn is_in(&self, step: &str) -> bool {
        self.script
            .under_way
            .borrow()
            .last()
            .is_some_and(|last| last == step)
    }

    /// Whether the last call that was begun is of this port.
    pub(crate) fn is_about_to(&self, port: &str) -> bool {
        let made = self.script.made.borrow();
        made.last()
            .is_some_and(|call| call.port == port && call.when == When::Before)
    }

    /// Runs a function, whose calls are counted and may be disturbed; none if it died.
    pub(crate) fn function<T>(&self, step: &str, future: impl Future<Output = T>) -> Option<T> {
        let outer = self.script.step.replace(Some(step.to_owned()));
        self.script.under_way.borrow_mut().push(step.to_owned());
        let answer = drive_until(future, || self.script.dead.get());
        self.script.under_way.borrow_mut().pop();
        self.script.step.replace(outer);
        self.script.dead.set(false);
        if answer.is_none() {
            self.note(&format!("{step} died"));
        }
        answer
    }

    /// One call of a port. `work` is what it does.
    pub(super) async fn call<T>(
        &self,
        part: Part,
        port: &'static str,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let number = self.number();
        if number.is_some() {
            self.pass(self.latency.get());
        }
        self.reach(number, port, When::Before).await?;
        if self.is_out(part) {
            return Err(refused(port, "out of order"));
        }
        let answer = work();
        self.watch();
        self.reach(number, port, When::After).await?;
        answer
    }

    fn number(&self) -> Option<usize> {
        let is_tick = self.script.step.borrow().as_ref()? == "tick";
        let mut counts = self.script.counts.borrow_mut();
        let count = counts.entry(is_tick).or_default();
        *count += 1;
        Some(*count)
    }

    /// Lets happen what is planned for this moment.
    async fn reach(&self, number: Option<usize>, port: &'static str, when: When) -> Result<(), Error> {
        if self.script.dead.get() {
            pending::<()>().await;
        }
        let Some(step) = self.script.step.borrow().clone() else {
            return Ok(());
        };
        let Some(n) = number else { return Ok(()) };
        let call = Call { n, step, port, when };
        self.script.made.borrow_mut().push(call.clone());
        if when == When::Before {
            self.note(&format!("   {} {port} ({n})", call.step));
        }
        while let Some(act) = self.take_planned(&call) {
            match act {
                Act::Run(what) => {
                    let outer = self.script.step.replace(None);
                    what(self);
                    self.script.step.replace(outer);
                    self.watch();
                }
                Act::Die => {
                    self.script.dead.set(true);
                    pending::<()>().await;
                }
                Act::Fail => return Err(refused(port, "the test says so")),
                Act::Late(by) => self.script.late.set(Some(by)),
            }
        }
        Ok(())
    }

    fn take_planned(&self, call: &Call) -> Option<Act> {
        let mut planned = self.script.planned.borrow_mut();
        let found = planned.iter().position(|(spot, _)| spot(call))?;
        Some(planned.remove(found).1)
    }
}

/// Runs a future that never really waits.
pub(crate) fn drive<T>(future: impl Future<Output = T>) -> T {
    drive_until(future, || false).expect("nobody ends it")
}

fn drive_until<T>(future: impl Future<Output = T>, ended: impl Fn() -> bool) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    // Streams of futures give way now and then, though everything is ready.
    for _ in 0..10_000 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return Some(answer);
        }
        if ended() {
            return None;
        }
    }
    panic!("a future waits for something that never comes");
}
