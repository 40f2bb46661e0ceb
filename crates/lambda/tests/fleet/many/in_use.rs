//! All groups are in use: counts are looked at ten services a call, and tasks now and then.

use crate::calls;
use crate::fleet::{Fleet, Shape};

use super::{THOUSAND, assert_all_is_well, lengths};

/// Whether it is in use is read from a signal.
const AWAKE: Shape = Shape {
    tasks: 1,
    tags: &[("signals", "requests"), ("idle-after", "1m"), ("grace", "0s")],
    ..THOUSAND
};

#[test]
fn a_thousand_groups_in_use_cost_a_call_for_ten_services_and_a_round_of_closer_looks() {
    let fleet = Fleet::open(AWAKE);
    let ticks = fleet.run(fleet.ticks(2));
    assert_all_is_well(&ticks);
    let minutes = fleet.calls_of(&ticks);
    println!("{}", calls::table("1,000 groups in use", &minutes));
    println!("1,000 groups in use: ticks of {:?} s", lengths(&ticks));
    for minute in &minutes {
        // Six or seven of the hundred parts of the round are due, of ten groups and 30 services each. These are looked at
        // one by one, with two calls for the tasks of each service.
        let due = minute.count("ListTasks") / 3;
        assert!([60, 70].contains(&due), "{due}");
        assert_eq!(minute.count("DescribeTasks"), 3 * due);
        assert_eq!(minute.count("DescribeServices"), (3_000 - 3 * due) / 10 + due);
        minute.assert_half_of_each_minute();
        assert_eq!(minute.throttled(), 0);
    }
}
