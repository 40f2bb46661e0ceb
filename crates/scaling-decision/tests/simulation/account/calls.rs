//! What surrounds every call of a port: time, outages, and what a test has planned for this very moment.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use dormouse_core::error::Error;

use super::{Account, Part, refused};

/// A call of a port by a step of a scale-in, by a tick of scaling or by a watch; what others do at the same time is not
/// counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its number: calls of steps, of ticks and of watches are counted apart, from 1.
    pub(crate) n: usize,
    /// The step, `tick` or `watch`.
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
    /// What the function does that goes on now: a step, `tick` or `watch`.
    pub(super) step: RefCell<Option<String>>,
    counts: RefCell<BTreeMap<&'static str, usize>>,
    /// What the functions do that are under way.
    pub(super) under_way: RefCell<Vec<String>>,
    /// All calls so far.
    made: RefCell<Vec<Call>>,
    /// Whether the function that goes on now has just died.
    pub(super) dead: Cell<bool>,
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
        self.script.under_way.borrow().iter().any(|other| other == step)
    }

    /// Whether the last call that was begun is of this port.
    pub(crate) fn is_about_to(&self, port: &str) -> bool {
        let made = self.script.made.borrow();
        made.last()
            .is_some_and(|call| call.port == port && call.when == When::Before)
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
            self.wait(self.latency_of(part)).await;
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

    fn latency_of(&self, part: Part) -> Duration {
        match part {
            Part::Apps => self.apps.latency.get().unwrap_or(self.latency.get()),
            _ => self.latency.get(),
        }
    }

    fn number(&self) -> Option<usize> {
        let kind = match self.script.step.borrow().as_deref()? {
            "tick" => "tick",
            "watch" => "watch",
            _ => "step",
        };
        let mut counts = self.script.counts.borrow_mut();
        let count = counts.entry(kind).or_default();
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
