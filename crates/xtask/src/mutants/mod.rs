//! `cargo xtask mutants`: does a test fail for every small change of what decides?
//!
//! cargo-mutants changes one thing at a time in `crates/core`, and runs its tests. A change that no test notices is a
//! survivor: it needs a test, or a reason in `mutants/survivors.json`.

mod results;
mod survivors;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cargo_tools::{self, MUTANTS};
use crate::progress::step;
use crate::repo::Repo;
use crate::{interrupt, parts};
use results::{Outcome, Results};
use survivors::Survivors;

const HELP: &str = "\
cargo xtask mutants [--go-on] [--file GLOB]... [--first TESTS] [--also PACKAGE[:TESTS]]... [--jobs N] [--score]

Changes one thing at a time in crates/core, and runs its tests: one that no test notices must be in
crates/xtask/mutants/survivors.json with the reason. Prints the score of each folder. Seconds for each of
thousands: hours in all.

  --go-on        leave out what earlier runs have shown, of this or other files; without it, all begins anew
  --file GLOB    only of these files, such as 'crates/core/src/decide/**'
  --first TESTS  run the tests whose names contain this, such as decide::, and the others only for what these miss
  --also PACKAGE[:TESTS]
                 for what all these miss, run the tests of this package of the workspace whose names contain
                 this, such as auto-sleep or scaling-decision:watch
  --jobs N       how many at a time (default 1)
  --score        only print what earlier runs have shown
";

/// A test that takes longer hangs: all of them together take a few seconds.
const TIMEOUT: &str = "60";
/// Fewer random cases of each property than usual: thousands of mutants pay for each.
const CASES: &str = "16";

/// `cargo xtask mutants`.
pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let asked = match Asked::parse(args)? {
        None => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(asked) => asked,
    };
    let repo = Repo::find()?;
    let survivors = Survivors::of(&repo)?;
    let output = repo.target().join("mutants");
    let kept = output.join("results.json");
    if !asked.go_on && !asked.score && output.exists() {
        std::fs::remove_dir_all(&output).with_context(|| format!("cannot remove {}", output.display()))?;
    }
    let mut results = Results::read(&kept)?;
    if !asked.score {
        interrupt::listen()?;
        cargo_tools::install(&repo, &[MUTANTS])?;
        // What a run has shown that was stopped; a change of the code moves mutants, and leaves others behind.
        results.add(&output.join("mutants.out"))?;
        results.retain(&all(&repo)?);
        results.write(&kept)?;
        let first = asked.first.iter().map(|tests| Tests::Named(tests));
        let also = asked.also.iter().map(|tests| match tests.split_once(':') {
            Some((package, name)) => Tests::Of(package, name),
            None => Tests::Of(tests, ""),
        });
        for tests in first.chain([Tests::All]).chain(also) {
            let hung: Vec<&String> = results.of(Outcome::Timeout).collect();
            let tried = try_them(&repo, &asked, &tests, &hung, &output);
            results.add(&output.join("mutants.out"))?;
            results.write(&kept)?;
            tried?;
        }
    }
    if results.is_empty() {
        bail!("no mutant was tried; see `cargo xtask mutants --help`");
    }
    print!("{}", results.table());
    let problems = survivors.problems(&results);
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "));
}

