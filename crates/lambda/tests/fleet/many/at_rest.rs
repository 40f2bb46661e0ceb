//! All groups are asleep: each is looked at once in a quarter of an hour, ten services a call.

use crate::calls;
use crate::fleet::{Fleet, Shape};

use super::{THOUSAND, assert_all_is_well};

/// A round over all groups.
fn round(title: &str, shape: Shape) -> (Fleet, Vec<usize>) {
    let fleet = Fleet::open(shape);
    let ticks = fleet.run(fleet.ticks(15));
    assert_all_is_well(&ticks);
    let minutes = fleet.calls_of(&ticks);
    println!("{}", calls::table(title, &minutes));
    for minute in &minutes {
        let mut all = minute.by_operation();
        all.remove("PutItem");
        let all: Vec<&str> = all.into_keys().collect();
        assert_eq!(all, ["DescribeServices", "GetResources", "Query"]);
        assert_eq!(minute.count("Query"), 2);
        minute.assert_half_of_every_read_bucket();
    }
    let writes = minutes.iter().map(|minute| minute.count("PutItem"));
    assert_eq!(writes.sum::<usize>(), 1, "that the tags were read");
    let glances = fleet.glances.borrow().clone();
    assert_eq!(glances.len(), shape.services, "each is looked at");
    assert!(glances.values().all(|times| *times == 1), "once: {glances:?}");
    let looks = minutes.iter().map(|minute| minute.count("DescribeServices"));
    (fleet, looks.collect())
}

#[test]
fn a_thousand_groups_asleep_cost_a_call_for_ten_services_in_a_quarter_of_an_hour() {
    let (_, looks) = round("1,000 groups asleep in one cluster", THOUSAND);
    assert_eq!(looks.iter().sum::<usize>(), 300, "{looks:?}");
    // Ten groups of three services are three whole calls. Of these hundred parts a minute has six or seven.
    assert!(looks.iter().all(|calls| [18, 21].contains(calls)), "{looks:?}");
}

#[test]
fn groups_asleep_in_many_clusters_cost_no_more_calls_than_their_clusters_need() {
    let shape = Shape {
        clusters: 100,
        ..THOUSAND
    };
    let (_, looks) = round("1,000 groups asleep in 100 clusters", shape);
    assert_eq!(looks.iter().sum::<usize>(), 300, "{looks:?}");
    assert!(looks.iter().all(|calls| *calls <= 30), "{looks:?}");
}
