//! The seam between the shipped code and the world. The shipped protocol says and hears every word as it is; the tests put
//! protocols in its place that each have one bug, and expect the checker to find it.

use std::fmt::Debug;

use dormouse_core::intent::Intent;
use dormouse_core::record::Record;

use crate::calls::{Answer, Call};
use crate::jobs::Job;
use crate::world::World;

/// What lies between a function and the world.
pub trait Protocol: Debug + Send + Sync {
    /// What a function takes an intent for, given the record that it has loaded.
    fn intent(&self, intent: Intent, _record: Option<&Record>) -> Intent {
        intent
    }

    /// What a call really says; none: it is left out, and taken for done.
    fn says(&self, _job: &Job, _world: &World, call: &Call) -> Option<Call> {
        Some(call.clone())
    }

    /// What a function takes an answer for.
    fn hears(&self, _job: &Job, _world: &World, _call: &Call, answer: Answer) -> Answer {
        answer
    }

    /// Whether conditional writes compare versions.
    fn compares(&self) -> bool {
        true
    }

    /// Whether the record is written only after all that follows from it.
    fn saves_last(&self) -> bool {
        false
    }
}

/// Dormouse as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shipped;

impl Protocol for Shipped {}
