//! What the functions may do, compared with what they did while the end-to-end tests ran.
//!
//! Nothing may be missing, which IAM itself shows on the local stack, and nothing may be there that was not used, unless
//! `privileges/list.json` says why. So a policy that grows with nothing that needs it fails.

pub(crate) mod compare;
pub(crate) mod everywhere;
pub(crate) mod list;
mod policies;
mod table;
pub(crate) mod trail;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::checkov;
use crate::repo::Repo;
use crate::tools::Tools;
use list::List;

const HELP: &str = "\
cargo xtask privileges [--trail FILE]

Compares what each function's policies allow with what it did while the end-to-end tests ran, and prints a table. A
whole `cargo xtask test` does the same at its end, and leaves what the functions did in target/local/test/trail.json.
What is allowed and was not used must be in crates/xtask/privileges/list.json with a reason, and so must be what is
allowed on every resource.

  --trail FILE   what they did (default target/local/test/trail.json); `cargo xtask local` writes one when it stops,
                 target/local/trail.json
";

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let repo = Repo::find()?;
    let trail = match parse(args)? {
        Asked::Help => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Asked::Compare { trail } => trail.unwrap_or_else(|| trail::file(&test_directory(&repo))),
    };
    let tools = Tools::install(&repo)?;
    check(&repo, &tools, &trail)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the stack of the tests keeps what it writes.
fn test_directory(repo: &Repo) -> PathBuf {
    repo.target().join("local/test")
}

/// Compares, and prints the table; an error names every problem.
pub(crate) fn check(repo: &Repo, tools: &Tools, trail: &Path) -> Result<()> {
    let uses = trail::read(trail)?;
    let list = List::of(repo)?;
    let directory = test_directory(repo).join("privileges");
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let file = directory.join("template.json");
    checkov::transform(repo, tools, &file, &directory.join("transform.log"))?;
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let template: Value = serde_json::from_str(&text).context("SAM's transform is not JSON")?;

    let functions = policies::functions(&template)?;
    let found = compare::compare(&functions, &uses, &list);
    println!("{}", table::of(&found.rows));
    let mut problems = everywhere::problems(&template, &list);
    problems.extend(found.problems);
    if !problems.is_empty() {
        bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "));
    }
    Ok(())
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Asked {
    Help,
    Compare { trail: Option<PathBuf> },
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    use lexopt::Arg;
    let mut parser = lexopt::Parser::from_args(args);
    let mut trail = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help),
            Arg::Long("trail") => trail = Some(parser.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Asked::Compare { trail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_is_that_of_the_tests_unless_given() {
        let parse = |words: &[&str]| parse(words.iter().map(OsString::from).collect());
        assert_eq!(parse(&[]).expect("reads"), Asked::Compare { trail: None });
        assert_eq!(
            parse(&["--trail", "t.json"]).expect("reads"),
            Asked::Compare {
                trail: Some("t.json".into())
            }
        );
        assert!(parse(&["--trial", "t.json"]).is_err());
    }
}
