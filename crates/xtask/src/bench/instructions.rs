//! `cargo xtask bench instructions`: the benches of crates/bench under callgrind.

use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo_tools::{self, GUNGRAUN};
use crate::parts;
use crate::repo::Repo;

/// Counts, prints, and compares with the counts that the benches keep.
///
/// # Errors
/// If valgrind is missing, it cannot be built, or a count rises by more than a twentieth.
pub(super) fn run(repo: &Repo) -> Result<()> {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version");
    parts::text("valgrind", valgrind).context("install your system's package `valgrind`")?;
    cargo_tools::install(repo, &[GUNGRAUN])?;
    let mut command = Command::new("cargo");
    command
        .current_dir(&repo.root)
        .args(["bench", "--package", "dormouse-bench"])
        .args(["--features", "instructions", "--bench", "instructions"])
        // Functions are found by their names. Linked as all that stays on this machine.
        .env("CARGO_PROFILE_BENCH_STRIP", "false")
        .env("CARGO_PROFILE_BENCH_LTO", "false")
        .env("GUNGRAUN_RUNNER", GUNGRAUN.file(repo));
    parts::run("cargo bench --bench instructions", command, None)
}
