//! How long handlers take by themselves: warm, with AWS answering at once from memory. Prints a table, and fails if one takes
//! longer than it should.

mod events;
mod measure;

use std::process::ExitCode;
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_testkit::{START, World, config, event, reports as reports_of};
use measure::{Row, run};
use serde_json::Value;

/// A status, or a tick of ten groups at rest.
const SMALL: Duration = Duration::from_micros(200);
/// A payload of a subscription of 1 MB.
const PAYLOAD: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let config = config(&[]);
    let rows = [
        status(&config).await,
        ticks(&config).await,
        lines(&config).await,
        reports(&config).await,
    ];
    println!("| warm | median | 90 % within | at most | allowed |");
    println!("|---|---:|---:|---:|---:|");
    for row in &rows {
        println!("{row}");
    }
    let slow = rows.iter().any(Row::is_too_slow);
    if slow {
        eprintln!("warm: a handler takes longer than it should");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The status of a sleeping group that nobody has looked at within a second.
async fn status(config: &Config) -> Row {
    let world = asleep(1);
    tick(&world, config).await;
    let event = event("http-api-status.json");
    run("status of a sleeping group", Some(SMALL), async || {
        world.forget_looks();
        answered(wake::handle(&world, config, event.clone(), "request").await);
    })
    .await
}

/// Ten groups that are at rest.
async fn ticks(config: &Config) -> Row {
    let world = asleep(10);
    tick(&world, config).await;
    run("tick of 10 groups at rest", Some(SMALL), async || {
        tick(&world, config).await;
    })
    .await
}

/// A payload as large as they get, nearly all of whose lines match.
async fn lines(config: &Config) -> Row {
    let tags = [
        ("dormouse:group", "dev"),
        ("dormouse:log-group", "/ecs/web"),
        ("dormouse:log-pattern", "/api/v1/"),
    ];
    let world = World::with(&["dev/web"], &tags, 0);
    tick(&world, config).await;
    let event = events::lines(1_000_000);
    run("1 MB of compressed log lines", Some(PAYLOAD), async || {
        answered(log_pattern_trigger::handle(&world, config, event.clone(), "request").await);
    })
    .await
}

/// A full batch of the sessions queue.
async fn reports(config: &Config) -> Row {
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    let mut sequence = 0;
    run("1,000 reports of sessions of 20 tasks", None, async || {
        sequence += 1;
        let event = reports_of("dev", 0..1_000, 20, START * 1000, sequence);
        answered(session_metric_ingest::handle(&world, config, event, "request").await);
    })
    .await
}

/// Groups of one service each, which no tick has seen yet.
fn asleep(groups: usize) -> World {
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    for number in 1..groups {
        let (id, group) = (format!("dev/web{number}"), format!("dev{number}"));
        world.add(&id, &[("dormouse:group", &group)], 0);
    }
    world
}

async fn tick(world: &World, config: &Config) {
    let event = event("eventbridge-scheduled.json");
    answered(auto_sleep::handle(world, config, event, "request").await);
}

/// A measurement of what fails means nothing.
fn answered(answer: Result<Value, dormouse_core::error::Error>) {
    if let Err(error) = answer {
        panic!("{error}");
    }
}
