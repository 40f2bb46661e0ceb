//! Time and memory of a piece of work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other test measures. What functions write to their log is not kept: a test's output is, in a buffer that
/// takes twice its length whenever it is full, at the cost of whoever is measured then.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    dormouse_function::log::be_quiet();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the processor is busy with some work, whatever else the machine does.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let begun = busy();
    work();
    busy().saturating_sub(begun)
}

/// How long this thread has had a processor (Linux, "Scheduler Statistics", `/proc/<pid>/schedstat`).
fn busy() -> Duration {
    let place = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(place).unwrap_or_else(|error| panic!("{place}: {error}"));
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_else(|| panic!("{place}: {text}")))
}

/// Most bytes that some work has in use at once, beyond those that were in use before.
pub(crate) fn peak(work: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    MEMORY.peak_usage().saturating_sub(before)
}
