//! The calls of each operation, as docs/PERFORMANCE.md has them.

use std::fmt::Write as _;

use end_to_end::Stack;
use wiretap::Tape;

use crate::operations::{self, Operation};

/// Where the table begins and ends.
const MARKS: [&str; 2] = ["<!-- calls -->\n", "<!-- end of calls -->"];

#[tokio::test]
#[ignore = "wants a stack of its own: `cargo xtask test` and `cargo xtask bench` run it"]
async fn each_operation_makes_the_calls_that_the_table_says() {
    let stack = Stack::connect();
    let mut table =
        "| operation | round trips | calls, round trip by round trip |\n|---|---:|---|\n".to_owned();
    for operation in operations::all(&stack, "calls").await {
        let tape = operation.record(&stack).await;
        line(&mut table, &operation, &tape);
    }
    let path = format!("{}/../docs/PERFORMANCE.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let [begin, end] = MARKS;
    let written = page.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let (written, _) = written.unwrap_or_else(|| panic!("{path} lacks {begin:?} and {end:?}"));
    assert!(
        written == table,
        "docs/PERFORMANCE.md says\n{written}\nbut it is\n{table}"
    );
}

fn line(table: &mut String, operation: &Operation, tape: &Tape) {
    let trips = tape.trips();
    let calls: Vec<String> = trips.iter().map(|trip| together(trip)).collect();
    // Writing to a text cannot fail.
    let _ = writeln!(
        table,
        "| {} | {} | {} |",
        operation.name,
        trips.len(),
        calls.join("; ")
    );
}

/// `GetItem ×2, Query`.
fn together(trip: &[&str]) -> String {
    let mut calls: Vec<(&str, u32)> = Vec::new();
    for call in trip {
        match calls.last_mut() {
            Some((last, count)) if last == call => *count += 1,
            _ => calls.push((call, 1)),
        }
    }
    let texts = calls.iter().map(|(call, count)| match count {
        1 => (*call).to_owned(),
        more => format!("{call} ×{more}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}
