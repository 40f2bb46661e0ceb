//! The command line of the verbs that start a stack to look at: `--speed N` and `--help`.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Help,
    Run { speed: f64 },
}

/// Reads the arguments of a verb whose speed is `default` unless told otherwise.
pub(crate) fn parse(args: Vec<OsString>, verb: &str, default: f64) -> Result<Asked> {
    let mut parser = Parser::from_args(args);
    let mut speed = default;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("speed") => speed = factor(parser.value()?.parse::<String>()?.as_str())?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help),
            other => {
                return Err(other.unexpected()).with_context(|| format!("see `cargo xtask {verb} --help`"));
            }
        }
    }
    Ok(Asked::Run { speed })
}

/// A factor above 0 and not above 1,000.
fn factor(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= 1000.0 => Ok(speed),
        _ => bail!("--speed {text}: must be a number above 0, at most 1000"),
    }
}
