//! `cargo xtask bench warm`: the program of crates/bench.

use anyhow::Result;

use super::quiet;
use crate::builds;
use crate::repo::Repo;

/// Runs it and prints what it says.
///
/// # Errors
/// If it cannot be built, or a handler takes longer than it should.
pub(super) fn run(repo: &Repo) -> Result<()> {
    let mut command = builds::cargo(repo, "build");
    command.args(["--bin", "warm"]);
    crate::parts::run("cargo build --bin warm", command, None)?;
    quiet::run("warm", std::process::Command::new(repo.binaries().join("warm")))
}
