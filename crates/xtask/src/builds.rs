//! Builds that share one set of compiled dependencies.
//!
//! The AWS SDK takes minutes to compile, so everything that runs (functions, simulator, tests) is
//! built with one profile (`release`), one `--target` (the host's, explicit, because cargo-lambda
//! passes it and cargo keeps builds with and without `--target` apart) and one feature resolution
//! (the whole workspace's: no `--package`). Then `sam build` finds its dependencies fresh, if
//! cargo-lambda leaves cargo alone:
//!
//! - `CARGO_LAMBDA_COMPILER=cargo`: the host's linker instead of zig. Only here; a user's `sam build`
//!   for Lambda goes through zig, for the processor and glibc that Lambda has.
//! - `disable_optimizations` in Cargo.toml's `[workspace.metadata.lambda.build]`: else it adds
//!   `panic = "abort"`, LTO and a `target-cpu`, which make other artefacts, and the first of which
//!   would take the Lambda runtime's error reports away.
//! - `CARGO_PROFILE_RELEASE_LTO=false`: link-time optimization takes minutes for each program. Functions that are deployed
//!   have it; `CARGO_PROFILE_RELEASE_LTO=fat cargo xtask bench start` measures them as they are then.
//!
//! Seen on 2026-11-22 with `-v`: after `binaries` below, `cargo lambda build --release --bin wake` (what
//! SAM runs) says 225 times `Fresh` and never `Compiling`, and `cargo test --no-run` finds every `aws-*`
//! crate fresh. Beware of `--package`: it changes the feature resolution, and the SDK is compiled again.
//! `features` guards the same against dev-dependencies.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::aws::REGION;
use crate::parts;
use crate::repo::Repo;
use crate::tools::Tools;

/// Whether programs are optimized as they are linked (Cargo Book, "Profiles", `lto`).
const LTO: &str = "CARGO_PROFILE_RELEASE_LTO";
const NO_LTO: &str = "false";

/// Whether functions are to be built as they are for Lambda.
pub(crate) fn as_deployed() -> bool {
    std::env::var_os(LTO).is_some_and(|lto| lto != NO_LTO)
}

/// `cargo <verb>` over the whole workspace with the one profile and target.
pub(crate) fn cargo(repo: &Repo, verb: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(&repo.root)
        .args([verb, "--workspace", "--release", "--target", &repo.host])
        .env(LTO, NO_LTO);
    command
}

/// Compiles every binary, showing cargo's own progress.
pub(crate) fn binaries(repo: &Repo) -> Result<()> {
    let mut command = cargo(repo, "build");
    command.arg("--bins");
    parts::run("cargo build", command, None)
}

/// Compiles one binary.
pub(crate) fn binary(repo: &Repo, name: &str) -> Result<()> {
    let mut command = cargo(repo, "build");
    command.args(["--bin", name]);
    parts::run("cargo build", command, None)
}

/// Clippy over all code, tests too, with every warning an error.
pub(crate) fn clippy(repo: &Repo) -> Result<()> {
    // The same profile and target: build scripts and procedural macros are shared with the builds.
    let mut command = cargo(repo, "clippy");
    command.args(["--all-targets", "--", "--deny", "warnings"]);
    parts::run("cargo clippy", command, None)
}

/// Has SAM put the functions together into `directory`; returns the built template.
pub(crate) fn sam(repo: &Repo, tools: &Tools, directory: &Path, log: &Path) -> Result<PathBuf> {
    let build = directory.join("build");
    let mut command = tools.sam();
    command
        .current_dir(&repo.root)
        .args(["build", "--config-env", "local", "--region", REGION])
        .arg("--build-dir")
        .arg(&build)
        .args([
            "--parameter-overrides",
            &format!("Architecture={}", repo.architecture()?),
        ])
        .env("CARGO_LAMBDA_COMPILER", "cargo");
    if !as_deployed() {
        command.env(LTO, NO_LTO);
    }
    parts::run("sam build", command, Some(log))?;
    Ok(build.join("template.yaml"))
}
