//! How large the functions are.

use std::io::Write as _;

use end_to_end::Stack;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::operations;

/// The most that a function's archive may have: what was reached, and a little.
const ZIPPED: usize = 6_300_000;

#[test]
#[ignore = "measures: `cargo xtask bench start` runs it"]
fn functions_are_small() {
    println!("| function | program | zipped |");
    println!("|---|---:|---:|");
    let mut largest = 0;
    for (resource, _) in operations::FUNCTIONS {
        let file = Stack::program_file(resource);
        let program = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut archive = DeflateEncoder::new(Vec::new(), Compression::best());
        archive.write_all(&program).expect("memory takes it");
        let zipped = archive.finish().expect("memory takes it").len();
        println!(
            "| {resource} | {:.1} MB | {:.1} MB |",
            mega(program.len()),
            mega(zipped)
        );
        largest = largest.max(zipped);
    }
    assert!(!crate::as_deployed() || largest <= ZIPPED, "{largest} bytes");
}

fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
