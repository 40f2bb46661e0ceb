//! How long the processor really works.

use std::time::Duration;

/// How long this thread has been on a processor, if the system tells (Linux, `Documentation/scheduler/sched-stats.rst`,
/// `/proc/<pid>/schedstat`, the first number).
pub(crate) fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
