//! `cargo xtask bench`: comparisons and measurements that need neither AWS nor the local stack.

mod fleet;
mod prices;
mod random;
mod scaling;
mod sleeping;
mod svg;
mod table;
mod trace;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::progress::{say, step};
use crate::repo::Repo;
use trace::Trace;

const HELP: &str = "\
cargo xtask bench policy [--traces DIR] [--out DIR]
cargo xtask bench fleet

policy: replays loads and visits through Dormouse's own decisions and through models of other policies, and says which
costs what: for scaling AWS target tracking, KEDA and Knative's autoscaler, for sleeping office hours, timers,
log windows and cooldowns. A simulation: no network, the same numbers each time, seconds long. Prints tables
in Markdown; they are also written to policy.md, with pictures beside it.

  --traces DIR   also replay the real trace nasa-ksc-1995-07.csv of this directory
  --out DIR      where to write the tables and pictures (default target/bench)

fleet: watches the connections of 300 services every 3 s, with the real function over the simulator under a virtual
clock. Prints the calls to AWS by minute, what they and the function's time cost a month at list prices
(crates/xtask/src/bench/prices.json), and how long a spike takes to reach UpdateService; fails if any is beyond its
bound. It is the test `fleet` of crates/lambda, built for release: minutes the first time, then seconds.
";

/// The title of the tables.
const TITLE: &str = "# Policies compared\n\nMade by `cargo xtask bench policy`. It is a simulation; the doc comments \
     of each model in crates/xtask/src/bench name the sources of its numbers. The best value of each row is bold, unless \
     all are equal.\n";

/// What one half of the bench found: a text in Markdown, and pictures by the names of their files.
struct Output {
    text: String,
    files: Vec<(String, String)>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Asked {
    Help,
    Fleet,
    Policy {
        traces: Option<PathBuf>,
        out: Option<PathBuf>,
    },
}

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    match parse(args)? {
        Asked::Help => print!("{HELP}"),
        Asked::Fleet => fleet::run(&Repo::find()?)?,
        Asked::Policy { traces, out } => {
            let trace = traces.as_deref().map(Trace::read).transpose()?;
            let out = match out {
                Some(out) => out,
                None => Repo::find()?.target().join("bench"),
            };
            policy(trace.as_ref(), &out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    let mut parser = Parser::from_args(args);
    let (mut chosen, mut traces, mut out) = (None, None, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(word) if word == "policy" && chosen.is_none() => chosen = Some(Bench::Policy),
            Arg::Value(word) if word == "fleet" && chosen.is_none() => chosen = Some(Bench::Fleet),
            Arg::Long("traces") if chosen != Some(Bench::Fleet) => traces = Some(parser.value()?.parse()?),
            Arg::Long("out") if chosen != Some(Bench::Fleet) => out = Some(parser.value()?.parse()?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help),
            other => return Err(other.unexpected()).context("see `cargo xtask bench --help`"),
        }
    }
    match chosen {
        Some(Bench::Policy) => Ok(Asked::Policy { traces, out }),
        Some(Bench::Fleet) if traces.is_none() && out.is_none() => Ok(Asked::Fleet),
        Some(Bench::Fleet) => bail!("`fleet` takes no options; see `cargo xtask bench --help`"),
        None => bail!("there are two benches, `policy` and `fleet`; see `cargo xtask bench --help`"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bench {
    Policy,
    Fleet,
}

/// Runs both halves, prints their tables and writes them beside their pictures.
fn policy(trace: Option<&Trace>, out: &Path) -> Result<()> {
    let scaling = step("scaling policies", || Ok(scaling::run(trace)))?;
    let sleeping = step("sleeping policies", || Ok(sleeping::run(trace)))?;
    let text = format!(
        "{TITLE}\n## Scaling\n\n{}\n## Sleeping\n\n{}",
        scaling.text, sleeping.text
    );
    print!("{text}");
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut page = format!("{text}\n## Pictures\n\n");
    for (name, picture) in scaling.files.iter().chain(&sleeping.files) {
        write(&out.join(name), picture)?;
        page.push_str(&format!("![{}]({name})\n\n", name.trim_end_matches(".svg")));
    }
    write(&out.join("policy.md"), &page)?;
    say(&format!("the tables and pictures are in {}", out.display()));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Asked, String> {
        parse(words.iter().map(OsString::from).collect()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_bench_is_named_and_its_directories_are_optional() {
        assert_eq!(
            parse_words(&["policy"]),
            Ok(Asked::Policy {
                traces: None,
                out: None
            })
        );
        let (traces, out) = (Some("t".into()), Some("o".into()));
        assert_eq!(
            parse_words(&["policy", "--traces", "t", "--out=o"]),
            Ok(Asked::Policy { traces, out })
        );
        assert_eq!(parse_words(&["fleet"]), Ok(Asked::Fleet));
        assert_eq!(parse_words(&["--help"]), Ok(Asked::Help));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (words, named) in [
            (vec![], "`policy` and `fleet`"),
            (vec!["fleet", "policy"], "policy"),
            (vec!["fleet", "--out", "o"], "--out"),
            (vec!["--out", "o", "fleet"], "no options"),
            (vec!["speed"], "speed"),
            (vec!["policy", "--x"], "--x"),
        ] {
            let error = parse_words(&words).expect_err("it is refused");
            assert!(error.contains(named), "{error}");
        }
    }
}
