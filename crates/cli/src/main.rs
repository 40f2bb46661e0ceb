//! `dormouse`, the command line: lists groups, wakes them and puts them to sleep, says why, and checks an account.

// The futures of the AWS SDK nest deeper than the compiler looks by default.
#![recursion_limit = "256"]

mod args;
mod aws;
mod commands;
mod exit;
mod failure;
mod identity;
mod moment;
mod ports;
mod report;
mod view;

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;

use aws_config::SdkConfig;
use clap::{CommandFactory, Parser};
use jiff::tz::TimeZone;

use crate::args::{Args, Ask, Command, Place};
use crate::commands::wake::Wake;
use crate::commands::why::Why;
use crate::commands::{Desk, check, link, ls, release, rest, wake, why};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let report = match &args.command {
        Command::Ask(question) => ask(question, &args.place).await,
        Command::Check => check(&args.place).await,
        Command::Link {
            group,
            end,
            path,
            url,
        } => link::run(
            &link::Link {
                group,
                end,
                path,
                url,
            },
            environment().get(link::KEY).map(String::as_str),
            aws::now(),
            &TimeZone::system(),
        ),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "dormouse", &mut script);
            return print(&String::from_utf8_lossy(&script), Exit::Done);
        }
    };
    match report {
        Ok(report) => {
            if let Some(complaint) = &report.complaint {
                eprintln!("dormouse: {complaint}");
            }
            let text = if args.json {
                report.json.to_string()
            } else {
                report.text
            };
            print(&format!("{text}\n"), report.exit)
        }
        Err(failure) => {
            eprintln!("dormouse: {failure}");
            let text = if args.json {
                format!("{}\n", failure.json())
            } else {
                String::new()
            };
            print(&text, failure.exit())
        }
    }
}

async fn check(place: &Place) -> Result<Report, Failure> {
    let sdk = aws::configuration(place).await?;
    let region = sdk.region().map(ToString::to_string).unwrap_or_default();
    check::run(&aws::Live::new(sdk, &environment(), place.function())?, &region).await
}

async fn ask(question: &Ask, place: &Place) -> Result<Report, Failure> {
    let sdk = aws::configuration(place).await?;
    let by = if question.is_order() {
        Some(who(&sdk).await)
    } else {
        None
    };
    let desk = Desk {
        world: &aws::WakeFunction::new(&sdk, place.function()),
        by: by.as_deref(),
        zone: TimeZone::system(),
    };
    match question {
        Ask::Ls => ls::run(&desk).await,
        Ask::Wake { group, count, wait } => {
            let wake = Wake {
                group,
                count: *count,
                wait: *wait,
            };
            wake::run(&desk, wake, |step| eprintln!("{step}")).await
        }
        Ask::Sleep { group, end } => rest::sleep(&desk, group, end).await,
        Ask::KeepAwake { group, end } => rest::keep_awake(&desk, group, end).await,
        Ask::Release { groups, .. } => release::run(&desk, groups, |step| eprintln!("{step}")).await,
        Ask::Why {
            group,
            limit,
            before,
            all,
        } => {
            let why = Why {
                group,
                limit: *limit,
                before: before.as_deref(),
                all: *all,
            };
            why::run(&desk, why).await
        }
    }
}

/// The caller's ARN, else a name that this machine gives.
async fn who(sdk: &SdkConfig) -> String {
    match aws::caller(sdk).await {
        Ok(caller) => caller.arn,
        Err(_) => identity::local(&environment()),
    }
}

fn environment() -> HashMap<String, String> {
    std::env::vars().collect()
}

/// Writes to standard output. Whoever reads it may stop before its end (`dormouse ls | head`): that is no failure.
fn print(text: &str, exit: Exit) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("dormouse: cannot write the answer: {error}");
            Exit::Failed.into()
        }
        _ => exit.into(),
    }
}
