//! A function that answers as a test tells it, on a clock that moves only while somebody waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::Desk;
use crate::failure::Failure;
use crate::ports::{Clock, Function};

/// The function and the clock of a test.
pub(crate) struct Fake {
    answers: RefCell<VecDeque<Result<Value, Failure>>>,
    calls: RefCell<Vec<Value>>,
    now: Cell<Timestamp>,
}

impl Fake {
    /// Answers in this order. It is noon in Warsaw.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Result<Value, Failure>>) -> Self {
        Self {
            answers: RefCell::new(answers.into_iter().collect()),
            calls: RefCell::default(),
            now: Cell::new("2027-01-15T11:00:00Z".parse().expect("a moment")),
        }
    }

    /// The desk of somebody in Warsaw who only asks.
    pub(crate) fn asking(&self) -> Desk<'_, Self> {
        Desk {
            by: None,
            ..self.ordering()
        }
    }

    /// The desk of somebody in Warsaw who wants something done.
    pub(crate) fn ordering(&self) -> Desk<'_, Self> {
        Desk {
            world: self,
            by: Some("arn:me"),
            zone: TimeZone::get("Europe/Warsaw").expect("a zone"),
        }
    }

    /// What was asked, in order.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.calls.borrow().clone()
    }
}

impl Function for Fake {
    async fn call(&self, event: &Value) -> Result<Value, Failure> {
        self.calls.borrow_mut().push(event.clone());
        self.answers.borrow_mut().pop_front().expect("an answer")
    }
}

impl Clock for Fake {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn pause(&self, duration: Duration) {
        self.now.set(self.now.get() + duration);
    }
}

/// Runs what never really waits.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}
