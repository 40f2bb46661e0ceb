//! The pictures of docs/PERFORMANCE.md, of the figures that the tests of the target `performance` leave.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::svg::{Anchor, COLOURS, GRID, INK, PALE_INK, Svg};

const LEFT: f64 = 60.0;
const TOP: f64 = 84.0;

/// A figure that a test left, and how it is drawn.
pub(super) struct Picture {
    figures: &'static str,
    name: &'static str,
    draw: fn(&str) -> Result<String>,
}

/// From start to answer, for each operation.
pub(super) const STARTS: Picture = Picture {
    figures: "starts.json",
    name: "starts.svg",
    draw: |figures| Ok(starts(&serde_json::from_str::<Vec<Start>>(figures)?)),
};

/// How a tick grows with its services.
pub(super) const GROWTH: Picture = Picture {
    figures: "growth.json",
    name: "growth.svg",
    draw: |figures| Ok(growth(&serde_json::from_str::<Vec<Tick>>(figures)?)),
};

impl Picture {
    /// Draws it from a directory of figures into another one, and gives its name.
    pub(super) fn make(&self, figures: &Path, out: &Path) -> Result<&'static str> {
        let path = figures.join(self.figures);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let picture = (self.draw)(&text).with_context(|| format!("in {}", path.display()))?;
        super::write(&out.join(self.name), &picture)?;
        Ok(self.name)
    }
}

/// Medians of an operation, in milliseconds.
#[derive(Deserialize)]
struct Start {
    operation: String,
    start: f64,
    bare: f64,
    allowed: f64,
}

fn starts(all: &[Start]) -> String {
    const NAMES: f64 = 290.0;
    const BAR: f64 = 520.0;
    const ROW: f64 = 34.0;
    let left = LEFT + NAMES;
    let bottom = TOP + all.len() as f64 * ROW;
    let most = all
        .iter()
        .map(|start| start.allowed.max(start.start))
        .fold(1.0, f64::max);
    let x = |millis: f64| left + millis / most * BAR;
    let mut svg = Svg::new(left + BAR + 60.0, bottom + 48.0);
    svg.bold(
        (LEFT, 30.0),
        18.0,
        INK,
        "From the start of a function's process to its answer",
    );
    let subtitle = "Dark: what the bare runtime takes. The mark is what is allowed. AWS answers at once.";
    svg.text((LEFT, 52.0), Anchor::Start, 13.0, PALE_INK, subtitle);
    for millis in (0..=most as u32).step_by(5) {
        let at = x(f64::from(millis));
        svg.line((at, TOP - 8.0), (at, bottom), GRID);
        svg.text(
            (at, bottom + 18.0),
            Anchor::Middle,
            12.0,
            PALE_INK,
            &format!("{millis} ms"),
        );
    }
    for (number, start) in all.iter().enumerate() {
        let y = TOP + number as f64 * ROW;
        svg.text((left - 10.0, y + 16.0), Anchor::End, 13.0, INK, &start.operation);
        svg.rect(left, y, x(start.start) - left, 22.0, COLOURS[5]);
        svg.rect(left, y, x(start.bare) - left, 22.0, COLOURS[0]);
        svg.rect(x(start.allowed) - 1.5, y - 3.0, 3.0, 28.0, COLOURS[1]);
        let words = format!("{:.1}", start.start);
        svg.text((x(start.start) + 6.0, y + 16.0), Anchor::Start, 12.0, INK, &words);
    }
    svg.finish()
}

/// A tick over so many services.
#[derive(Deserialize)]
struct Tick {
    services: f64,
    calls: f64,
    millis: f64,
    mib: f64,
}

/// What a line shows of a tick.
type Figure = fn(&Tick) -> f64;

