//! `cargo xtask demo`: one service sleeps and wakes on this machine.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::journey::Journey;
use crate::progress::{seconds, step};
use crate::repo::Repo;
use crate::speed::{self, Asked};
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, interrupt};

const HELP: &str = "\
cargo xtask demo [--speed N]

Does all set-up, starts the local stack, deploys the template, creates a service with no tasks, wakes it
through the HTTP API as a browser would, follows the redirect into the app, lets it idle, watches it fall
asleep again, and prints a timeline. With a terminal it then stays up and shows the address to open.

  --speed N   task stages, health checks and draining N times faster (default 5; 1 is as slow as Fargate)
";

const SPEED: f64 = 5.0;

pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    let speed = match parse(args)? {
        Asked::Help => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Asked::Run { speed } => speed,
    };
    interrupt::listen()?;
    let begun = Instant::now();
    let repo = Repo::find()?;
    let tools = Tools::install(&repo)?;
    step("build the functions and fargate-sim", || builds::binaries(&repo))?;
    let mut stack = Stack::start(&repo, &tools, "demo", speed, None)?;

    let mut journey = Journey::new(stack.output("WakeUrl")?, &stack.sim, speed);
    let result = journey.run();
    if result.is_err() {
        // What is known so far says at which stage it stopped, and a dead part why.
        eprint!("{}", journey.timeline.table());
        stack.check()?;
    }
    result?;
    print!("\n{}\n", journey.timeline.table());
    println!("demo: ok in {}", seconds(begun.elapsed()));

    if std::io::stdout().is_terminal() {
        println!(
            "\nOpen {} in a browser and watch it wake. Ctrl-C ends the demo.",
            journey.address()
        );
        stack.stay()?;
    }
    stack.stop();
    Ok(ExitCode::SUCCESS)
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    speed::parse(args, "demo", SPEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_faster_than_fargate_unless_told_otherwise() {
        assert_eq!(parse(Vec::new()).ok(), Some(Asked::Run { speed: 5.0 }));
        assert_eq!(
            parse(vec!["--speed".into(), "1".into()]).ok(),
            Some(Asked::Run { speed: 1.0 })
        );
        assert_eq!(parse(vec!["-h".into()]).ok(), Some(Asked::Help));
        assert!(parse(vec!["now".into()]).is_err());
    }
}
