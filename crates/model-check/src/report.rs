//! Exploring a scene, and what to tell of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Path};

use crate::invariant::Invariant;
use crate::model::{Action, Small, State};
use crate::scene::Scene;

/// What came of a scene.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The states that were reached, each way to one counted.
    pub states: usize,
    /// The different ones.
    pub unique: usize,
    /// The most steps to a state.
    pub depth: usize,
    /// The different worlds without a function in flight that were left alone to see what becomes of them.
    pub left_alone: usize,
    /// The most ticks that a wake took to have its count.
    pub slowest: u8,
    /// Whether it was explored to the end.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// The invariants with what came of them: they hold, do not apply (why), or are broken by these steps.
    pub invariants: Vec<(Invariant, Held)>,
}

/// When exploring ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// With the last state.
    End,
    /// With the first thing that is broken.
    AnyBroken,
    /// Once this is broken.
    Broken(Invariant),
}

/// Whether an invariant holds.
#[derive(Debug)]
pub enum Held {
    /// In every state.
    Yes,
    /// It does not apply.
    NotHere(&'static str),
    /// These steps break it; then what becomes of the world that they lead to, if it is left alone.
    No(Vec<Action>, Vec<String>),
}

impl Found {
    /// Whether nothing is broken.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants
            .iter()
            .all(|(_, held)| !matches!(held, Held::No(..)))
    }

    /// The steps that break an invariant.
    #[must_use]
    pub fn counterexample(&self, of: Invariant) -> Option<&[Action]> {
        self.invariants.iter().find_map(|(invariant, held)| match held {
            Held::No(steps, _) if *invariant == of => Some(&**steps),
            _ => None,
        })
    }

    /// In words, a line or more for each invariant.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}: {}", self.name, self.about);
        let _ = writeln!(
            text,
            "  {} states explored, {} unique, {} steps deep, {:.1} s; {} worlds left alone, a wake had its count after {} ticks at most",
            self.states,
            self.unique,
            self.depth,
            self.took.as_secs_f64(),
            self.left_alone,
            self.slowest
        );
        if !self.complete {
            let _ = writeln!(text, "  GIVEN UP: there are more states");
        }
        for (invariant, held) in &self.invariants {
            let _ = match held {
                Held::Yes => writeln!(text, "  holds: {invariant}"),
                Held::NotHere(why) => writeln!(text, "  does not apply: {invariant}: {why}"),
                Held::No(steps, after) => writeln!(text, "  BROKEN: {invariant}\n{}", timeline(steps, after)),
            };
        }
        text
    }
}

/// The steps, each with its second, and what follows.
#[must_use]
pub fn timeline(steps: &[Action], after: &[String]) -> String {
    let mut text = String::new();
    let mut now = 0;
    for (n, step) in steps.iter().enumerate() {
        if let Action::Pass(until) = step {
            now = *until;
        }
        let _ = writeln!(text, "    {:>3}. {now:>4} s  {step}", n + 1);
    }
    for line in after {
        let _ = writeln!(text, "     ... {line}");
    }
    text
}

/// Explores a scene. `most` is the longest it may take.
#[must_use]
pub fn explore(scene: Scene, threads: usize, until: Until, most: Option<Duration>) -> Found {
    let begun = Instant::now();
    let applies = scene.invariants.clone();
    let (name, about) = (scene.name, scene.about);
    let finish = match until {
        Until::End => HasDiscoveries::All,
        Until::AnyBroken => HasDiscoveries::Any,
        Until::Broken(invariant) => HasDiscoveries::AnyOf([invariant.name()].into()),
    };
    let small = Small {
        deadline: most.map(|most| begun + most),
        ..Small::new(scene)
    };
    let checker = small
        .checker()
        .threads(threads)
        .finish_when(finish)
        .spawn_bfs()
        .join();
    let model = checker.model();
    // The ways to what is broken are taken once more.
    model.over.store(true, Ordering::Relaxed);
    let told = |path: Path<State, Action>| {
        let last = path.last_state();
        let is_left = last.functions.is_empty() && last.world.late.is_empty();
        let after = if is_left {
            model.tell(&last.world)
        } else {
            Vec::new()
        };
        (path.into_actions(), after)
    };
    let mut broken: BTreeMap<&str, (Vec<Action>, Vec<String>)> = checker
        .discoveries()
        .into_iter()
        .map(|(name, path)| (name, told(path)))
        .collect();
    let invariants = applies.into_iter().map(|(invariant, applies)| {
        let held = match (applies, broken.remove(invariant.name())) {
            (Err(why), _) => Held::NotHere(why),
            (Ok(()), None) => Held::Yes,
            (Ok(()), Some((steps, after))) => Held::No(steps, after),
        };
        (invariant, held)
    });
    Found {
        name,
        about,
        invariants: invariants.collect(),
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        left_alone: model.left_alone.load(Ordering::Relaxed),
        slowest: model.slowest.load(Ordering::Relaxed),
        took: begun.elapsed(),
        complete: !model.gave_up.load(Ordering::Relaxed),
    }
}
