//! What ends a test that would never end, and says what it was doing.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// No input takes as long, on no machine.
const LIMIT: Duration = Duration::from_secs(60);
/// So much of an input is shown.
const SHOWN: usize = 4096;

/// Watches one input after the other.
pub struct Watchdog {
    inputs: Sender<Option<(String, Vec<u8>)>>,
}

impl Watchdog {
    /// Begins to watch.
    #[must_use]
    pub fn start() -> Self {
        let (inputs, watched) = channel::<Option<(String, Vec<u8>)>>();
        std::thread::spawn(move || {
            let mut now = None;
            loop {
                match watched.recv_timeout(LIMIT) {
                    Ok(next) => now = next,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        if let Some((what, input)) = &now {
                            let input = String::from_utf8_lossy(&input[..input.len().min(SHOWN)]);
                            eprintln!("{what}: no end within {LIMIT:?} for {input:?}");
                            std::process::abort();
                        }
                    }
                }
            }
        });
        Self { inputs }
    }

    /// Does some work over an input.
    pub fn watch<T>(&self, what: &str, input: &[u8], work: impl FnOnce() -> T) -> T {
        let beginning = input[..input.len().min(SHOWN)].to_vec();
        let _ = self.inputs.send(Some((what.to_owned(), beginning)));
        let result = work();
        let _ = self.inputs.send(None);
        result
    }
}
