//! How long a function takes from its start to its first answer, with AWS played back at once, beside a program that has
//! the Lambda runtime and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use end_to_end::Stack;
use serde_json::{Value, json};
use wiretap::{Function, Program, Tape};

use crate::operations::{self, Operation};

/// Starts of each; the bare runtime takes turns with the functions, so that what else the machine does falls on both.
const STARTS: usize = 25;
/// A function's start may take so many times what the bare runtime's takes ...
const TIMES: f64 = 2.5;
/// ... and this much more for each round trip.
const PER_TRIP: Duration = Duration::from_millis(2);
/// The most memory, of functions as they are deployed.
const PEAK_KIB: u64 = 16 * 1024;

/// What was measured of a start.
struct Start {
    took: Duration,
    peak_kib: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: `cargo xtask bench start` runs it"]
async fn functions_start_nearly_as_fast_as_the_bare_runtime() {
    let stack = Stack::connect();
    println!("| operation | start | bare runtime | allowed | round trips | peak memory |");
    println!("|---|---:|---:|---:|---:|---:|");
    let (mut beyond, mut figures) = (Vec::new(), Vec::new());
    for operation in operations::all(&stack, "starts").await {
        let tape = operation.record(&stack).await;
        let measured = measure(&stack, &operation, &tape).await;
        let trips = tape.trips().len();
        let waiting = PER_TRIP * u32::try_from(trips).expect("few");
        let allowed = measured.bare.mul_f64(TIMES) + waiting;
        println!(
            "| {} | {} | {} | {} | {trips} | {:.1} MiB |",
            operation.name,
            millis(measured.start),
            millis(measured.bare),
            millis(allowed),
            measured.peak_kib as f64 / 1024.0,
        );
        figures.push(json!({
            "operation": operation.name,
            "start": measured.start.as_secs_f64() * 1e3,
            "bare": measured.bare.as_secs_f64() * 1e3,
            "allowed": allowed.as_secs_f64() * 1e3,
        }));
        let is_large = crate::as_deployed() && measured.peak_kib > PEAK_KIB;
        if measured.start > allowed || is_large {
            beyond.push(operation.name);
        }
    }
    crate::keep("starts.json", &json!(figures));
    assert!(beyond.is_empty(), "slower or larger than allowed: {beyond:?}");
}

struct Measured {
    start: Duration,
    bare: Duration,
    peak_kib: u64,
}

/// Medians of the starts.
async fn measure(stack: &Stack, operation: &Operation, tape: &Tape) -> Measured {
    let (tap, program) = stack.tapped(operation.function, Duration::ZERO).await;
    tap.play(tape);
    let bare = Program {
        name: "bare".to_owned(),
        file: bare(),
        env: BTreeMap::from([("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned())]),
    };
    let (mut starts, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        bares.push(start(&bare, &json!({})).await.took);
        starts.push(start(&program, &operation.event).await);
        let unknown = tap.rewind();
        assert!(
            unknown.is_empty(),
            "{}: {unknown:?} are not on the tape",
            operation.name
        );
    }
    Measured {
        start: median(starts.iter().map(|start| start.took).collect()),
        bare: median(bares),
        peak_kib: starts.iter().map(|start| start.peak_kib).max().expect("some"),
    }
}

async fn start(program: &Program, event: &Value) -> Start {
    let mut function = Function::start(program).await.expect("its process");
    let answer = function.invoke(event).await.expect("an answer");
    assert!(answer.answer.is_ok(), "{}: {answer:?}", program.name);
    Start {
        took: answer.took,
        peak_kib: answer.peak_kib,
    }
}

/// The example `bare` of crates/lambda, which cargo builds beside its tests.
fn bare() -> PathBuf {
    let own = std::env::current_exe().expect("this program");
    let built = own.parent().and_then(Path::parent).expect("where cargo builds");
    built.join("examples/bare")
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
