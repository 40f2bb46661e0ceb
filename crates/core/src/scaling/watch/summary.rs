//! What a watch says when it ends.

use serde::Serialize;

/// How a watch went, for the log and for whoever called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Services that were watched.
    pub services: usize,
    /// Passes over all of them.
    pub passes: u32,
    /// Passes that were due while one still lasted; they were left out.
    pub skipped: u32,
    /// Readings of a service's connections.
    pub readings: u64,
    /// Readings that told nothing.
    pub unknown: u64,
    /// Tasks that were asked.
    pub asked: u64,
    /// Calls of DescribeServices for counts.
    pub service_reads: u32,
    /// Calls of ListTasks and DescribeTasks for addresses.
    pub task_reads: u32,
    /// How often looks had to wait for their turn, so that others have half of ECS's read buckets.
    pub waited: u32,
    /// Whether what counts towards scale-ins could not be kept for the next watch.
    pub windows_lost: bool,
    /// Whether another invocation watches them already; then this one did not.
    pub elsewhere: bool,
}
