//! What metered calls and billed time cost a month at list prices.

use std::fmt::Write;

use serde::Deserialize;

use crate::calls::Calls;
use crate::fleet::Invocation;

/// 730 hours.
const MINUTES_A_MONTH: f64 = 43_800.0;

/// List prices, each with its source and date.
#[derive(Deserialize)]
struct Prices {
    prices: std::collections::BTreeMap<String, Price>,
}

#[derive(Deserialize)]
struct Price {
    usd: f64,
    /// For so many units.
    per: f64,
    unit: String,
}

/// A part of the bill.
struct Line {
    name: &'static str,
    unit: String,
    units_a_minute: f64,
    usd_a_month: f64,
}

/// A bill.
pub(crate) struct Month(Vec<Line>);

/// A month of minutes like these.
pub(crate) fn of(minutes: &[Calls], invocations: &[Invocation]) -> Month {
    let text = include_str!("../../../xtask/src/bench/prices.json");
    let prices: Prices = serde_json::from_str(text).expect("prices");
    let sum = |count: fn(&Calls) -> f64| minutes.iter().map(count).sum::<f64>();
    let seconds: f64 = invocations.iter().map(|i| i.length().as_secs_f64()).sum();
    let units: [(&'static str, f64); 8] = [
        ("lambda-arm64-duration", seconds * memory_size_gb()),
        ("lambda-requests", invocations.len() as f64),
        ("dynamodb-reads", sum(|calls| calls.read_units() as f64)),
        ("dynamodb-writes", sum(|calls| calls.write_units() as f64)),
        ("sns-publishes", sum(|calls| calls.count("Publish") as f64)),
        (
            "cloudwatch-metrics-read",
            sum(|calls| calls.count("GetMetricData") as f64),
        ),
        (
            "step-functions-transitions",
            sum(|calls| calls.count("StartExecution") as f64),
        ),
        ("eventbridge-scheduled-rules", invocations.len() as f64),
    ];
    let lines = units.map(|(name, units)| {
        let price = prices
            .prices
            .get(name)
            .unwrap_or_else(|| panic!("no price of {name}"));
        let units_a_minute = units / invocations.len() as f64;
        Line {
            name,
            unit: price.unit.clone(),
            units_a_minute,
            usd_a_month: units_a_minute * MINUTES_A_MONTH * price.usd / price.per,
        }
    });
    Month(lines.into())
}

impl Month {
    pub(crate) fn total(&self) -> f64 {
        self.0.iter().map(|line| line.usd_a_month).sum()
    }

    pub(crate) fn table(&self, title: &str) -> String {
        let mut text = format!("\n| {title} | unit | units a minute | USD a month |\n|---|---|---:|---:|\n");
        for line in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} | {:.2} |",
                line.name, line.unit, line.units_a_minute, line.usd_a_month
            );
        }
        let _ = writeln!(text, "| total | | | {:.2} |", self.total());
        text
    }
}

/// The memory that the template gives the function, in GB as Lambda counts them (1,024 MB).
fn memory_size_gb() -> f64 {
    let template = include_str!("../../../../template.yaml");
    let (_, function) = template
        .split_once("\n  ScalingDecisionFunction:\n")
        .expect("the function");
    let (_, size) = function.split_once(" MemorySize: ").expect("its memory");
    let size = size.split_whitespace().next().expect("a number");
    size.parse::<f64>().expect("megabytes") / 1024.0
}
