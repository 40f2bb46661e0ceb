//! All functions together on the model of ECS, under a virtual clock, with everything going wrong: the handlers that are
//! shipped, through their ports, many at once, interleaved at every call of a port. What happens is drawn from a seed, so
//! that a run that breaks a promise can be repeated, and shrunk to what it takes to break it.
//!
//! The method is that of FoundationDB ("Testing Distributed Systems w/ Deterministic Simulation", Will Wilson, Strange
//! Loop 2014), and of TigerBeetle's VOPR.

mod calm;
mod cloud;
mod deliver;
mod dice;
mod executions;
mod faults;
mod function;
mod people;
mod sabotage;
mod script;
mod shrink;
mod sim;

use std::time::Duration;

pub use cloud::{Counted, Violation};
pub use faults::{Faults, Kind, Outage, Part};
pub use sabotage::Sabotage;
pub use script::{Happening, Script, ServiceScene};
pub use shrink::shrink;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first thing that must never be, if there was one.
    pub violation: Option<Violation>,
    /// How much it did.
    pub counted: Counted,
    /// The end of its story, line by line.
    pub story: String,
}

/// Lines of a story that are told.
const LINES: usize = 120;

/// Lets a run happen.
#[must_use]
pub fn run(script: &Script) -> Outcome {
    // Samples of tasks are drawn from the thread's own numbers.
    fastrand::seed(script.seed);
    let mut sim = sim::Sim::new(script.clone());
    for (at, happening) in script.happenings.clone() {
        sim.plan(Duration::from_secs(at), move |sim| sim.lets(&happening));
    }
    sim.plan(Duration::from_secs(2), sim::Sim::tick_each_minute);
    sim.plan(Duration::from_secs(90), sim::Sim::knock_now_and_then);
    sim.run_to(script.calm_from);
    sim.calm_down(script);
    Outcome {
        violation: sim.cloud.violation(),
        counted: sim.cloud.counted.borrow().clone(),
        story: sim.cloud.story.tell(LINES),
    }
}
