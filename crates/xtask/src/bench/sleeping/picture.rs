//! The picture about sleep: hours awake against visits that waited, one panel for each rate.

use super::measure::Cost;
use super::policy::Policy;
use super::visits::RATES;
use crate::bench::svg::{Anchor, COLOURS, GRID, INK, PALE_INK, Svg};

const PANEL: f64 = 250.0;
const GAP: f64 = 36.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 84.0;
const WEEK: f64 = 168.0;

/// The name of the file, and the file.
pub(super) fn draw(source: &str, costs: &[Vec<Cost>]) -> (String, String) {
    let width = LEFT + RATES.len() as f64 * (PANEL + GAP);
    let mut svg = Svg::new(width, TOP + PANEL + 130.0);
    let title = format!("Hours awake against visits that had to wait ({source})");
    svg.bold((LEFT, 30.0), 18.0, INK, &title);
    let subtitle =
        "Towards the lower left is better. Who waits, waits 45 s at most; under office hours until it opens.";
    svg.text((LEFT, 52.0), Anchor::Start, 13.0, PALE_INK, subtitle);
    svg.upward(
        (20.0, TOP + PANEL / 2.0),
        13.0,
        "visits that had to wait, % of all",
    );
    for (number, (rate, costs)) in RATES.iter().zip(costs).enumerate() {
        panel(&mut svg, LEFT + number as f64 * (PANEL + GAP), *rate, costs);
    }
    let middle = LEFT + (width - LEFT - GAP) / 2.0;
    svg.text(
        (middle, TOP + PANEL + 44.0),
        Anchor::Middle,
        13.0,
        INK,
        "hours awake per week",
    );
    legend(&mut svg, TOP + PANEL + 80.0);
    let name = source.replace(", ", "-");
    (format!("policy-sleeping-{name}.svg"), svg.finish())
}

fn panel(svg: &mut Svg, left: f64, rate: u32, costs: &[Cost]) {
    let bottom = TOP + PANEL;
    let at = |cost: &Cost| {
        let share = if cost.visits > 0.0 {
            cost.waited / cost.visits
        } else {
            0.0
        };
        (left + cost.hours / WEEK * PANEL, bottom - share * PANEL)
    };
    for step in 0..=4 {
        let (x, y) = (
            left + PANEL / 4.0 * f64::from(step),
            bottom - PANEL / 4.0 * f64::from(step),
        );
        svg.line((x, TOP), (x, bottom), GRID);
        svg.line((left, y), (left + PANEL, y), GRID);
        svg.text(
            (x, bottom + 18.0),
            Anchor::Middle,
            12.0,
            PALE_INK,
            &(42 * step).to_string(),
        );
        if left == LEFT {
            svg.text(
                (left - 8.0, y + 4.0),
                Anchor::End,
                12.0,
                PALE_INK,
                &(25 * step).to_string(),
            );
        }
    }
    svg.line((left, bottom), (left + PANEL, bottom), INK);
    svg.line((left, TOP), (left, bottom), INK);
    let words = match rate {
        1 => "1 visit a day".to_owned(),
        _ => format!("{rate} visits a day"),
    };
    svg.bold((left, TOP - 8.0), 13.0, INK, &words);
    let ours = Policy::ALL
        .iter()
        .zip(costs)
        .filter(|(policy, _)| policy.is_ours());
    let ours: Vec<(f64, f64)> = ours.map(|(_, cost)| at(cost)).collect();
    svg.path(&ours, COLOURS[0], 1.5);
    for (number, cost) in costs.iter().enumerate() {
        let (shape, colour) = look(number);
        svg.mark(at(cost), shape, colour);
    }
}

/// Shape and colour of a policy: all of ours have one colour.
fn look(number: usize) -> (usize, &'static str) {
    let ours = Policy::ALL
        .iter()
        .position(|policy| policy.is_ours())
        .unwrap_or(0);
    if number >= ours {
        (number - ours, COLOURS[0])
    } else {
        (number, COLOURS[1 + number % 7])
    }
}

fn legend(svg: &mut Svg, y: f64) {
    for (number, policy) in Policy::ALL.iter().enumerate() {
        let x = LEFT + number as f64 * 155.0;
        let (shape, colour) = look(number);
        svg.mark((x, y), shape, colour);
        svg.text((x + 12.0, y + 4.0), Anchor::Start, 13.0, INK, &policy.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_drawn_at_its_hours_and_its_waits() {
        let cost = Cost {
            hours: 84.0,
            waited: 25.0,
            cut_off: 0.0,
            waited_hours: 0.0,
            visits: 100.0,
        };
        let (name, svg) = draw("made, office", &vec![vec![cost; Policy::ALL.len()]; RATES.len()]);
        assert_eq!(name, "policy-sleeping-made-office.svg");
        let (x, y) = (LEFT + PANEL / 2.0, TOP + PANEL * 0.75);
        assert!(svg.contains(&format!(r#"cx="{x:.1}" cy="{y:.1}""#)), "{svg}");
        assert!(Policy::ALL.iter().all(|policy| svg.contains(&policy.name())));
    }
}
