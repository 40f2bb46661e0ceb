//! `cargo xtask bench`: comparisons and measurements.

mod fleet;
mod prices;
mod quiet;
mod random;
mod scaling;
mod sleeping;
pub(crate) mod start;
mod svg;
mod table;
mod trace;
mod warm;

use std::ffi::{OsStr, OsString};
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
cargo xtask bench start
cargo xtask bench warm

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

start: what operations cost on a local stack of its own: the calls to AWS of each, and which wait for each other, which
must be as docs/PERFORMANCE.md says; and the time from the start of a function's process to its answer, with those calls
played back at once, beside a program that has the Lambda runtime and nothing else. Fails if one takes longer than 2.5
times that and 2 ms for each round trip. Then how many reports of sessions are kept a second, and in how much memory.
Functions are linked as for the local stack; with CARGO_PROFILE_RELEASE_LTO=fat as for Lambda, which takes minutes for
each, and then it also fails if one is larger or takes more memory than it should.

warm: how long handlers take by themselves, with AWS answering at once from memory; fails if one takes longer than it
should.
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
    Start,
    Warm,
    Policy {
        traces: Option<PathBuf>,
        out: Option<PathBuf>,
    },
}

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    match parse(args)? {
        Asked::Help => print!("{HELP}"),
        Asked::Fleet => fleet::run(&Repo::find()?)?,
        Asked::Start => start::run(&Repo::find()?)?,
        Asked::Warm => warm::run(&Repo::find()?)?,
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
            Arg::Value(word) if chosen.is_none() && Bench::named(&word).is_some() => {
                chosen = Bench::named(&word)
            }
            Arg::Long("traces") if takes_options(chosen) => traces = Some(parser.value()?.parse()?),
            Arg::Long("out") if takes_options(chosen) => out = Some(parser.value()?.parse()?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help),
            other => return Err(other.unexpected()).context("see `cargo xtask bench --help`"),
        }
    }
    match chosen {
        Some(Bench::Policy) => Ok(Asked::Policy { traces, out }),
        None => {
            bail!("the benches are `policy`, `fleet`, `start` and `warm`; see `cargo xtask bench --help`")
        }
        Some(_) if traces.is_some() || out.is_some() => {
            bail!("only `policy` takes options; see `cargo xtask bench --help`")
        }
        Some(Bench::Fleet) => Ok(Asked::Fleet),
        Some(Bench::Start) => Ok(Asked::Start),
        Some(Bench::Warm) => Ok(Asked::Warm),
    }
}

fn takes_options(chosen: Option<Bench>) -> bool {
    chosen.is_none_or(|bench| bench == Bench::Policy)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bench {
    Policy,
    Fleet,
    Start,
    Warm,
}

impl Bench {
    fn named(word: &OsStr) -> Option<Self> {
        match word.to_str()? {
            "policy" => Some(Self::Policy),
            "fleet" => Some(Self::Fleet),
            "start" => Some(Self::Start),
            "warm" => Some(Self::Warm),
            _ => None,
        }
    }
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
        assert_eq!(parse_words(&["start"]), Ok(Asked::Start));
        assert_eq!(parse_words(&["warm"]), Ok(Asked::Warm));
        assert_eq!(parse_words(&["--help"]), Ok(Asked::Help));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (words, named) in [
            (vec![], "`policy`, `fleet`, `start` and `warm`"),
            (vec!["fleet", "policy"], "policy"),
            (vec!["fleet", "--out", "o"], "--out"),
            (vec!["--out", "o", "fleet"], "only `policy`"),
            (vec!["speed"], "speed"),
            (vec!["policy", "--x"], "--x"),
        ] {
            let error = parse_words(&words).expect_err("it is refused");
            assert!(error.contains(named), "{error}");
        }
    }
}
