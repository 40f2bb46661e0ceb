//! Ten thousand services and a few less: the tick is dealt to eight invocations.

use std::time::Duration;

use fargate_sim::model::Millis;

use crate::calls::Calls;
use crate::fleet::{Fleet, Invocation, MINUTE, Shape};

use super::{THOUSAND, assert_all_is_well, lengths};

/// 3,334 groups in four clusters.
const TEN_THOUSAND: Shape = Shape {
    services: 10_000,
    clusters: 4,
    ..THOUSAND
};

/// Each invocation ends before the next tick.
const WITHIN: Duration = Duration::from_secs(60);

/// What each of so many ticks asked for.
fn ticks(title: &str, fleet: &Fleet, minutes: u32) -> Vec<Calls> {
    let config = dormouse_testkit::config(&[("SHARDS", "8"), ("TICK_QUEUE_URL", "https://queue")]);
    let begun = fleet.cloud.time.now();
    let of = |minute: u32| begun + minute * MINUTE;
    for minute in 0..minutes {
        let (parent, parts) = fleet.run(async {
            fleet.cloud.time.until(of(minute)).await;
            fleet.sharded_tick(&config).await
        });
        let answers: Vec<Invocation> = parts.iter().flat_map(answers).collect();
        assert_all_is_well(&answers);
        assert!(parent.length() < WITHIN && parts.iter().all(|part| part.length() < WITHIN));
        println!(
            "{title}: {:?} s, parts of {:?} s",
            lengths(&[parent]),
            lengths(&parts)
        );
    }
    fleet.run(fleet.cloud.time.until(of(minutes)));
    let shared = fleet.cloud.shared();
    let all: Vec<Calls> = (0..minutes)
        .map(|minute| shared.calls.within(of(minute)..Millis(of(minute + 1).0)))
        .collect();
    println!("{}", crate::calls::table(title, &all));
    for calls in &all {
        let units = (calls.read_units(), calls.write_units());
        println!(
            "{title}: {} read units and {} write units of DynamoDB",
            units.0, units.1
        );
        calls.assert_half_of_every_read_bucket();
    }
    all
}

/// The answers of all parts that an invocation took.
fn answers(part: &Invocation) -> Vec<Invocation> {
    let parts = part.answer["parts"].as_array().into_iter().flatten();
    let of = |answer: &serde_json::Value| Invocation {
        span: part.span.clone(),
        answer: answer.clone(),
    };
    parts.map(of).collect()
}

#[test]
fn ten_thousand_services_asleep_cost_a_call_for_ten_of_those_that_are_due() {
    let fleet = Fleet::open(TEN_THOUSAND);
    for calls in ticks("10,000 services asleep", &fleet, 1) {
        let looked_at = fleet.glances.borrow().len();
        // A cluster's part of the round may be cut once by each border between shards.
        let fewest = looked_at.div_ceil(10);
        let looks = calls.count("DescribeServices");
        assert!(
            (fewest..=fewest + 8 + 4).contains(&looks),
            "{looks} for {looked_at}"
        );
        assert!((600..=800).contains(&looked_at), "about a fifteenth: {looked_at}");
    }
}

#[test]
fn twelve_hundred_services_in_use_that_are_dealt_out_are_all_looked_at_within_two_ticks() {
    let fleet = Fleet::open(Shape {
        tasks: 1,
        services: 1_200,
        tags: &[("signals", "requests"), ("idle-after", "1m"), ("grace", "0s")],
        ..TEN_THOUSAND
    });
    ticks("1,200 services in use", &fleet, 2);
    let looked_at = fleet.looked_at.borrow().len();
    assert_eq!(looked_at, fleet.shape.services);
}