fn growth(ticks: &[Tick]) -> String {
    const WIDTH: f64 = 460.0;
    const HEIGHT: f64 = 330.0;
    /// Both axes are logarithmic: from 100 to 10,000 services, and from 1 to 1,000 of each unit.
    const X: (f64, f64) = (2.0, 4.0);
    const Y: (f64, f64) = (0.0, 3.0);
    let at = |services: f64, value: f64| {
        let x = (services.log10() - X.0) / (X.1 - X.0);
        let y = (value.max(1.0).log10() - Y.0) / (Y.1 - Y.0);
        (LEFT + x * WIDTH, TOP + (1.0 - y) * HEIGHT)
    };
    let mut svg = Svg::new(LEFT + WIDTH + 190.0, TOP + HEIGHT + 60.0);
    svg.bold((LEFT, 30.0), 18.0, INK, "A tick over groups that sleep");
    let subtitle = "Both axes are logarithmic: the grey line is ten times as much for ten times as many.";
    svg.text((LEFT, 52.0), Anchor::Start, 13.0, PALE_INK, subtitle);
    for value in [1.0, 10.0, 100.0, 1_000.0] {
        let (left, y) = at(100.0, value);
        svg.line((left, y), (left + WIDTH, y), GRID);
        svg.text(
            (left - 8.0, y + 4.0),
            Anchor::End,
            12.0,
            PALE_INK,
            &value.to_string(),
        );
    }
    for services in [100.0, 1_000.0, 10_000.0] {
        let (x, bottom) = at(services, 1.0);
        svg.line((x, TOP), (x, bottom), GRID);
        svg.text(
            (x, bottom + 20.0),
            Anchor::Middle,
            12.0,
            PALE_INK,
            &services.to_string(),
        );
    }
    let middle = LEFT + WIDTH / 2.0;
    svg.text(
        (middle, TOP + HEIGHT + 44.0),
        Anchor::Middle,
        13.0,
        INK,
        "services, each a group of its own",
    );
    svg.path(&[at(100.0, 2.0), at(10_000.0, 200.0)], PALE_INK, 1.0);
    let lines: [(&str, Figure); 3] = [
        ("calls to AWS", |tick| tick.calls),
        ("ms on a processor", |tick| tick.millis),
        ("MiB at most", |tick| tick.mib),
    ];
    for (number, (name, value)) in lines.into_iter().enumerate() {
        let points: Vec<(f64, f64)> = ticks.iter().map(|tick| at(tick.services, value(tick))).collect();
        svg.path(&points, COLOURS[number], 2.0);
        for point in &points {
            svg.mark(*point, number, COLOURS[number]);
        }
        if let (Some((x, y)), Some(last)) = (points.last(), ticks.last()) {
            let words = format!("{:.0} {name}", value(last));
            svg.text((x + 12.0, y + 4.0), Anchor::Start, 13.0, COLOURS[number], &words);
        }
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_its_bar_and_what_is_allowed() {
        let figures = r#"[{"operation": "a <tick>", "start": 5.0, "bare": 2.5, "allowed": 10.0}]"#;
        let svg = (STARTS.draw)(figures).expect("a picture");
        // 10 ms are 520 pixels from 350 on.
        for part in [
            "a &lt;tick&gt;",
            r#"<rect x="350.0" y="84.0" width="260.0""#,
            r#"<rect x="350.0" y="84.0" width="130.0""#,
            r#"<rect x="868.5""#,
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }

    #[test]
    fn ten_times_as_much_is_a_third_of_the_height() {
        let figures = r#"[{"services": 100, "calls": 1, "millis": 10, "mib": 20},
            {"services": 10000, "calls": 100, "millis": 1000, "mib": 100}]"#;
        let svg = (GROWTH.draw)(figures).expect("a picture");
        assert!(svg.contains(r#"points="60.0,414.0 520.0,194.0""#), "{svg}");
        assert!(svg.contains(r#"points="60.0,304.0 520.0,84.0""#), "{svg}");
        assert!(svg.contains("1000 ms on a processor"), "{svg}");
        assert!((GROWTH.draw)("[{}]").is_err());
    }
}
