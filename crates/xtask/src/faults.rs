//! Faults of AWS on the local stack: how many and which, and the proxy that makes them.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http;
use crate::repo::Repo;

/// Which calls of the functions go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Faults {
    /// The share of the calls, 0 to 1.
    pub(crate) rate: f64,
    /// What else they follow from.
    pub(crate) seed: u64,
}

/// Takes `--faults P` and `--seed N` out of a command line, up to `--`.
pub(crate) fn take(args: Vec<OsString>) -> Result<(Option<Faults>, Vec<OsString>)> {
    let (mut rate, mut seed, mut rest) = (None, None, Vec::new());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text.as_str(), None),
        };
        let mut value = || {
            let value = value.clone().or_else(|| args.next());
            value.with_context(|| format!("{name} lacks its value"))
        };
        match name {
            "--faults" => rate = Some(share(&value()?)?),
            "--seed" => seed = Some(number(&value()?)?),
            "--" => {
                rest.push(arg);
                rest.extend(args);
                break;
            }
            _ => rest.push(arg),
        }
    }
    match (rate, seed) {
        (None, Some(_)) => bail!("--seed says which calls fail; how many, --faults P says"),
        (rate, seed) => {
            let seed = seed.unwrap_or(1);
            Ok((rate.map(|rate| Faults { rate, seed }), rest))
        }
    }
}

fn share(text: &OsStr) -> Result<f64> {
    match text.to_string_lossy().parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => bail!("--faults {}: must be a number from 0 to 1", text.display()),
    }
}

fn number(text: &OsStr) -> Result<u64> {
    let seed = text.to_string_lossy().parse().ok();
    seed.with_context(|| format!("--seed {}: must be a whole number", text.display()))
}

/// Ports of the proxy: before MiniStack, before fargate-sim, and of its counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) stack: u16,
    pub(crate) sim: u16,
    pub(crate) control: u16,
}

impl Ports {
    /// The proxy before MiniStack and fargate-sim, which listen on these ports.
    pub(crate) fn proxy(self, repo: &Repo, faults: Faults, ministack: u16, sim: u16) -> Command {
        let mut command = Command::new(repo.binaries().join("fault-proxy"));
        command
            .args(["--upstream", &format!("{}=127.0.0.1:{ministack}", self.stack)])
            .args(["--upstream", &format!("{}=127.0.0.1:{sim}", self.sim)])
            .args(["--control", &self.control.to_string()])
            .args(["--rate", &faults.rate.to_string()])
            .args(["--seed", &faults.seed.to_string()]);
        command
    }

    /// Where the proxy tells what it did.
    pub(crate) fn counts_url(self) -> String {
        format!("http://127.0.0.1:{}/_faults/counts", self.control)
    }

    /// What the proxy did so far.
    pub(crate) fn counts(self) -> Result<Counts> {
        Ok(Counts(http::get(&self.counts_url(), &[])?.json()?))
    }
}

/// What a proxy did.
pub(crate) struct Counts(Value);

impl Counts {
    /// How many calls went wrong.
    pub(crate) fn faults(&self) -> u64 {
        self.kinds().map(|(_, count)| count).sum()
    }

    fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        let kinds = self.0["faults"].as_object().into_iter().flatten();
        kinds.map(|(kind, count)| (kind.as_str(), count.as_u64().unwrap_or_default()))
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<_> = self
            .kinds()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let (calls, faults) = (&self.0["calls"], self.faults());
        write!(f, "{calls} calls, {faults} faults: {}", kinds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take_words(words: &[&str]) -> Result<(Option<Faults>, Vec<OsString>), String> {
        take(words.iter().map(OsString::from).collect()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn faults_are_taken_out_and_all_else_is_left() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let faults = |rate, seed| Some(Faults { rate, seed });
        assert_eq!(
            take_words(&["--speed", "5"]),
            Ok((None, words(&["--speed", "5"])))
        );
        let asked = take_words(&["--faults", "0.05", "--speed", "5", "--seed=7"]);
        assert_eq!(asked, Ok((faults(0.05, 7), words(&["--speed", "5"]))));
        let asked = take_words(&["--faults=1", "--", "--seed", "x"]);
        assert_eq!(asked, Ok((faults(1.0, 1), words(&["--", "--seed", "x"]))));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_rule() {
        for (given, rule) in [
            (&["--faults", "5"][..], "0 to 1"),
            (&["--faults"], "--faults lacks its value"),
            (&["--faults", "0.1", "--seed", "-1"], "whole number"),
            (&["--seed", "1"], "--faults P"),
        ] {
            let error = take_words(given).expect_err("it is refused");
            assert!(error.contains(rule), "{error}");
        }
    }

    #[test]
    fn counts_are_told_in_a_line() {
        let counts = Counts(json!({"calls": 100, "faults": {"page": 2, "slow": 3}}));
        assert_eq!(counts.to_string(), "100 calls, 5 faults: page 2, slow 3");
    }
}
