//! `cargo xtask local`: the local stack with the template deployed, until stopped.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::progress::{say, step};
use crate::repo::Repo;
use crate::speed::{self, Asked};
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, faults, interrupt};

const HELP: &str = "\
cargo xtask local [--speed N] [--faults P [--seed N]]

Starts the local stack (MiniStack and fargate-sim) on free ports of 127.0.0.1, builds and deploys the
template with SAM, prints one JSON object, and stays until Ctrl-C or SIGTERM. The object holds
`outputs`, the stack's outputs by name, and `env`, the variables with which any AWS SDK or CLI reaches
the stack; it is also written to target/local/outputs.json. Logs are in target/local/logs.

The template watches a load balancer `front` (its 503s) and a log group `/ecs/front` (lines with `/api/`),
which are made for it. Services behind the one, or with the tag dormouse:log-group for the other, wake by them.

IAM is enforced: each function may do what its role's policies allow. When it stops, what they did is written to
target/local/trail.json (see `cargo xtask privileges --help`).

  --speed N   task stages, health checks and draining N times faster (default 1)
  --faults P  this share of the functions' AWS calls goes wrong, 0 to 1: throttling and failures in AWS's shapes, resets
              before and after the call had its effect, answers that are late or end in their middle. The addresses in
              `env` have none. How many there were is told in the end
  --seed N    which calls go wrong, and how (default 1): the n-th call of an operation with the same seed, always alike
";

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let (faults, args) = faults::take(args)?;
    let speed = match parse(args)? {
        Asked::Help => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Asked::Run { speed } => speed,
    };
    interrupt::listen()?;
    let repo = Repo::find()?;
    let tools = Tools::install(&repo)?;
    step("build the functions and fargate-sim", || builds::binaries(&repo))?;
    let mut stack = Stack::start(&repo, &tools, "", speed, faults)?;
    println!("{}", stack.description);
    say("the local stack is up; Ctrl-C stops it");
    let result = stack.stay();
    if let Ok(Some(counts)) = stack.faults() {
        say(&counts.to_string());
    }
    // If a part has ended, that is what there is to tell.
    let kept = result.is_ok().then(|| stack.keep_trail());
    stack.stop();
    kept.transpose()?;
    result.map(|()| ExitCode::SUCCESS)
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    speed::parse(args, "local", 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Asked, String> {
        parse(words.iter().map(OsString::from).collect()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_speed_is_one_unless_given() {
        assert_eq!(parse_words(&[]), Ok(Asked::Run { speed: 1.0 }));
        assert_eq!(parse_words(&["--speed", "5"]), Ok(Asked::Run { speed: 5.0 }));
        assert_eq!(parse_words(&["--speed=0.5"]), Ok(Asked::Run { speed: 0.5 }));
    }

    #[test]
    fn a_bad_speed_is_refused_with_its_value_and_the_rule() {
        for bad in ["0", "-1", "fast", "NaN", "inf"] {
            let error = parse_words(&["--speed", bad]).expect_err("it is refused");
            assert!(error.contains(bad) && error.contains("above 0"), "{error}");
        }
    }

    #[test]
    fn unknown_options_are_refused_by_name() {
        let error = parse_words(&["--sped", "5"]).expect_err("it is refused");
        assert!(error.contains("--sped"), "{error}");
        assert_eq!(parse_words(&["--help"]), Ok(Asked::Help));
    }
}
