//! `cargo xtask sim`: the deterministic simulation, for as many seeds as one likes.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::repo::Repo;
use crate::{builds, parts};

/// As many as two minutes or so allow.
const IN_TESTS: &str = "2000";

const HELP: &str = "\
cargo xtask sim [--seeds N] [--start S] [--threads T] [--keep-going]

Runs all functions together on the model of ECS, under a virtual clock, with everything going wrong: many at
once, interleaved at every call, with crashes, lost answers, late writes, throttling, outages, events that are
lost, late or doubled, clocks that differ, and people who change things from outside. Then all is calm, and
everything must come to rest as its owner had it. Each seed is another run; the same seed is always the same.
What is promised is in docs/RELIABILITY.md.

A seed that breaks a promise is shrunk, and told as a timeline.

  --seeds N      how many (default 1000; a tenth of a second each)
  --start S      the first (default 0)
  --threads T    how many run at a time (default: as many as there are processors)
  --keep-going   go on after one that fails, and tell only which did
";

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let repo = Repo::find()?;
    builds::binary(&repo, "simulate")?;
    let status = simulate(&repo)
        .args(args)
        .status()
        .context("cannot run the simulation")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the first seeds, once the binaries are built.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let mut simulate = simulate(repo);
    simulate.args(["--seeds", IN_TESTS]);
    parts::run("cargo xtask sim", simulate, None)
}

fn simulate(repo: &Repo) -> Command {
    Command::new(repo.binaries().join("simulate"))
}
