//! Four times the input may take little more than four times as long.

use std::time::Duration;

use dormouse_fuzz::growth::{grown, ways};
use dormouse_fuzz::{Decoder, Watchdog, decoders};

use crate::meter::{peak, time, turn};

/// A sixteenth, a quarter and all of the longest: each is four times as long as the one before.
const PARTS: [usize; 3] = [16, 4, 1];
/// Proportional is 4, quadratic 16.
const MOST: u32 = 9;
/// What takes less is not worth a look: then the machine's own moods decide.
const NOTHING: Duration = Duration::from_millis(25);
/// What may be in use besides what grows: a world of tests, a client of the SDK.
const BASE: usize = 8 << 20;
/// What takes too long is tried so often before that is believed: the machine does other things too.
const TRIES: usize = 4;

#[test]
fn time_and_memory_grow_with_the_input_in_proportion() {
    let _turn = turn();
    let watchdog = Watchdog::start();
    let mut measured = 0;
    for decoder in decoders::all() {
        let (mut slowest, mut largest) = (Duration::ZERO, 0);
        for entry in decoder.corpus() {
            for way in ways(&entry) {
                let inputs = PARTS.map(|part| grown(&entry, &way, decoder.longest / part));
                let named = format!("{}: {} grown by {way:?}", decoder.name, entry.name);
                let run = |input: &[u8]| watchdog.watch(&named, input, || (decoder.decode)(input));
                slowest = slowest.max(check_time(&named, &inputs, &run));
                largest = largest.max(check_memory(&named, &decoder, &inputs, &run));
                measured += 1;
            }
        }
        let (longest, largest) = (decoder.longest >> 10, largest >> 10);
        eprintln!(
            "{}: {longest} KB take at most {slowest:?} and {largest} KB",
            decoder.name
        );
    }
    assert!(measured > 500, "{measured} ways of growth are few");
}

fn check_time(named: &str, inputs: &[Vec<u8>; 3], run: &impl Fn(&[u8])) -> Duration {
    let mut before = time(|| run(&inputs[0]));
    for input in &inputs[1..] {
        let mut now = time(|| run(input));
        let mut tries = 1;
        while now > NOTHING && now > before * MOST && tries < TRIES {
            now = now.min(time(|| run(input)));
            tries += 1;
        }
        assert!(
            now <= NOTHING || now <= before * MOST,
            "{named}: {} bytes take {now:?}, a quarter of them {before:?}",
            input.len()
        );
        before = now.max(NOTHING / MOST);
    }
    before
}

fn check_memory(named: &str, decoder: &Decoder, inputs: &[Vec<u8>; 3], run: &impl Fn(&[u8])) -> usize {
    let input = &inputs[2];
    let used = peak(|| run(input));
    assert!(
        used <= BASE + decoder.memory * input.len(),
        "{named}: {} bytes take {used} bytes of memory, more than {} for each",
        input.len(),
        decoder.memory
    );
    used
}
