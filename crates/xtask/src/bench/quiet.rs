//! What a measurement prints, without the log of the functions that it runs.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command of cargo and prints what it says, without lines of a log.
///
/// # Errors
/// If it cannot be built, or fails.
pub(super) fn run(name: &str, mut command: Command) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what it prints")?;
        if !is_log(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Whether this is a line of a function's log: JSON, perhaps behind the name of the test.
fn is_log(line: &str) -> bool {
    line.ends_with('}') && (line.starts_with('{') || line.starts_with("test ") && line.contains(" ... {"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_log_is_left_out() {
        assert!(is_log(r#"{"event":"watch"}"#));
        assert!(is_log(r#"test steady::a ... {"event":"watch"}"#));
        for line in ["test steady::a ... ok", "| Query | 2 |", "", "600 spikes"] {
            assert!(!is_log(line), "{line}");
        }
    }
}
