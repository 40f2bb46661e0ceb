//! The command line.

use std::ffi::OsString;

use fault_proxy::{Config, Dice, Upstream};
use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Usage: fault-proxy --upstream PORT=HOST:PORT [--upstream …] --rate P [--seed N] [--control PORT]

Listens on ports of 127.0.0.1 and hands calls of AWS's APIs on to the endpoints behind them, as they came. A share of them
goes wrong, each in one of these ways: throttled, failed (500) or unavailable (503) in the shape of the service's protocol,
a page of HTML with 503 and no code, a reset before the call is handed on, a reset after it, an answer that is 0.5 to 5 s
late, an answer that ends in its middle. GET /_faults/counts on the control port tells how many so far, and so does the last
line when SIGTERM or SIGINT ends it.

  --upstream PORT=HOST:PORT  an endpoint, and the port at which its clients come
  --rate P                   share of the calls that go wrong, 0 to 1
  --seed N                   the n-th call of an operation goes wrong in the same way with the same seed (default 0)
  --control PORT             port of the counts (default: any that is free)
";

/// The proxy that is asked for; `None` for the help text.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Option<Config>, String> {
    read(Parser::from_args(args)).map_err(|error| format!("{error}; see `fault-proxy --help`"))
}

fn read(mut parser: Parser) -> Result<Option<Config>, lexopt::Error> {
    let (mut upstreams, mut control, mut rate, mut seed) = (Vec::new(), 0, None, 0);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("upstream") => upstreams.push(parser.value()?.parse_with(upstream)?),
            Arg::Long("rate") => rate = Some(parser.value()?.parse_with(share)?),
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("control") => control = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if upstreams.is_empty() {
        return Err("--upstream is missing".into());
    }
    let rate = rate.ok_or("--rate is missing")?;
    Ok(Some(Config {
        upstreams,
        control,
        dice: Dice::new(rate, seed),
    }))
}

fn upstream(text: &str) -> Result<Upstream, String> {
    let parts = text.split_once('=').and_then(|(port, address)| {
        let port = port.parse().ok()?;
        (!address.contains('/') && address.contains(':')).then(|| Upstream {
            port,
            address: address.to_owned(),
        })
    });
    parts.ok_or_else(|| "it must be PORT=HOST:PORT".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| "it must be a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Result<Option<Config>, String> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn endpoints_and_a_rate_are_asked_for() {
        let asked = words(&[
            "--upstream",
            "4001=127.0.0.1:4566",
            "--rate",
            "0.05",
            "--seed",
            "7",
        ]);
        let config = asked.expect("it is right").expect("it is no help");
        let upstream = Upstream {
            port: 4001,
            address: "127.0.0.1:4566".to_owned(),
        };
        assert_eq!(config.upstreams, [upstream]);
        assert!(words(&["--help"]).expect("it is right").is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (given, named) in [
            (&["--rate", "0.5"][..], "--upstream"),
            (&["--upstream", "1=127.0.0.1:2"], "--rate"),
            (
                &["--upstream", "4001=http://127.0.0.1:4566", "--rate", "0"],
                "HOST:PORT",
            ),
            (&["--upstream", "1=127.0.0.1:2", "--rate", "5"], "0 to 1"),
            (&["--rat", "5"], "--rat"),
        ] {
            let error = words(given).expect_err("it is refused");
            assert!(error.contains(named), "{error}");
        }
    }
}