/// The names of all mutants that there are.
fn all(repo: &Repo) -> Result<BTreeSet<String>> {
    let mut list = MUTANTS.command(repo);
    list.args(["mutants", "--package", "dormouse-core", "--list"]);
    let text = parts::text("cargo mutants --list", list)?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

/// The tests that are to notice.
enum Tests<'a> {
    /// Those of core whose names contain this.
    Named(&'a str),
    /// All of core.
    All,
    /// Those of another package, over core, whose names contain this.
    Of(&'a str, &'a str),
}

/// Tries those that no run has noticed yet. cargo-mutants by itself tries those again that hung, a minute each.
fn try_them(repo: &Repo, asked: &Asked, tests: &Tests<'_>, hung: &[&String], output: &Path) -> Result<()> {
    std::fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
    let mut mutants = MUTANTS.command(repo);
    mutants
        .args([
            "mutants",
            "--package",
            "dormouse-core",
            "--no-shuffle",
            "--no-times",
        ])
        .args([
            "--iterate",
            "--timeout",
            TIMEOUT,
            "--jobs",
            &asked.jobs,
            "--output",
        ])
        .arg(output)
        .args(asked.files.iter().flat_map(|file| ["--file", file]))
        .args(
            hung.iter()
                .flat_map(|name| ["--exclude-re".to_owned(), literally(name)]),
        )
        .args(match tests {
            Tests::Named(name) => vec!["--", "--lib", "--", name],
            Tests::All => vec!["--", "--lib"],
            Tests::Of(package, name) => vec!["--test-package", package, "--", "--tests", "--", name],
        })
        .env("PROPTEST_CASES", CASES)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("CARGO_TARGET_DIR");
    let what = match tests {
        Tests::Named(name) => format!("try mutants with the tests `{name}`"),
        Tests::All => "try mutants with all tests of core".to_owned(),
        Tests::Of(package, "") => format!("try mutants with the tests of {package}"),
        Tests::Of(package, name) => format!("try mutants with the tests `{name}` of {package}"),
    };
    step(&what, || {
        let status = parts::status("cargo mutants", mutants, None)?;
        // 2: some survive. 3: some make a test hang, which it notices.
        match status.code() {
            Some(0 | 2 | 3) => Ok(()),
            _ => bail!("cargo mutants failed ({status})"),
        }
    })
}

/// A regular expression for exactly this text.
fn literally(text: &str) -> String {
    let escaped = text
        .chars()
        .map(|char| match char.is_ascii_alphanumeric() || char == ' ' {
            true => char.to_string(),
            false => format!(r"\x{{{:x}}}", u32::from(char)),
        });
    format!("^{}$", escaped.collect::<String>())
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Asked {
    go_on: bool,
    score: bool,
    jobs: String,
    first: Option<String>,
    also: Vec<String>,
    files: Vec<String>,
}

impl Asked {
    /// `None`: the help.
    fn parse(args: Vec<OsString>) -> Result<Option<Self>> {
        use lexopt::prelude::{Long, Short, ValueExt as _};
        let mut asked = Self {
            go_on: false,
            score: false,
            jobs: "1".to_owned(),
            first: None,
            also: Vec::new(),
            files: Vec::new(),
        };
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("go-on") => asked.go_on = true,
                Long("score") => asked.score = true,
                Long("jobs") => {
                    let jobs: u8 = parser.value()?.parse().context("--jobs")?;
                    if jobs == 0 {
                        bail!("--jobs 0: it must be at least 1");
                    }
                    asked.jobs = jobs.to_string();
                }
                Long("first") => asked.first = Some(parser.value()?.string()?),
                Long("also") => asked.also.push(parser.value()?.string()?),
                Long("file") => asked.files.push(parser.value()?.string()?),
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(Some(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, literally};

    #[test]
    fn one_that_hung_is_left_out_by_its_name() {
        assert_eq!(
            literally("a.rs:1:2: a<'_> -> b"),
            r"^a\x{2e}rs\x{3a}1\x{3a}2\x{3a} a\x{3c}\x{27}\x{5f}\x{3e} \x{2d}\x{3e} b$"
        );
    }

    fn parse(line: &str) -> Result<Option<Asked>, String> {
        Asked::parse(line.split_whitespace().map(Into::into).collect()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_command_line_is_understood() {
        let asked = parse("--go-on --file a --jobs 2 --file b --first decide:: --also wake")
            .unwrap()
            .unwrap();
        assert_eq!(
            asked,
            Asked {
                go_on: true,
                score: false,
                jobs: "2".to_owned(),
                first: Some("decide::".to_owned()),
                also: vec!["wake".to_owned()],
                files: vec!["a".to_owned(), "b".to_owned()]
            }
        );
        assert_eq!(parse("--help"), Ok(None));
        for wrong in ["--jobs 0", "--jobs x", "--jobs", "more"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
