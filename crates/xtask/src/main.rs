//! `cargo xtask`: everything a person or a CI job does with this repository, as one command each.
//!
//! One file per verb (`demo`, `local`, `test`; a folder for `bench`); the other modules are what the verbs share. Results
//! go to stdout, progress and logs to stderr.

mod asl;
mod aws;
mod bench;
mod browser;
mod builds;
mod cargo_tools;
mod checkov;
mod checks;
mod demo;
mod deploy;
mod faults;
mod faulty;
mod features;
mod front;
mod fuzz;
mod guarded;
mod http;
mod interrupt;
mod journey;
mod listed;
mod local;
mod model_check;
mod mutants;
mod parts;
mod privileges;
mod progress;
mod repo;
mod sbom;
mod sim;
mod speed;
mod stack;
mod supply;
mod test;
mod timeline;
mod tools;
mod vpc;

use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command> [options]

  demo        do all set-up, then put a service to sleep and wake it on this machine, with a timeline
  test        do all set-up, then run every check and every test
  local       start the local stack with the template deployed, and keep it until stopped
  sim         run all functions together with everything going wrong, once for each seed
  model-check explore small worlds to the end, and say which invariants hold
  mutants     change the decisions in one place at a time, and say which changes no test notices
  privileges  compare what the functions may do with what they did in the tests
  bench       measure functions, what they cost and how they grow; compare decisions with other policies
  sbom        write a bill of materials for each function
  advisories  look for crates with known vulnerabilities
  help        show this text

`cargo xtask <command> --help` shows a command's options. What is needed: Rust and Python 3;
for `test` npm too, and Chromium with its driver, which it installs on Debian where they are missing.
";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let verb = args.next();
    let rest: Vec<OsString> = args.collect();
    match run(verb, rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Option<OsString>, rest: Vec<OsString>) -> anyhow::Result<ExitCode> {
    match verb.as_ref().and_then(|verb| verb.to_str()) {
        Some("demo") => demo::run(rest),
        Some("test") => test::run(rest),
        Some("local") => local::run(rest),
        Some("sim") => sim::run(rest),
        Some("model-check") => model_check::run(rest),
        Some("mutants") => mutants::run(rest),
        Some("privileges") => privileges::run(rest),
        Some("bench") => bench::run(rest),
        Some("sbom") => sbom::run(rest),
        Some("advisories") => supply::advisories(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        None => {
            eprint!("{HELP}");
            Ok(ExitCode::from(2))
        }
        Some(other) => {
            anyhow::bail!("there is no command `{other}`; `cargo xtask help` lists them")
        }
    }
}
