//! The tables about sleep, and where another policy is better.

use super::measure::{BURST, Cost};
use super::policy::{Policy, WAKE};
use super::visits::{DAYS, DRAWS, RATES};
use crate::bench::prices;
use crate::bench::table::{Cell, Table};

/// A name, and for each of [`RATES`] what each of [`Policy::ALL`] cost.
type Results<'a> = [(&'a str, Vec<Vec<Cost>>)];

/// What is compared: its name, and its value as it is shown.
type Measure = (&'static str, fn(&Cost) -> Cell);

const MEASURES: [Measure; 4] = [
    ("fewer hours awake", hours),
    ("fewer visits that waited", waited),
    ("fewer hours waited", waited_hours),
    ("fewer users cut off", cut_off),
];

fn hours(cost: &Cost) -> Cell {
    Cell::number(cost.hours, 1)
}

fn waited(cost: &Cost) -> Cell {
    Cell::number(cost.waited, 1)
}

fn waited_hours(cost: &Cost) -> Cell {
    Cell::number(cost.waited_hours, 1)
}

fn cut_off(cost: &Cost) -> Cell {
    Cell::number(cost.cut_off, 1)
}

pub(super) fn markdown(results: &Results<'_>) -> String {
    let mut text = preface();
    text.push_str("\n### Hours awake per week (USD per week)\n\n");
    text.push_str(&table(results, |cost| {
        hours(cost).and(&format!("({:.2})", prices::of_task(cost.hours)))
    }));
    text.push_str("\n### Visits that had to wait, per week (of all visits)\n\n");
    text.push_str(&table(results, |cost| {
        waited(cost).and(&format!("({:.0} %)", 100.0 * cost.waited / cost.visits))
    }));
    text.push_str("\n### Hours that all of those waited together, per week\n\n");
    text.push_str(&table(results, waited_hours));
    text.push_str("\n### Users cut off, per week\n\n");
    text.push_str(&table(results, cut_off));
    text.push_str(&format!(
        "\n### Where another policy is better than {}\n\n",
        Policy::OURS.name()
    ));
    for (name, rows) in results {
        for (rate, costs) in RATES.iter().zip(rows) {
            text.push_str(&better(&label(name, *rate), costs));
        }
    }
    text
}

fn label(name: &str, rate: u32) -> String {
    format!("{name}, {rate} a day")
}

fn preface() -> String {
    let price = prices::vcpu_hour();
    let (draws, burst) = (DRAWS.map(|draws| draws.to_string()).join(", "), BURST / 60);
    format!(
        "One environment with one task of 0.25 vCPU and 0.5 GB, {DAYS} days, with 1 to 200 visits a day. `real, thinned` \
         keeps each request of the real trace with the same probability; `made, office` is made by the project: people \
         who come mostly in office hours and make about four requests in a row. The rows are averages of {draws} draws \
         with fixed seeds.\n\n\
         - A wake takes {WAKE} s under every policy. A visit *had to wait* if it found the task asleep or waking. Under \
         office hours, who comes outside of them wakes nothing and waits until it opens: up to 62 hours, where the \
         others wait {WAKE} s at most.\n\
         - A user is *cut off* if the task is put to sleep and, at most {burst} minutes after the last request was \
         served, another one comes and finds it asleep.\n\
         - USD: list price as of {}, for the task alone ({}). What AWS charges for Dormouse's own functions is not in \
         it, nor is what another policy needs to run.\n\
         - Dormouse N min: the real `decide` with `dormouse:idle-after` N min, a tick each minute, the signal `requests` \
         and metrics that show 2 minutes late. That lateness is the one way in which it cuts users off: it does not know \
         of the last minutes. The hourly log and the cooldown are taken to know each request at once, which is in their \
         favour.\n",
        price.as_of, price.source
    )
}

fn table(results: &Results<'_>, cell: impl Fn(&Cost) -> Cell) -> String {
    let rows = results.iter().flat_map(|(name, rows)| {
        let rates = RATES.iter().zip(rows);
        rates.map(|(rate, costs)| (label(name, *rate), costs.iter().map(&cell).collect()))
    });
    Table {
        corner: "visits".to_owned(),
        columns: Policy::ALL.iter().map(|policy| policy.name()).collect(),
        rows: rows.collect(),
    }
    .markdown()
}

/// One list item: which other policy has less than ours by each measure, and which has more of nothing.
fn better(label: &str, costs: &[Cost]) -> String {
    let policies = || {
        Policy::ALL
            .iter()
            .zip(costs)
            .filter(|(policy, _)| !policy.is_ours())
    };
    let Some((_, ours)) = Policy::ALL
        .iter()
        .zip(costs)
        .find(|(policy, _)| **policy == Policy::OURS)
    else {
        return String::new();
    };
    let clauses = MEASURES.iter().filter_map(|(what, of)| {
        let ours = of(ours);
        let lower = policies().map(|(policy, cost)| (policy, of(cost)));
        let names: Vec<String> = lower
            .filter(|(_, cell)| cell.value < ours.value)
            .map(|(policy, cell)| format!("{} {}", policy.name(), cell.text))
            .collect();
        (!names.is_empty()).then(|| format!("{what} (ours {}): {}", ours.text, names.join(", ")))
    });
    let clauses: Vec<String> = clauses.collect();
    let no_worse = |cost: &Cost| MEASURES.iter().all(|(_, of)| of(cost).value <= of(ours).value);
    let lower = |cost: &Cost| MEASURES.iter().any(|(_, of)| of(cost).value < of(ours).value);
    let winners: Vec<String> = policies()
        .filter(|(_, cost)| no_worse(cost) && lower(cost))
        .map(|(policy, _)| policy.name())
        .collect();
    let overall = match winners.as_slice() {
        [] => "none is at least as good in all four".to_owned(),
        names => format!(
            "**at least as good in all four and better in one: {}**",
            names.join(", ")
        ),
    };
    let clauses = if clauses.is_empty() {
        "none".to_owned()
    } else {
        clauses.join("; ")
    };
    format!("- {label}: {clauses}; {overall}.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(change: impl Fn(Policy, &mut Cost)) -> Vec<Cost> {
        let all = Policy::ALL.iter().map(|policy| {
            let mut cost = Cost {
                hours: 50.0,
                waited: 10.0,
                cut_off: 1.0,
                waited_hours: 2.0,
                visits: 100.0,
            };
            change(*policy, &mut cost);
            cost
        });
        all.collect()
    }

    #[test]
    fn a_policy_that_is_better_is_named_with_its_number() {
        let costs = costs(|policy, cost| match policy {
            Policy::Cooldown(_) => (cost.hours, cost.waited) = (20.0, 30.0),
            Policy::AlwaysOn => (cost.hours, cost.waited) = (168.0, 0.0),
            Policy::Uptime(_) => cost.hours = 49.9,
            _ => {}
        });
        assert_eq!(
            better("x", &costs),
            "- x: fewer hours awake (ours 50.0): uptime 4 h 49.9, cooldown 5 min 20.0; fewer visits that waited (ours \
             10.0): always on 0.0; **at least as good in all four and better in one: uptime 4 h**.\n"
        );
    }

    #[test]
    fn what_cannot_be_seen_in_the_table_is_not_claimed() {
        let costs = costs(|policy, cost| {
            if !policy.is_ours() {
                cost.hours = 49.99;
            }
        });
        assert_eq!(
            better("x", &costs),
            "- x: none; none is at least as good in all four.\n"
        );
    }
}
