//! When to sleep: the same visits through several policies.

mod measure;
mod ours;
mod picture;
mod policy;
mod report;
mod visits;

use std::panic::resume_unwind;
use std::thread;

use super::Output;
use super::trace::Trace;
use visits::Source;

/// Replays visits through every policy: those of the real trace, if there is one, and those that the project makes.
pub(super) fn run(trace: Option<&Trace>) -> Output {
    let sources = trace.map(Source::Thinned).into_iter().chain([Source::Office]);
    let results = thread::scope(|scope| {
        let started = sources.map(|source| scope.spawn(move || (source.name(), measure::all(&source))));
        let started: Vec<_> = started.collect();
        let joined = started
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect::<Vec<_>>()
    });
    let files = results
        .iter()
        .map(|(name, costs)| picture::draw(name, costs))
        .collect();
    Output {
        text: report::markdown(&results),
        files,
    }
}
