//! `cargo xtask bench fleet`: the test `fleet` of crates/lambda, for the tables that it prints.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::builds;
use crate::repo::Repo;

/// Runs it and prints what it says, without the function's log.
///
/// # Errors
/// If it cannot be built, or a bound does not hold.
pub(super) fn run(repo: &Repo) -> Result<()> {
    let mut command = builds::cargo(repo, "test");
    command.args(["--test", "fleet", "--", "--nocapture", "--test-threads", "1"]);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what the test prints")?;
        if !is_log(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo")?;
    if !status.success() {
        bail!("the test `fleet` failed ({status})");
    }
    Ok(())
}

/// Whether this is a line of the function's log: JSON, perhaps behind the name of the test.
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
