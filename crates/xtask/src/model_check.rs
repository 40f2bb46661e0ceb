//! `cargo xtask model-check`: explores small worlds to the end, with the shipped decisions and steps in them.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::builds;
use crate::repo::Repo;

const HELP: &str = "\
cargo xtask model-check [-- <arguments of model-check>]

Explores small worlds (2 services, 3 tasks, 2 functions at once, 1 crash) in every order in which functions,
services, faults and people may take their steps, with the shipped decisions and scale-in steps in the functions.
Prints for each: how many states, how deep, how long it took, and which invariants of the design hold. Exit code 1
if one does not, with the steps that break it. Built for release: minutes the first time.

  cargo xtask model-check -- --deep --seconds 600
  cargo xtask model-check -- --only scale-in --threads 1
  cargo xtask model-check -- --help
";

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let extra = match args.split_first() {
        None => &[][..],
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) if first == "--help" || first == "-h" => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some((first, _)) => {
            anyhow::bail!("invalid argument {first:?}; see `cargo xtask model-check --help`")
        }
    };
    let repo = Repo::find()?;
    builds::binary(&repo, "model-check")?;
    let status = Command::new(repo.binaries().join("model-check"))
        .args(extra)
        .status()
        .context("cannot run the model checker")?;
    Ok(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        code => ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
    })
}
