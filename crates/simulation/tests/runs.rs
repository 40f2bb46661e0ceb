//! Runs of the simulation: those of seeds that once broke a promise, and those with a bug that was put in on purpose.

use dormouse_simulation::{Sabotage, Script, run, shrink};

/// Far more than it takes to find any of the bugs.
const SEEDS: u64 = 150;

/// The first seed that finds a bug as a break of its own invariant.
fn found(sabotage: Sabotage, invariant: u8) -> Option<Script> {
    dormouse_function::log::be_quiet();
    (0..SEEDS).find_map(|seed| {
        let script = Script {
            sabotage: Some(sabotage),
            ..Script::draw(seed)
        };
        let violation = run(&script).violation?;
        (violation.invariant == invariant).then_some(script)
    })
}

#[test]
fn each_bug_that_is_put_in_breaks_its_invariant() {
    let missed: Vec<_> = std::thread::scope(|scope| {
        let hunts = Sabotage::ALL.map(|(sabotage, invariant)| {
            (
                sabotage,
                scope.spawn(move || found(sabotage, invariant).map(|script| script.seed)),
            )
        });
        let seeds = hunts.map(|(sabotage, hunt)| (sabotage, hunt.join().expect("a hunt")));
        println!("found by: {seeds:?}");
        seeds.into_iter().filter(|(_, seed)| seed.is_none()).collect()
    });
    assert!(missed.is_empty(), "nobody noticed {missed:?}");
}

/// Those that broke a promise once. Other versions draw other runs from them, so that what was mended has tests of its own too.
#[test]
fn seeds_that_once_failed_break_nothing() {
    dormouse_function::log::be_quiet();
    for seed in [
        428, 973, 1087, 1126, 1616, 1941, 3326, 8909, 13023, 15754, 18239, 32775, 35966, 45567, 51914, 53275,
        91198, 92988,
    ] {
        let violation = run(&Script::draw(seed)).violation;
        assert_eq!(violation, None, "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    dormouse_function::log::be_quiet();
    for seed in [3, 30] {
        let (a, b) = (run(&Script::draw(seed)), run(&Script::draw(seed)));
        assert_eq!(a.story, b.story);
        assert_eq!(a.counted.calls, b.counted.calls);
        assert!(a.counted.calls > 100);
    }
}

#[test]
fn a_failing_run_is_shrunk_to_what_it_takes() {
    let script = found(Sabotage::NeverStarts, 2).expect("a run that fails");
    let (small, outcome) = shrink(&script, 100);
    assert_eq!(outcome.violation.map(|violation| violation.invariant), Some(2));
    assert!(small.happenings.len() < script.happenings.len().max(2), "{small}");
    assert!(small.services.len() < script.services.len(), "{small}");
}
