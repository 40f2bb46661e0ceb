//! `cargo xtask bench start`: the test target `performance` on a stack of its own.

use anyhow::Result;

use crate::progress::step;
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
pub(super) fn run(repo: &Repo) -> Result<()> {
    interrupt::listen()?;
    let tools = Tools::install(repo)?;
    step("cargo build", || builds::binaries(repo))?;
    let stack = Stack::start(repo, &tools, "bench", SPEED, None)?;
    let result = measure(repo, &stack, "");
    stack.stop();
    result
}

/// Runs the tests of the target whose names contain this, on a stack on which nothing else has been done.
pub(crate) fn measure(repo: &Repo, stack: &Stack, tests: &str) -> Result<()> {
    let mut bare = builds::cargo(repo, "build");
    bare.args(["--example", "bare"]);
    parts::run("cargo build --example bare", bare, None)?;
    let mut command = builds::cargo(repo, "test");
    command
        .args(["--test", "performance", "--", "--ignored", "--nocapture"])
        .args(["--test-threads", "1", tests])
        .env("DORMOUSE_LOCAL", &stack.file);
    if builds::as_deployed() {
        command.env("DORMOUSE_AS_DEPLOYED", "1");
    }
    parts::run("cargo test --test performance", command, None)
}
