//! What was asked of AWS, when, and what of it is paid for.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use fargate_sim::model::{Bucket, Millis};

/// One call as AWS saw it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: Millis,
    pub(crate) operation: String,
    /// `ok`, or the code of the error.
    pub(crate) outcome: String,
    /// Read request units of DynamoDB.
    pub(crate) reads: u64,
    /// Write request units of DynamoDB.
    pub(crate) writes: u64,
}

impl Call {
    pub(crate) fn new(at: Millis, operation: &str) -> Self {
        Self {
            at,
            operation: operation.to_owned(),
            outcome: "ok".to_owned(),
            reads: 0,
            writes: 0,
        }
    }
}

/// Calls, in the order of their moments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(pub(crate) Vec<Call>);

/// A bucket of AWS: the operations that share it, how many calls it holds and how many it gives a second.
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    operations: &'static [&'static str],
    burst: u32,
    per_second: u32,
}

/// The buckets that reading empties: those of ECS (Amazon ECS API reference, "Request throttling for the Amazon ECS API")
/// and that of DescribeNetworkInterfaces (Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API", the
/// smaller one for calls without filter and pages; whether a list of ids counts as a filter is not said).
pub(crate) const READS: [Shared; 3] = [
    Shared {
        name: "service reads",
        operations: &["DescribeServices", "ListServices"],
        burst: 100,
        per_second: 20,
    },
    Shared {
        name: "task reads",
        operations: &["DescribeTasks", "ListTasks"],
        burst: 100,
        per_second: 20,
    },
    Shared {
        name: "interface reads",
        operations: &["DescribeNetworkInterfaces"],
        burst: 50,
        per_second: 10,
    },
];

impl Calls {
    /// Those of a span of time.
    pub(crate) fn within(&self, span: Range<Millis>) -> Self {
        Self(
            self.0
                .iter()
                .filter(|call| span.contains(&call.at))
                .cloned()
                .collect(),
        )
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.0.iter().filter(|call| call.operation == operation).count()
    }

    /// How many there were of each operation.
    pub(crate) fn by_operation(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.0 {
            *counts.entry(call.operation.as_str()).or_default() += 1;
        }
        counts
    }

    /// How many of each operation AWS throttled.
    pub(crate) fn throttled_operations(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.0 {
            if call.outcome == "ThrottlingException" {
                *counts.entry(call.operation.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Those that AWS throttled.
    pub(crate) fn throttled(&self) -> usize {
        let throttled = |call: &&Call| call.outcome == "ThrottlingException";
        self.0.iter().filter(throttled).count()
    }

    pub(crate) fn read_units(&self) -> u64 {
        self.0.iter().map(|call| call.reads).sum()
    }

    pub(crate) fn write_units(&self) -> u64 {
        self.0.iter().map(|call| call.writes).sum()
    }

    /// The most calls of a bucket in any span that long.
    pub(crate) fn most(&self, shared: &Shared, seconds: u64) -> usize {
        let moments = self.moments(shared);
        let mut most = 0;
        let mut first = 0;
        for (last, at) in moments.iter().enumerate() {
            while at.0 - moments[first].0 >= seconds * 1000 {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    /// How many of the calls a bucket half as large, that fills half as fast, would have refused.
    pub(crate) fn beyond_half(&self, shared: &Shared) -> usize {
        let mut half = Bucket::new(shared.burst / 2, f64::from(shared.per_second) / 2.0);
        let moments = self.moments(shared);
        moments.iter().filter(|at| !half.take(**at)).count()
    }

    /// Fails unless the calls stay within half of every read bucket: as the bucket counts, in any ten seconds and in any
    /// minute.
    pub(crate) fn assert_half_of_every_read_bucket(&self) {
        assert_eq!(self.throttled(), 0, "nothing is throttled");
        for shared in &READS {
            assert_eq!(
                self.beyond_half(shared),
                0,
                "{}: {:?}",
                shared.name,
                self.spans(shared)
            );
            for seconds in [1, 10] {
                let bound = shared.burst / 2 + shared.per_second / 2 * seconds;
                let most = self.most(shared, seconds.into());
                assert!(most <= bound as usize, "{}: {most} in {seconds} s", shared.name);
            }
        }
    }

    /// The most calls of a bucket in any second, any ten and any minute.
    pub(crate) fn spans(&self, shared: &Shared) -> [usize; 3] {
        [1, 10, 60].map(|seconds| self.most(shared, seconds))
    }

    /// Fails if a minute has more than half of what a bucket gives in a minute.
    pub(crate) fn assert_half_of_each_minute(&self) {
        for shared in &READS {
            let calls = self.moments(shared).len();
            let bound = shared.per_second as usize * 60 / 2;
            assert!(calls <= bound, "{}: {calls} calls in a minute", shared.name);
        }
    }

    fn moments(&self, shared: &Shared) -> Vec<Millis> {
        let ours = |call: &&Call| shared.operations.contains(&call.operation.as_str());
        self.0.iter().filter(ours).map(|call| call.at).collect()
    }
}

/// A table in Markdown: calls by operation, a column for each minute.
pub(crate) fn table(title: &str, minutes: &[Calls]) -> String {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, minute) in minutes.iter().enumerate() {
        for call in &minute.0 {
            let row = rows
                .entry(&call.operation)
                .or_insert_with(|| vec![0; minutes.len()]);
            row[number] += 1;
        }
    }
    let mut text = format!("\n| {title} |");
    for number in 1..=minutes.len() {
        // Writing to a string cannot fail.
        let _ = write!(text, " minute {number} |");
    }
    text.push_str(&format!("\n|---|{}\n", "---:|".repeat(minutes.len())));
    for (operation, counts) in rows {
        let _ = write!(text, "| {operation} |");
        for count in counts {
            let _ = write!(text, " {count} |");
        }
        text.push('\n');
    }
    text
}
