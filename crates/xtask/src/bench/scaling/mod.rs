//! How many tasks: the same loads through several policies.

mod fleet;
mod loads;
mod picture;
mod policies;
mod report;

use std::panic::resume_unwind;
use std::thread;

use super::Output;
use super::trace::Trace;
use fleet::{Run, Setup};
use loads::Load;
use policies::Kind;

/// How far the clocks of policies are ahead of the load, in seconds: no load waits for the beginning of their periods,
/// of which the longest is a minute. Results are means over all.
const PHASES: [u32; 12] = [0, 5, 11, 17, 21, 25, 31, 36, 41, 47, 52, 57];
/// Those for the real trace, whose days have many ups and downs.
const FEW_PHASES: [u32; 3] = [0, 17, 41];

/// All policies aim at the same share of what a task can serve, Knative's default of 70 %.
const WITH_ROOM: Setup = Setup {
    capacity: 100,
    target: 70,
};
/// All policies aim at all that a task can serve.
const WITHOUT_ROOM: Setup = Setup {
    capacity: 100,
    target: 100,
};

/// What a policy cost over a load, averaged over phases.
#[derive(Clone, Debug, Default)]
struct Mean {
    short_seconds: f64,
    task_hours: f64,
    changes: f64,
    /// Seconds from a spike to the first call for more tasks: the mean, and the longest.
    reaction: Option<(f64, f64)>,
    /// Tasks that served, in the first run.
    running: Vec<u32>,
}

/// A load, with what each of [`Kind::ALL`] cost.
struct Replay {
    load: Load,
    with_room: Vec<Mean>,
    without_room: Vec<Mean>,
}

/// Replays loads through every policy: those that the project makes, and the real ones, if there is a trace.
pub(super) fn run(trace: Option<&Trace>) -> Output {
    let made = loads::made().into_iter().map(|load| (load, &PHASES[..]));
    let real = trace.map(loads::real).unwrap_or_default();
    let real = real.into_iter().map(|load| (load, &FEW_PHASES[..]));
    let replays: Vec<Replay> = made
        .chain(real)
        .map(|(load, phases)| replay(load, phases))
        .collect();
    let files = replays.iter().map(picture::draw).collect();
    Output {
        text: report::markdown(&replays),
        files,
    }
}

fn replay(load: Load, phases: &[u32]) -> Replay {
    let each = |setup: Setup| -> Vec<Mean> {
        Kind::ALL
            .iter()
            .map(|kind| mean(*kind, &load, setup, phases))
            .collect()
    };
    let (with_room, without_room) = thread::scope(|scope| {
        let other = scope.spawn(|| each(WITHOUT_ROOM));
        let mine = each(WITH_ROOM);
        (mine, other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    Replay {
        load,
        with_room,
        without_room,
    }
}

fn mean(kind: Kind, load: &Load, setup: Setup, phases: &[u32]) -> Mean {
    let runs = phases
        .iter()
        .map(|phase| fleet::run(&mut *kind.begin(setup), &load.seconds, setup, *phase));
    let runs: Vec<Run> = runs.collect();
    let average = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
    let reactions: Option<Vec<f64>> = load
        .spike_at
        .and_then(|spike| runs.iter().map(|run| reaction(run, spike)).collect());
    Mean {
        short_seconds: average(&|run| f64::from(run.short_seconds)),
        task_hours: average(&|run| run.task_seconds as f64 / 3600.0),
        changes: average(&|run| f64::from(run.changes)),
        reaction: reactions.map(|all| {
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            (mean, all.iter().copied().fold(0.0, f64::max))
        }),
        running: runs.into_iter().next().map(|run| run.running).unwrap_or_default(),
    }
}

/// Seconds from a spike to the first call for more tasks, if there was one.
fn reaction(run: &Run, spike: usize) -> Option<f64> {
    let first = run.raised_at.iter().find(|second| **second >= spike)?;
    Some((first - spike) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean time from the spike to the call, and the longest.
    fn reaction_of(kind: Kind) -> (f64, f64) {
        let loads = loads::made();
        let spike = loads
            .into_iter()
            .find(|load| load.spike_at.is_some())
            .expect("a spike");
        mean(kind, &spike, WITH_ROOM, &PHASES)
            .reaction
            .expect("a reaction")
    }

    #[test]
    fn ours_answers_a_spike_within_a_pass() {
        let (mean, longest) = reaction_of(Kind::Ours);
        assert!(mean <= 2.0 && longest <= 2.0, "{mean} {longest}");
    }

    #[test]
    fn target_tracking_acts_when_aws_says_that_it_does_or_earlier() {
        let (mean, _) = reaction_of(Kind::Aws20);
        assert!((84.0..=88.0).contains(&mean), "AWS measured 86 s: {mean}");
        let (mean, _) = reaction_of(Kind::Aws60);
        assert!((240.0..=363.0).contains(&mean), "AWS measured 363 s: {mean}");
    }

    #[test]
    fn the_others_answer_within_their_periods() {
        let longest = |kind| reaction_of(kind).1;
        assert!(longest(Kind::Keda) <= 14.0);
        assert!(longest(Kind::KedaCached) <= 44.0);
        assert!(longest(Kind::Knative) <= 3.0);
    }

    #[test]
    fn a_mean_is_over_all_phases() {
        let load = Load {
            name: "test",
            what: String::new(),
            seconds: [vec![60; 15], vec![130; 45]].concat(),
            spike_at: Some(15),
        };
        // KEDA looks at multiples of 15 of its clock: at 15 s, and at 29 s if the clock is one second ahead. The new
        // task serves 35 s later, so 130 connections find one task for 35 s, and for all 45 s.
        let mean = mean(Kind::Keda, &load, WITH_ROOM, &[0, 1]);
        assert_eq!(mean.reaction, Some((7.0, 14.0)));
        assert_eq!((mean.short_seconds, mean.changes), (40.0, 1.0));
        let hours = ((15 + 45 * 2) + (29 + 31 * 2)) as f64 / 2.0 / 3600.0;
        assert!((mean.task_hours - hours).abs() < 1e-12);
    }
}
