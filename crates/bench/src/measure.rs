//! One row of the table.

use std::fmt;
use std::time::{Duration, Instant};

/// Runs before it counts.
const WARM_UP: usize = 20;
/// As many runs as fit into this time ...
const TIME: Duration = Duration::from_secs(2);
/// ... but not more.
const RUNS: usize = 2_000;

/// What was measured.
pub(crate) struct Row {
    name: &'static str,
    /// In order.
    times: Vec<Duration>,
    allowed: Option<Duration>,
}

/// Measures.
pub(crate) async fn run(name: &'static str, allowed: Option<Duration>, mut once: impl AsyncFnMut()) -> Row {
    for _ in 0..WARM_UP {
        once().await;
    }
    let (began, mut times) = (Instant::now(), Vec::new());
    while times.len() < RUNS && began.elapsed() < TIME {
        let began = Instant::now();
        once().await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Row { name, times, allowed }
}

impl Row {
    /// Whether half of the runs took longer than allowed.
    pub(crate) fn is_too_slow(&self) -> bool {
        self.allowed.is_some_and(|allowed| self.within(50) > allowed)
    }

    /// The time within which so many of a hundred ended.
    fn within(&self, percent: usize) -> Duration {
        let last = self.times.len() - 1;
        self.times[last * percent / 100]
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.allowed.map_or_else(|| "-".to_owned(), text);
        let [median, most, worst] = [50, 90, 100].map(|percent| text(self.within(percent)));
        write!(f, "| {} | {median} | {most} | {worst} | {allowed} |", self.name)
    }
}

fn text(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        format!("{} µs", time.as_micros())
    } else {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    }
}
