//! A scene: the settings of a group, where it begins, and what may happen in it.

use std::sync::Arc;

use dormouse_core::scalable::Bounds;
use dormouse_core::settings::GroupSettings;

use crate::calls::{Answer, Call};
use crate::invariant::Invariant;
use crate::jobs::Job;
use crate::kept::Kept;
use crate::protocol::Protocol;
use crate::world::World;

/// All that a model is made of.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// The group.
    pub settings: GroupSettings,
    /// The worlds it begins in.
    pub begins: Vec<World>,
    /// The code between functions and the world.
    pub protocol: Arc<dyn Protocol>,
    /// The tasks of each service while the group is awake.
    pub counts: Vec<u32>,
    /// The scalable targets, as their owner made them.
    pub bounds: Vec<Option<Kept<Bounds>>>,
    /// What each minute starts.
    pub ticks: Vec<Job>,
    /// Seconds after each tick at which time stands still too, so that things happen between ticks.
    pub between: Option<u32>,
    /// The last second.
    pub horizon: u32,
    /// Most functions at once.
    pub at_once: usize,
    /// For so many seconds a function lives at most.
    pub lifetime: u32,
    /// For so many seconds a call that was given up may still land.
    pub lateness: u32,
    /// The most ticks after which a wake has its count.
    pub ticks_to_wake: u8,
    /// The invariants that this scene can break; of the others, why not.
    pub invariants: Vec<(Invariant, Result<(), &'static str>)>,
}

impl Scene {
    /// The answer of a call that nothing in this scene changes, so that it is no step of its own.
    #[must_use]
    pub fn fixed(&self, call: &Call) -> Option<Answer> {
        match call {
            Call::Bounds if self.bounds.iter().all(Option::is_none) => {
                Some(Answer::Bounds(self.bounds.clone()))
            }
            _ => None,
        }
    }

    /// Whether it can break an invariant.
    #[must_use]
    pub fn can_break(&self, invariant: Invariant) -> bool {
        self.invariants
            .iter()
            .any(|(i, applies)| *i == invariant && applies.is_ok())
    }
}
