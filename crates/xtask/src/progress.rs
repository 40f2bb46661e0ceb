//! Steps with their times, on stderr.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How often a long step says that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Runs `work` as a step: says that it starts, that it still runs, and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    say(&format!("{name} ..."));
    let (done, wait) = mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        scope.spawn(move || {
            while wait.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                say(&format!("{name} ... {}", seconds(begun.elapsed())));
            }
        });
        let result = work();
        drop(done);
        result
    });
    match &result {
        Ok(_) => say(&format!("{name}: ok, {}", seconds(begun.elapsed()))),
        Err(_) => say(&format!("{name}: failed after {}", seconds(begun.elapsed()))),
    }
    result
}

/// One line of progress.
pub(crate) fn say(text: &str) {
    // Nobody may be there to read it; that is no reason to stop.
    let _ = writeln!(std::io::stderr(), "xtask: {text}");
}

/// A duration as people read it.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole >= 60 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else if whole >= 10 {
        format!("{whole} s")
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_millis(9_960)), "10.0 s");
        assert_eq!(seconds(Duration::from_secs(41)), "41 s");
        assert_eq!(seconds(Duration::from_secs(754)), "12 min 34 s");
    }
}
