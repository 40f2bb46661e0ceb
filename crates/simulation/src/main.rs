//! `simulate`: many seeds, one after the other on each processor.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use dormouse_simulation::{Counted, Script, run, shrink};

/// Runs all functions together on the model of ECS with everything going wrong, once for each seed, and checks what is
/// promised. A seed that breaks a promise is shrunk and told as a timeline.
#[derive(Parser)]
#[command(name = "simulate")]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// How many seeds run at a time; 0: as many as there are processors.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// How many runs it may take to shrink a seed that fails.
    #[arg(long, default_value_t = 300)]
    shrink: usize,
    /// Goes on after a seed that fails, and tells only which did.
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    dormouse_function::log::be_quiet();
    let begun = Instant::now();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if args.threads == 0 {
        processors
    } else {
        args.threads
    };
    let (next, end) = (AtomicU64::new(args.start), args.start + args.seeds);
    let total = Mutex::new((0_u64, Counted::default()));
    let failed = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < end
                {
                    let outcome = run(&Script::draw(seed));
                    if let Ok(mut total) = total.lock() {
                        total.0 += 1;
                        total.1.add(&outcome.counted);
                    }
                    if let Some(violation) = outcome.violation
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.insert(seed, violation);
                        if !args.keep_going {
                            next.store(end, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (runs, counted) = total.into_inner().unwrap_or_default();
    let failed = failed.into_inner().unwrap_or_default();
    for (seed, violation) in &failed {
        println!(
            "seed {seed}: invariant {}: {}",
            violation.invariant, violation.what
        );
    }
    if let Some(seed) = failed.keys().next().filter(|_| !args.keep_going) {
        tell(*seed, args.shrink);
    }
    println!("{counted}");
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "sim: {runs} seeds from {} in {seconds:.0} s on {threads} threads, {} failed",
        args.start,
        failed.len()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Tells the smallest run that breaks the same promise.
fn tell(seed: u64, runs: usize) {
    let (script, outcome) = shrink(&Script::draw(seed), runs);
    println!("\n{script}\n\n{}\n", outcome.story);
    if let Some(violation) = outcome.violation {
        println!("invariant {}: {}\n", violation.invariant, violation.what);
    }
}
