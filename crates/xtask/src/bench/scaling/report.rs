//! The tables about scaling, and where another policy is better.

use super::fleet::Setup;
use super::loads::{KEPT_OPEN, PEAK};
use super::policies::Kind;
use super::{Mean, Replay, WITH_ROOM, WITHOUT_ROOM};
use crate::bench::table::{Cell, Table};

/// What is compared: its name, and its value as it is shown.
type Measure = (&'static str, fn(&Mean) -> Cell);

const SHORT: Measure = ("under-provisioned seconds", |mean| {
    Cell::number(mean.short_seconds, 0)
});
const HOURS: Measure = ("task-hours", |mean| Cell::number(mean.task_hours, 1));
const CHANGES: Measure = ("changes of the count", |mean| Cell::number(mean.changes, 1));

/// Which results of a replay.
type Side = fn(&Replay) -> &[Mean];

pub(super) fn markdown(replays: &[Replay]) -> String {
    let mut text = preface();
    text.push_str("\nThe loads, in connections:\n\n");
    for Replay { load, .. } in replays {
        text.push_str(&format!("- {}: {}\n", load.name, load.what));
    }
    text.push_str("\n### Seconds from the spike to the first call for more tasks (longest)\n\n");
    text.push_str(&reactions(replays));
    let sides: [(&str, Setup, Side); 2] = [
        ("each policy aims at", WITH_ROOM, |replay| &replay.with_room),
        ("without room: each policy aims at", WITHOUT_ROOM, |replay| {
            &replay.without_room
        }),
    ];
    for (words, Setup { capacity, target }, side) in sides {
        for (what, of) in [SHORT, HOURS, CHANGES] {
            let what = what[..1].to_uppercase() + &what[1..];
            text.push_str(&format!(
                "\n### {what}; {words} {target} of {capacity} connections per task\n\n"
            ));
            text.push_str(&table(replays, side, of));
        }
        text.push_str(&format!(
            "\n### Where another policy is better than Dormouse, at {target} of {capacity}\n\n"
        ));
        for replay in replays {
            text.push_str(&better(replay.load.name, side(replay)));
        }
    }
    text
}

fn preface() -> String {
    let (start, min, max) = (Setup::START, Setup::MIN, Setup::MAX);
    format!(
        "All policies have the same fleet: a task serves 100 connections well, a new one serves {start} s after the call, \
         one that is taken away is gone at once, {min} to {max} tasks. *Under-provisioned* is a second in which there \
         are more connections than the tasks that serve can take, so a sudden spike costs every policy the {start} s at \
         least that new tasks take to start; *task-hours* count from the call that starts a task. \
         Results are means over policies' clocks that are shifted against the load (12 shifts, 3 for the real \
         trace).\n\n\
         - Dormouse: the real `decide` in target mode, a reading of every task each 3 s. Its scale-in is really slower: \
         it waits for tasks without sessions.\n\
         - AWS 60 s, AWS 20 s: target tracking. The time until a metric counts is calibrated at 20 s to the 86 s that \
         AWS reports from a spike to the scale-out, and is in AWS's favour at 60 s, where it reports 363 s.\n\
         - KEDA: its defaults, with which the autoscaler of Kubernetes asks the source each 15 s; KEDA cached \
         (`useCachedMetrics`): the source is polled each 30 s.\n\
         - Knative: the KPA, averages of 60 s and in panic of 6 s, without scale to zero. Knative holds requests back while \
         tasks start, which is not counted in its favour.\n\
         - The real trace has requests per 10 s. Each is taken to keep a connection open for {KEPT_OPEN} s (Little's law: \
         open connections are the rate times that), and all are multiplied so that the highest second of the two weeks \
         has {PEAK}. The silences of the trace stay, on the launch day up to 22 minutes.\n"
    )
}

fn names() -> Vec<String> {
    Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect()
}

fn table(replays: &[Replay], side: Side, of: fn(&Mean) -> Cell) -> String {
    let row = |replay: &Replay| (replay.load.name.to_owned(), side(replay).iter().map(of).collect());
    Table {
        corner: "load".to_owned(),
        columns: names(),
        rows: replays.iter().map(row).collect(),
    }
    .markdown()
}

fn reactions(replays: &[Replay]) -> String {
    let row = |replay: &Replay| {
        let cells = replay.with_room.iter().map(|mean| {
            let (mean, longest) = mean.reaction?;
            Some(Cell::number(mean, 1).and(&format!("({longest:.0})")))
        });
        Some((replay.load.name.to_owned(), cells.collect::<Option<Vec<Cell>>>()?))
    };
    Table {
        corner: "load".to_owned(),
        columns: names(),
        rows: replays.iter().filter_map(row).collect(),
    }
    .markdown()
}

/// One list item: by each measure, who has less than ours.
fn better(load: &str, means: &[Mean]) -> String {
    let clauses = [SHORT, HOURS, CHANGES].into_iter().filter_map(|(what, of)| {
        let all = || Kind::ALL.iter().zip(means.iter().map(of));
        let (_, ours) = all().find(|(kind, _)| **kind == Kind::Ours)?;
        let lower = all().filter(|(_, cell)| cell.value < ours.value);
        let names: Vec<String> = lower
            .map(|(kind, cell)| format!("{} {}", kind.name(), cell.text))
            .collect();
        (!names.is_empty()).then(|| format!("fewer {what} (ours {}): {}", ours.text, names.join(", ")))
    });
    let clauses: Vec<String> = clauses.collect();
    let clauses = if clauses.is_empty() {
        "none, in nothing".to_owned()
    } else {
        clauses.join("; ")
    };
    format!("- {load}: {clauses}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_better_is_named_with_the_number_and_who_is_not_is_not() {
        let mut means = vec![
            Mean {
                short_seconds: 30.0,
                task_hours: 12.0,
                changes: 8.0,
                ..Mean::default()
            };
            Kind::ALL.len()
        ];
        assert_eq!(better("ramp", &means), "- ramp: none, in nothing.\n");
        means[1].task_hours = 11.24;
        means[3].short_seconds = 29.9;
        means[5].short_seconds = 0.0;
        assert_eq!(
            better("ramp", &means),
            "- ramp: fewer under-provisioned seconds (ours 30): Knative 0; fewer task-hours (ours 12.0): AWS 60 s 11.2.\n"
        );
    }
}
