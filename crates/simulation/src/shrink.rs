//! Shrinking: leaving out of a run what it does not take to break the same promise.

use crate::faults::Kind;
use crate::script::Script;
use crate::{Outcome, run};

/// The smallest script that was found in so many runs, and what comes of it. The one that is given must break a promise.
#[must_use]
pub fn shrink(script: &Script, runs: usize) -> (Script, Outcome) {
    let mut best = (script.clone(), run(script));
    let Some(broken) = best.1.violation.clone() else {
        return best;
    };
    let mut left = runs;
    loop {
        let mut found = None;
        for candidate in candidates(&best.0) {
            if left == 0 {
                return best;
            }
            left -= 1;
            let outcome = run(&candidate);
            let violation = outcome.violation.as_ref();
            if violation.is_some_and(|violation| violation.invariant == broken.invariant) {
                found = Some((candidate, outcome));
                break;
            }
        }
        match found {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// The script with something left out, the most first.
fn candidates(script: &Script) -> Vec<Script> {
    let mut all = Vec::new();
    let names: Vec<&str> = script.services.iter().map(|service| &*service.name).collect();
    all.extend(names.into_iter().filter_map(|name| script.without_service(name)));
    let happenings = script.happenings.len();
    for size in [happenings / 2, happenings / 4, 1] {
        if size == 0 {
            continue;
        }
        for from in (0..happenings).step_by(size) {
            let mut smaller = script.clone();
            smaller.happenings.drain(from..(from + size).min(happenings));
            all.push(smaller);
        }
    }
    for kind in Kind::ALL {
        if script.faults.rate(kind) > 0 {
            let mut smaller = script.clone();
            smaller.faults = script.faults.without(kind);
            all.push(smaller);
        }
    }
    for n in 0..script.faults.outages.len() {
        let mut smaller = script.clone();
        smaller.faults.outages.remove(n);
        all.push(smaller);
    }
    if !script.faults.lag.is_zero() {
        let mut smaller = script.clone();
        smaller.faults.lag = std::time::Duration::ZERO;
        all.push(smaller);
    }
    if !script.faults.skew.is_zero() {
        let mut smaller = script.clone();
        smaller.faults.skew = std::time::Duration::ZERO;
        all.push(smaller);
    }
    for n in 0..script.services.len() {
        for tag in 0..script.services[n].tags.len() {
            let service = &script.services[n];
            let is_used = matches!(
                &*service.tags[tag].0,
                "url" | "signals" | "log-group" | "connections"
            );
            if !is_used {
                let mut smaller = script.clone();
                smaller.services[n].tags.remove(tag);
                all.push(smaller);
            }
        }
    }
    all
}
