//! List prices that the bench reckons with. They are all in `prices.json`, each with its source and date.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// The file, read once.
static PRICES: LazyLock<BTreeMap<String, Price>> = LazyLock::new(|| {
    let file: Value = serde_json::from_str(include_str!("prices.json")).unwrap_or_default();
    let prices = file["prices"].as_object().into_iter().flatten();
    prices
        .filter_map(|(name, price)| Some((name.clone(), Price::read(price)?)))
        .collect()
});

/// A list price.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Price {
    /// USD for one unit.
    pub(super) usd: f64,
    /// Where it is from and what it is for.
    pub(super) source: String,
    /// The date of the source.
    pub(super) as_of: String,
}

impl Price {
    fn read(price: &Value) -> Option<Self> {
        let text = |name: &str| price[name].as_str().filter(|text| !text.is_empty());
        text("unit")?;
        Some(Self {
            usd: price["usd"].as_f64()? / price["per"].as_f64().filter(|per| *per > 0.0)?,
            source: text("source")?.to_owned(),
            as_of: text("as_of")?.to_owned(),
        })
    }
}

/// A vCPU of a Fargate task for an hour; its memory is from the same source.
pub(super) fn vcpu_hour() -> Price {
    price("fargate-vcpu")
}

/// The file is part of the program, and a test reads all of it.
fn price(name: &str) -> Price {
    PRICES.get(name).cloned().expect("a price of the file")
}

/// vCPUs of the task that the bench puts to sleep.
const VCPUS: f64 = 0.25;
/// GB of its memory.
const GB: f64 = 0.5;

/// USD for one task of 0.25 vCPU and 0.5 GB for so many hours.
pub(super) fn of_task(hours: f64) -> f64 {
    hours * (VCPUS * vcpu_hour().usd + GB * price("fargate-memory").usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_task_that_is_always_on_costs_two_dollars_a_week() {
        // 0.25 · 0.04048 + 0.5 · 0.004445 = 0.0123425 USD an hour.
        assert!((of_task(1.0) - 0.012_342_5).abs() < 1e-12);
        assert!((of_task(168.0) - 2.073_54).abs() < 1e-9);
    }

    #[test]
    fn every_price_of_the_file_has_its_unit_source_and_date() {
        let file: Value = serde_json::from_str(include_str!("prices.json")).expect("JSON");
        let named: Vec<&String> = file["prices"].as_object().expect("prices").keys().collect();
        assert_eq!(PRICES.keys().collect::<Vec<_>>(), named);
        for (name, price) in PRICES.iter() {
            let is_date = price.as_of.len() == 10 && price.as_of.split('-').count() == 3;
            assert!(is_date && price.usd >= 0.0, "{name}: {price:?}");
        }
    }
}
