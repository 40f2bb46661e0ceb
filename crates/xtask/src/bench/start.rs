//! `cargo xtask bench start` and `scale`: the test target `performance` on a stack of its own.

use std::path::Path;

use anyhow::{Context, Result};

use super::pictures::{self, Picture};
use crate::progress::{say, step};
use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, interrupt, parts};

/// Simulated stages are this many times faster; the clocks of functions are real.
const SPEED: f64 = 20.0;

/// Deploys a stack, and measures its functions beside it.
///
/// # Errors
/// If it cannot be built or deployed, or something takes longer or makes other calls than it should.
pub(super) fn run(repo: &Repo, out: &Path) -> Result<()> {
    let mut bare = builds::cargo(repo, "build");
    bare.args(["--example", "bare"]);
    parts::run("cargo build --example bare", bare, None)?;
    let tests = ["--skip", "scale::", "--skip", "cost::"];
    on_a_stack(repo, &tests, out, Some(pictures::STARTS))
}

/// The same for what it costs, of groups of its own only.
///
/// # Errors
/// If it cannot be built or deployed, or costs more than it should.
pub(super) fn cost(repo: &Repo, out: &Path) -> Result<()> {
    on_a_stack(repo, &["cost::"], out, None)
}

/// The same for very many services, which would be in the way of the others.
///
/// # Errors
/// If it cannot be built or deployed, or a tick grows faster than its services.
pub(super) fn scale(repo: &Repo, out: &Path) -> Result<()> {
    on_a_stack(repo, &["scale::"], out, Some(pictures::GROWTH))
}

fn on_a_stack(repo: &Repo, tests: &[&str], out: &Path, picture: Option<Picture>) -> Result<()> {
    interrupt::listen()?;
    let tools = Tools::install(repo)?;
    step("cargo build", || builds::binaries(repo))?;
    let stack = Stack::start(repo, &tools, "bench", SPEED, None)?;
    let figures = repo.target().join("bench/figures");
    for directory in [out, &figures] {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let result = measure(repo, &stack, tests, Some(&figures));
    stack.stop();
    result?;
    if let Some(picture) = picture {
        let name = picture.make(&figures, out)?;
        say(&format!("{name} is in {}", out.display()));
    }
    Ok(())
}

/// Runs these tests of the target, on a stack on which nothing else has been done. They leave their figures in a directory.
pub(crate) fn measure(repo: &Repo, stack: &Stack, tests: &[&str], figures: Option<&Path>) -> Result<()> {
    let mut command = builds::cargo(repo, "test");
    command
        .args(["--test", "performance", "--", "--ignored", "--nocapture"])
        .args(["--test-threads", "1"])
        .args(tests)
        .env("DORMOUSE_LOCAL", &stack.file);
    if let Some(figures) = figures {
        command.env("DORMOUSE_FIGURES", figures);
    }
    if builds::as_deployed() {
        command.env("DORMOUSE_AS_DEPLOYED", "1");
    }
    parts::run("cargo test --test performance", command, None)
}
