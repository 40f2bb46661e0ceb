//! No input makes a decoder panic or go on for ever: every file of its corpus, and inputs that are made of them by mutation.
//!
//! The mutated inputs of a run follow from a seed, so a failure repeats. To look further than CI does:
//!
//! ```sh
//! DORMOUSE_FUZZ_FACTOR=100 DORMOUSE_FUZZ_SEED=7 cargo test --release -p dormouse-fuzz --test decoders
//! ```
//!
//! A failure shows the shortest input that fails. Put it into a file of the decoder's corpus, then mend the decoder.

mod mutation;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dormouse_fuzz::{Decoder, Watchdog, decoders};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// A variable as a number.
fn number(variable: &str, usual: u32) -> u32 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => usual,
    }
}

/// The decoders with names that begin so, at least one.
fn family(beginnings: &[&str]) -> Vec<Decoder> {
    let mut found = decoders::all();
    found.retain(|decoder| {
        beginnings
            .iter()
            .any(|beginning| decoder.name.starts_with(beginning))
    });
    assert!(!found.is_empty());
    found
}

#[test]
fn no_file_of_a_corpus_makes_its_decoder_panic() {
    let watchdog = Watchdog::start();
    for decoder in decoders::all() {
        for entry in decoder.corpus() {
            let decode = || watchdog.watch(decoder.name, &entry.bytes, || (decoder.decode)(&entry.bytes));
            let done = catch_unwind(AssertUnwindSafe(decode));
            assert!(done.is_ok(), "{}: {} makes it panic", decoder.name, entry.name);
        }
    }
}

fn mutate(decoders: &[Decoder]) {
    let watchdog = Watchdog::start();
    let seed = number("DORMOUSE_FUZZ_SEED", 1);
    for decoder in decoders {
        let config = Config {
            cases: decoder.cases * number("DORMOUSE_FUZZ_FACTOR", 1),
            failure_persistence: None,
            max_shrink_iters: 2000,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let tried = Cell::new(0);
        let result =
            TestRunner::new_with_rng(config, rng).run(&mutation::inputs(decoder.corpus()), |input| {
                tried.set(tried.get() + 1);
                watchdog.watch(decoder.name, &input, || (decoder.decode)(&input));
                Ok(())
            });
        match result {
            Ok(()) => eprintln!("{}: {} inputs", decoder.name, tried.get()),
            Err(TestError::Fail(why, input)) => {
                panic!(
                    "{}: {why}, with {:?}",
                    decoder.name,
                    String::from_utf8_lossy(&input)
                )
            }
            Err(other) => panic!("{}: {other}", decoder.name),
        }
    }
}

#[test]
fn no_mutated_text_makes_its_decoder_panic() {
    mutate(&family(&[
        "durations",
        "tags",
        "variables",
        "log patterns",
        "counts",
        "signed",
    ]));
}

#[test]
fn no_mutated_message_makes_its_decoder_panic() {
    mutate(&family(&[
        "reports",
        "batches",
        "parts",
        "messages",
        "user parameters",
    ]));
}

#[test]
fn no_mutated_event_makes_a_function_panic() {
    mutate(&family(&["events"]));
}

#[test]
fn no_mutated_request_makes_the_wake_function_panic() {
    mutate(&family(&["HTTP"]));
}

#[test]
fn no_mutated_item_or_answer_of_aws_makes_its_decoder_panic() {
    mutate(&family(&["what"]));
}

/// Else a new decoder would be tried by nobody.
#[test]
fn every_decoder_belongs_to_a_family_and_has_a_corpus() {
    let families = [
        "durations",
        "tags",
        "variables",
        "log patterns",
        "counts",
        "signed",
        "reports",
        "batches",
        "parts",
        "messages",
        "user parameters",
        "events",
        "HTTP",
        "what",
    ];
    assert_eq!(family(&families).len(), decoders::all().len());
    for decoder in decoders::all() {
        assert!(decoder.corpus().len() >= 3, "{}", decoder.name);
    }
}
