//! The picture of a load: one panel for each policy, over the same time.

use super::policies::Kind;
use super::{Mean, Replay, WITH_ROOM};
use crate::bench::svg::{Anchor, COLOURS, GRID, INK, PALE_INK, Svg};

const WIDTH: f64 = 1000.0;
const PANEL: f64 = 110.0;
const GAP: f64 = 44.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 96.0;

const NEEDED: &str = "#d9d9d9";
const SHORT: &str = "#cc0000";

/// Points in a row, at most: more could not be seen.
const COLUMNS: usize = 720;

/// The name of the file, and the file.
pub(super) fn draw(replay: &Replay) -> (String, String) {
    let Replay { load, with_room, .. } = replay;
    let height = TOP + Kind::ALL.len() as f64 * (PANEL + GAP) + 40.0;
    let mut svg = Svg::new(WIDTH, height);
    svg.bold(
        (LEFT, 30.0),
        18.0,
        INK,
        &format!("Load \"{}\": tasks needed and tasks that serve", load.name),
    );
    svg.text((LEFT, 50.0), Anchor::Start, 13.0, PALE_INK, &load.what);
    legend(&mut svg);
    let series = Series::of(&load.seconds, with_room);
    for (number, (kind, mean)) in Kind::ALL.iter().zip(with_room).enumerate() {
        let top = TOP + number as f64 * (PANEL + GAP);
        series.panel(&mut svg, top, COLOURS[number], mean);
        let words = format!(
            "{}: {:.0} s under-provisioned, {:.1} task-hours, {:.1} changes",
            kind.name(),
            mean.short_seconds,
            mean.task_hours,
            mean.changes
        );
        svg.bold((LEFT, top - 6.0), 13.0, INK, &words);
    }
    svg.upward((18.0, TOP + (height - TOP - 40.0) / 2.0), 13.0, "tasks");
    svg.text(
        (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, height - 14.0),
        Anchor::Middle,
        13.0,
        INK,
        series.unit,
    );
    (
        format!("policy-scaling-{}.svg", load.name.replace(' ', "-")),
        svg.finish(),
    )
}

fn legend(svg: &mut Svg) {
    let y = 68.0;
    svg.rect(LEFT, y - 9.0, 22.0, 10.0, NEEDED);
    svg.text(
        (LEFT + 28.0, y),
        Anchor::Start,
        12.0,
        INK,
        "needed: connections over the capacity of a task",
    );
    svg.path(
        &[(LEFT + 330.0, y - 4.0), (LEFT + 352.0, y - 4.0)],
        COLOURS[0],
        2.0,
    );
    svg.text(
        (LEFT + 358.0, y),
        Anchor::Start,
        12.0,
        INK,
        "tasks that serve (one run)",
    );
    svg.rect(LEFT + 550.0, y - 7.0, 22.0, 5.0, SHORT);
    svg.text((LEFT + 578.0, y), Anchor::Start, 12.0, INK, "under-provisioned");
}

/// The scale that all panels share.
struct Series {
    /// Connections for each second.
    load: Vec<u32>,
    /// Seconds that are drawn as one.
    bucket: usize,
    /// The highest count.
    most: f64,
    /// Words at the axis of time.
    unit: &'static str,
    /// Seconds of its unit, and units from one mark to the next.
    tick: (usize, usize),
}

impl Series {
    fn of(load: &[u32], means: &[Mean]) -> Self {
        let needed = load.iter().map(|load| load.div_ceil(WITH_ROOM.capacity)).max();
        let running = means.iter().flat_map(|mean| mean.running.iter().copied()).max();
        let long = load.len() > 6 * 3600;
        Self {
            load: load.to_vec(),
            bucket: load.len().div_ceil(COLUMNS).max(1),
            most: f64::from(needed.max(running).unwrap_or(1).max(2)),
            unit: if long { "hours" } else { "minutes" },
            tick: if long { (3600, 6) } else { (60, 20) },
        }
    }

    fn panel(&self, svg: &mut Svg, top: f64, colour: &str, mean: &Mean) {
        let (bottom, right, all) = (top + PANEL, WIDTH - RIGHT, self.load.len().max(1) as f64);
        let x = |second: usize| LEFT + second as f64 / all * (right - LEFT);
        let y = |tasks: f64| bottom - tasks / self.most * PANEL;
        for part in [0.0, (self.most / 2.0).round(), self.most] {
            svg.line((LEFT, y(part)), (right, y(part)), GRID);
            svg.text(
                (LEFT - 8.0, y(part) + 4.0),
                Anchor::End,
                11.0,
                PALE_INK,
                &part.to_string(),
            );
        }
        let (unit, every) = self.tick;
        for second in (0..=self.load.len()).step_by(unit * every) {
            svg.line((x(second), bottom), (x(second), bottom + 4.0), INK);
            let words = (second / unit).to_string();
            svg.text((x(second), bottom + 16.0), Anchor::Middle, 11.0, PALE_INK, &words);
        }
        let buckets = || {
            self.load
                .chunks(self.bucket)
                .zip(mean.running.chunks(self.bucket))
                .enumerate()
        };
        let edges = |number: usize| {
            (
                x(number * self.bucket),
                x(((number + 1) * self.bucket).min(self.load.len())),
            )
        };
        let (mut needed, mut serving) = (vec![(LEFT, bottom)], Vec::new());
        for (number, (load, running)) in buckets() {
            let (from, to) = edges(number);
            let most = load
                .iter()
                .max()
                .map_or(0, |load| load.div_ceil(WITH_ROOM.capacity));
            let least = running.iter().min().copied().unwrap_or(0);
            step(&mut needed, from, to, y(f64::from(most)));
            step(&mut serving, from, to, y(f64::from(least)));
        }
        needed.push((right, bottom));
        svg.area(&needed, NEEDED);
        for (number, (load, running)) in buckets() {
            let (from, to) = edges(number);
            if load
                .iter()
                .zip(running)
                .any(|(load, tasks)| *load > tasks * WITH_ROOM.capacity)
            {
                svg.rect(from, bottom - 5.0, (to - from).max(1.0), 5.0, SHORT);
            }
        }
        svg.path(&serving, colour, 1.8);
        svg.line((LEFT, bottom), (right, bottom), INK);
        svg.line((LEFT, top), (LEFT, bottom), INK);
    }
}

/// A line on at this height.
fn step(points: &mut Vec<(f64, f64)>, from: f64, to: f64, y: f64) {
    match points.last_mut() {
        Some(last) if last.1 == y && last.0 == from => last.0 = to,
        _ => points.extend([(from, y), (to, y)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scaling::loads::Load;

    #[test]
    fn the_time_that_is_under_provisioned_is_marked() {
        let load = Load {
            name: "launch day",
            what: "a test".to_owned(),
            seconds: [vec![100; 100], vec![200; 100]].concat(),
            spike_at: None,
        };
        let mean = Mean {
            running: [vec![1; 150], vec![2; 50]].concat(),
            ..Mean::default()
        };
        let means = vec![mean; Kind::ALL.len()];
        let (with_room, without_room) = (means.clone(), means);
        let (name, svg) = draw(&Replay {
            load,
            with_room,
            without_room,
        });
        assert_eq!(name, "policy-scaling-launch-day.svg");
        let marks = svg.matches(SHORT).count();
        assert_eq!(
            marks,
            1 + 50 * Kind::ALL.len(),
            "one in the legend, and 50 s in each panel"
        );
        assert!(
            Kind::ALL
                .iter()
                .all(|kind| svg.contains(&format!(">{}: ", kind.name())))
        );
    }
}
