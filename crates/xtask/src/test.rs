//! `cargo xtask test`: all set-up, then every check and every test.

use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::bench::start;
use crate::progress::{say, seconds, step};
use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{
    browser, builds, checkov, checks, faults, faulty, features, fuzz, guarded, interrupt, parts, privileges,
    sbom, sim, supply,
};

const HELP: &str = "\
cargo xtask test [--faults P [--seed N]] [-- <arguments of cargo test>]

Does all set-up, then: format, clippy with warnings as errors, checks of templates (cfn-lint, checkov) and state
machines, of licences, sources and idle dependencies (cargo-deny, cargo-machete), of bills of materials, 2,000 seeds
of the simulation (`cargo xtask sim`), on the local stack the calls to AWS of each operation (docs/PERFORMANCE.md), and
`cargo test` over the whole workspace, with that stack up for the end-to-end tests (DORMOUSE_LOCAL names its
outputs.json, DORMOUSE_AXE the accessibility checker). Pictures of the pages, as headless Chromium shows them, are kept
in target/local/test/screens. Then the HTTP API is fuzzed for two minutes, the stack is deployed anew with links, an admin token and a brand, and that is tested. Then what the functions'
policies allow is compared with what they did (`cargo xtask privileges`). At last most of the end-to-end tests run once
more on a stack whose functions meet faults of AWS in one of twenty calls. What follows `--` goes to cargo test, e.g.
part of a name, and then it ends with that:

  cargo xtask test -- cold_wake

  --faults P  only those under faults, with this share of calls that go wrong (0 to 1; what `cargo xtask local --help` says)
  --seed N    which of them go wrong, and how (default 1)
";

/// Simulated stages are this many times faster in tests; their clocks stay real.
const SPEED: f64 = 20.0;

/// The end-to-end tests wait most of their time, so more of them run than there are processors; with twice as many their
/// looks would use up ECS's read buckets, which the simulator keeps as AWS does.
const TESTS_AT_ONCE: &str = "4";

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let (faults, args) = faults::take(args)?;
    let extra = match args.split_first() {
        None => &[][..],
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) if first == "--help" || first == "-h" => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some((first, _)) => {
            anyhow::bail!("invalid argument {first:?}; see `cargo xtask test --help`")
        }
    };
    interrupt::listen()?;
    let begun = Instant::now();
    let repo = Repo::find()?;
    if let Some(faults) = faults {
        let tools = Tools::install(&repo)?;
        step("cargo build", || builds::binaries(&repo))?;
        faulty::run(&repo, &tools, (SPEED, TESTS_AT_ONCE), faults, extra)?;
        say(&format!("test: ok in {}", seconds(begun.elapsed())));
        return Ok(ExitCode::SUCCESS);
    }
    step("cargo fmt --check", || format(&repo))?;
    let tools = Tools::install(&repo)?;
    let directory = repo.target().join("local/test");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    step("sam validate --lint", || {
        checks::lint(&repo, &tools, &directory.join("sam-validate.log"))
    })?;
    step("check the template and the state machines", || {
        checks::template(&repo, &tools)
    })?;
    step("compare the features of functions and tests", || {
        features::check(&repo)
    })?;
    tools.install_for_tests()?;
    step("checkov", || checkov::run(&repo, &tools, &directory))?;
    supply::check(&repo)?;
    sbom::check(&repo)?;
    let axe = browser::install(&repo)?;
    step("cargo build", || builds::binaries(&repo))?;
    step("cargo clippy", || builds::clippy(&repo))?;
    step("build the tests", || {
        let mut build = builds::cargo(&repo, "test");
        build.arg("--no-run");
        parts::run("cargo test --no-run", build, None)
    })?;
    if extra.is_empty() {
        step("simulate", || sim::check(&repo))?;
    }

    let mut stack = Stack::start(&repo, &tools, "test", SPEED, None)?;
    // Before anything else has been done on it.
    if extra.is_empty() {
        step("compare each operation's calls with their table", || {
            start::measure(&repo, &stack, &["calls::"], None)
        })?;
    }
    let result = step("cargo test", || {
        let mut tests = builds::cargo(&repo, "test");
        tests
            .arg("--no-fail-fast")
            .args(extra)
            .env("DORMOUSE_LOCAL", &stack.file)
            .env("DORMOUSE_AXE", &axe)
            .env("RUST_TEST_THREADS", TESTS_AT_ONCE);
        parts::run("cargo test", tests, None)
    });
    say(&format!(
        "pictures of the pages are in {}",
        directory.join("screens").display()
    ));
    // Alone: it would use up the read buckets of ECS that the tests need.
    let result = result.and_then(|()| match extra {
        [] => step("fuzz the HTTP API", || {
            fuzz::run(&repo, &tools, &stack, &directory)
        }),
        _ => Ok(()),
    });
    let result = result.and_then(|()| match extra {
        [] => step("deploy it guarded, and test that", || {
            guarded::run(&repo, &tools, &mut stack)
        }),
        _ => Ok(()),
    });
    let result = result.and_then(|()| match extra {
        [] => step("compare privileges with what was used", || {
            privileges::check(&repo, &tools, &stack.keep_trail()?)
        }),
        _ => Ok(()),
    });
    // A part that died explains failed tests better than they do.
    let parts = stack.check();
    stack.stop();
    parts?;
    result?;
    if extra.is_empty() {
        faulty::run(&repo, &tools, (SPEED, TESTS_AT_ONCE), faulty::USUAL, &[])?;
    }
    say(&format!("test: ok in {}", seconds(begun.elapsed())));
    Ok(ExitCode::SUCCESS)
}

fn format(repo: &Repo) -> Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(&repo.root).args(["fmt", "--all", "--check"]);
    parts::run("cargo fmt --check", command, None)
}
