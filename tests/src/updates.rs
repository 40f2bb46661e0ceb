//! Changes of counts, as they arrive at the simulator.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::faulty;
use crate::stack::Stack;

/// An UpdateService that ECS took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// When it arrived, by the clock of this machine, to the millisecond.
    pub at: Timestamp,
    /// The desired count.
    pub count: u64,
}

/// The updates of all services from some moment on. Whoever looks now and then misses none, however many calls there
/// are: the simulator forgets old ones.
#[derive(Debug)]
pub struct Updates(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    last: u64,
    updates: Vec<(String, Update)>,
}

impl Updates {
    /// Those from now on.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn from_now(stack: &Stack) -> Self {
        let calls = stack.calls_since(0).await;
        Self(Mutex::new(Kept {
            last: calls.last().map_or(0, number),
            updates: Vec::new(),
        }))
    }

    /// Those of one service until now, in order.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn of(&self, stack: &Stack, service: &str) -> Vec<Update> {
        self.look(stack).await;
        self.known(service)
    }

    /// Those of one service until the last look at any, in order. Repetitions under faults are one.
    #[must_use]
    pub fn known(&self, service: &str) -> Vec<Update> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = kept.updates.iter().filter(|(name, _)| name == service);
        let mut ours: Vec<_> = ours.map(|(_, update)| *update).collect();
        if faulty() {
            ours.dedup_by_key(|update| update.count);
        }
        ours
    }

    /// Looks at what is new.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn look(&self, stack: &Stack) {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).last;
        let calls = stack.calls_since(last).await;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            // Two who look at once see the same calls.
            if number(&call) > kept.last {
                kept.last = number(&call);
                kept.updates.extend(update(&call));
            }
        }
    }
}

fn number(call: &Value) -> u64 {
    call["seq"].as_u64().expect("a number")
}

fn update(call: &Value) -> Option<(String, Update)> {
    let is_one = call["operation"] == "UpdateService" && call["outcome"] == "ok";
    let parameters = &call["parameters"];
    let count = parameters["desiredCount"].as_u64().filter(|_| is_one)?;
    let at = Timestamp::from_millisecond(call["at"].as_i64()?).ok()?;
    Some((parameters["service"].as_str()?.to_owned(), Update { at, count }))
}
