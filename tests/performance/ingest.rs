//! How many reports of sessions the handler keeps, over the real SDK and the stack's table.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use dormouse_aws::Aws;
use dormouse_core::config::Config;
use end_to_end::Stack;
use serde_json::{Value, json};
use wiretap::Function;

use crate::operations;

/// As many as a batch of the queue may have here (template.yaml).
const BATCH: usize = 1_000;
const TASKS: usize = 20;
/// Reports that are kept one by one, for comparison.
const ONE_BY_ONE: usize = 100;
/// So many times as many as one write for each message keeps.
const TIMES: f64 = 5.0;
/// A larger batch may take so much more memory: its own text, as the event and as what was read from it.
const MORE_KIB: u64 = 4 * 1024;

#[tokio::test]
#[ignore = "measures: `cargo xtask bench start` runs it"]
async fn a_batch_is_kept_in_few_writes() {
    let stack = Stack::connect();
    let env = HashMap::from([("TABLE_NAME".to_owned(), stack.output("TableName").to_owned())]);
    let config = Config::from_env(&env).expect("a configuration");
    let aws = Aws::new(&config, &env, &stack.sdk("AWS_ENDPOINT_URL").await);
    let keep = async |event: Value| {
        let answer = session_metric_ingest::handle(&aws, &config, event, "request").await;
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
    };
    keep(batch(0..BATCH, 0)).await;

    let began = Instant::now();
    for number in 0..ONE_BY_ONE {
        keep(batch(number..number + 1, 1)).await;
    }
    let one_by_one = rate(ONE_BY_ONE, began.elapsed());
    let began = Instant::now();
    keep(batch(0..BATCH, 2)).await;
    let together = rate(BATCH, began.elapsed());
    println!("| reports of sessions of {TASKS} tasks | a second |");
    println!("|---|---:|");
    println!("| one write for each | {one_by_one:.0} |");
    println!("| batches of {BATCH} | {together:.0} |");
    assert!(together > TIMES * one_by_one);
}

#[tokio::test]
#[ignore = "measures: `cargo xtask bench start` runs it"]
async fn memory_hardly_grows_with_the_batch() {
    let stack = Stack::connect();
    let (_tap, program) = stack.tapped(operations::INGEST, Duration::ZERO).await;
    let mut peaks = Vec::new();
    println!("| batch | peak memory |");
    println!("|---:|---:|");
    for size in [10, 100, BATCH] {
        let mut function = Function::start(&program).await.expect("its process");
        let mut peak = 0;
        for sequence in 0..3 {
            let answer = function.invoke(&batch(0..size, 10 + sequence)).await;
            let answer = answer.expect("an answer");
            assert!(answer.answer.is_ok(), "{answer:?}");
            peak = answer.peak_kib;
        }
        println!("| {size} | {:.1} MiB |", peak as f64 / 1024.0);
        peaks.push(peak);
    }
    assert!(peaks[2] < peaks[0] + MORE_KIB, "{peaks:?} KiB");
}

fn rate(messages: usize, time: Duration) -> f64 {
    messages as f64 / time.as_secs_f64()
}

/// Reports of these sessions.
fn batch(sessions: std::ops::Range<usize>, sequence: u64) -> Value {
    let at = end_to_end::now().as_millisecond();
    dormouse_testkit::reports("ingest", sessions, TASKS, at, sequence)
}
