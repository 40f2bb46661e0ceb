//! The execution of the scale-in state machine, in the deployed definition.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use dormouse_testkit::state_machine::{self, Failure, Machine};
use serde_json::{Value, json};

use crate::kept::Kept;
use crate::names::{at, second};

static MACHINE: LazyLock<Machine> = LazyLock::new(Machine::scale_in);

/// An execution that has not ended.
#[derive(Clone, Debug)]
pub struct Execution {
    inner: state_machine::Execution,
    /// What the state it is in asks of the function; none: it waits.
    pub payload: Option<Kept<Value>>,
    /// Whether the function is at it.
    pub calling: bool,
}

impl Execution {
    /// A new one, before its first call.
    #[must_use]
    pub fn start(name: &str, group: &str, service: &str, now: u32) -> Option<Self> {
        let input = json!({"group": group, "service": service});
        let execution = Self {
            inner: MACHINE.start(name, input, at(now.into())),
            payload: None,
            calling: false,
        };
        execution.go_on(now)
    }

    /// When it goes on.
    #[must_use]
    pub fn due(&self) -> u32 {
        second(self.inner.due)
    }

    /// The name of its state.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.inner.state
    }

    /// Takes it to its next call, if that is due; none: it has ended.
    #[must_use]
    pub fn go_on(mut self, now: u32) -> Option<Self> {
        while self.payload.is_none() && self.due() <= now {
            match MACHINE.enter(&mut self.inner) {
                Some(payload) => self.payload = Some(Kept::new(payload)),
                None => MACHINE.leave(&mut self.inner, at(now.into())),
            }
            if self.inner.end.is_some() {
                return None;
            }
        }
        self.inner.visited.clear();
        Some(self)
    }

    /// Gives it the function's answer; none: it has ended.
    #[must_use]
    pub fn answered(mut self, now: u32, answer: Result<Value, Failure>) -> Option<Self> {
        self.payload = None;
        self.calling = false;
        MACHINE.answered(&mut self.inner, at(now.into()), answer);
        match self.inner.end {
            Some(_) => None,
            None => self.go_on(now),
        }
    }
}

impl PartialEq for Execution {
    fn eq(&self, other: &Self) -> bool {
        self.inner.place() == other.inner.place()
            && self.calling == other.calling
            && self.payload == other.payload
    }
}

impl Eq for Execution {}

impl Hash for Execution {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.place().hash(state);
        self.calling.hash(state);
        self.payload.hash(state);
    }
}
