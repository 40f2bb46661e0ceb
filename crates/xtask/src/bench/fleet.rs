//! `cargo xtask bench fleet`: the test `fleet` of crates/lambda, for the tables that it prints.

use anyhow::Result;

use super::quiet;
use crate::builds;
use crate::repo::Repo;

/// Runs it and prints what it says.
///
/// # Errors
/// If it cannot be built, or a bound does not hold.
pub(super) fn run(repo: &Repo) -> Result<()> {
    let mut command = builds::cargo(repo, "test");
    command.args(["--test", "fleet", "--", "--nocapture", "--test-threads", "1"]);
    quiet::run("the test `fleet`", command)
}
