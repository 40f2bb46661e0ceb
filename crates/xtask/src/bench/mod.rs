//! `cargo xtask bench`: comparisons and measurements.

mod fleet;
mod instructions;
mod pictures;
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
cargo xtask bench [policy|fleet|warm|instructions|start|cost|scale] [--traces DIR] [--out DIR]

Comparisons and measurements: one of these, or all of them, a quarter of an hour at most once all is built. The figures of
docs/PERFORMANCE.md are from these.

  --traces DIR   policy also replays the real trace nasa-ksc-1995-07.csv of this directory
  --out DIR      where to write pictures, and the tables of policy (default target/bench)

policy: replays loads and visits through Dormouse's own decisions and through models of other policies, and says which
costs what: for scaling AWS target tracking, KEDA and Knative's autoscaler, for sleeping office hours, timers,
log windows and cooldowns. A simulation: no network, the same numbers each time, seconds long. Prints tables
in Markdown; they are also written to policy.md, with pictures beside it.

fleet: watches the connections of 300 services every 3 s, with the real function over the simulator under a virtual
clock. Prints the calls to AWS by minute, what they and the function's time cost a month at list prices
(crates/xtask/src/bench/prices.json), and how long a spike takes to reach UpdateService; fails if any is beyond its
bound. It is the test `fleet` of crates/lambda, built for release: minutes the first time, then seconds.

warm: how long handlers take by themselves, with AWS answering at once from memory; fails if one takes longer than it
should.

instructions: how many instructions decisions, tags, reports of sessions and the page take, under callgrind; fails if one
takes a twentieth more than crates/bench/benches/instructions.rs keeps. Wants valgrind, from your system's packages.

start: what operations cost on a local stack of its own: the calls to AWS of each, and which wait for each other, which
must be as docs/PERFORMANCE.md says; and the time from the start of a function's process to its answer, with those calls
played back at once, beside a program that has the Lambda runtime and nothing else. Fails if one takes longer than 2.5
times that and 2 ms for each round trip. Then how many reports of sessions are kept a second, and in how much memory.
Functions are linked as for the local stack; with CARGO_PROFILE_RELEASE_LTO=fat as for Lambda, which takes minutes for
each, and then it also fails if one is larger or takes more memory than it should. Draws starts.svg.

cost: what Dormouse costs a month at list prices, for one idle service and for ten that are used eight hours a day, by
the calls and the time of the real functions on a local stack of its own; and what Fargate would cost meanwhile. Fails if
it is more than it should be.

scale: the calls, time and memory of a tick over 100, 1,000 and 10,000 groups, on a local stack of its own; fails if they
grow faster than the groups, or do not fit 128 MB. Draws growth.svg.
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

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bench {
    Policy,
    Fleet,
    Warm,
    Instructions,
    Start,
    Cost,
    Scale,
}

impl Bench {
    const ALL: [(&str, Self); 7] = [
        ("policy", Self::Policy),
        ("fleet", Self::Fleet),
        ("warm", Self::Warm),
        ("instructions", Self::Instructions),
        ("start", Self::Start),
        ("cost", Self::Cost),
        ("scale", Self::Scale),
    ];

    fn named(word: &OsStr) -> Option<Self> {
        let (_, bench) = Self::ALL.into_iter().find(|(name, _)| word == *name)?;
        Some(bench)
    }

    fn run(self, repo: &Repo, asked: &Asked) -> Result<()> {
        let out = asked.out.clone().unwrap_or_else(|| repo.target().join("bench"));
        match self {
            Self::Policy => {
                let trace = asked.traces.as_deref().map(Trace::read).transpose()?;
                policy(trace.as_ref(), &out)
            }
            Self::Fleet => fleet::run(repo),
            Self::Warm => warm::run(repo),
            Self::Instructions => instructions::run(repo),
            Self::Start => start::run(repo, &out),
            Self::Cost => start::cost(repo, &out),
            Self::Scale => start::scale(repo, &out),
        }
    }
}

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    help: bool,
    /// None: all.
    bench: Option<Bench>,
    traces: Option<PathBuf>,
    out: Option<PathBuf>,
}

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let asked = parse(args)?;
    if asked.help {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let repo = Repo::find()?;
    for (_, bench) in Bench::ALL {
        if asked.bench.is_none_or(|one| one == bench) {
            bench.run(&repo, &asked)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    let mut parser = Parser::from_args(args);
    let mut asked = Asked::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(word) if asked.bench.is_none() && Bench::named(&word).is_some() => {
                asked.bench = Bench::named(&word);
            }
            Arg::Long("traces") => asked.traces = Some(parser.value()?.parse()?),
            Arg::Long("out") => asked.out = Some(parser.value()?.parse()?),
            Arg::Long("help") | Arg::Short('h') => asked.help = true,
            other => return Err(other.unexpected()).context("see `cargo xtask bench --help`"),
        }
    }
    if let Some(bench) = asked.bench {
        let draws = matches!(bench, Bench::Policy | Bench::Start | Bench::Scale);
        if asked.traces.is_some() && bench != Bench::Policy {
            bail!("--traces is for `policy`; see `cargo xtask bench --help`");
        }
        if asked.out.is_some() && !draws {
            bail!(
                "--out is for those that draw: `policy`, `start` and `scale`; see `cargo xtask bench --help`"
            );
        }
    }
    Ok(asked)
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
    fn a_bench_is_named_or_all_are_meant() {
        assert_eq!(parse_words(&[]), Ok(Asked::default()));
        for (name, bench) in Bench::ALL {
            let asked = parse_words(&[name]).expect("it is understood");
            assert_eq!(asked.bench, Some(bench));
            assert!(HELP.contains(&format!("\n{name}: ")), "{name}");
        }
        let asked = parse_words(&["--traces", "t", "policy", "--out=o"]).expect("it is understood");
        assert_eq!((asked.traces, asked.out), (Some("t".into()), Some("o".into())));
        assert!(parse_words(&["--help"]).is_ok_and(|asked| asked.help));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (words, named) in [
            (vec!["fleet", "policy"], "policy"),
            (vec!["fleet", "--out", "o"], "--out"),
            (vec!["--traces", "t", "start"], "--traces"),
            (vec!["speed"], "speed"),
            (vec!["policy", "--x"], "--x"),
        ] {
            let error = parse_words(&words).expect_err("it is refused");
            assert!(error.contains(named), "{error}");
        }
    }
}
