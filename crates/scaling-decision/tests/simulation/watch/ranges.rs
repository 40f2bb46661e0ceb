//! A range of CPU utilization besides connections.

use super::must_be_told_once;
use super::scene::{BUSY, Watched};
use crate::sim::{minutes, seconds};

const BOTH: Watched = Watched {
    cpu: Some("30-70"),
    ..BUSY
};

/// The busy CPU is seen at the next minute's beginning, and connections in seconds.
#[test]
fn more_tasks_come_if_either_asks_for_them() {
    let mut sim = BOTH.open();
    sim.account.set_cpu(50.0);
    sim.load_after(seconds(70), 700);
    sim.run(seconds(80));
    assert_eq!(sim.account.counts_set(), [(6, 7)]);
    sim.account.set_cpu(90.0);
    sim.run(minutes(3));
    assert_eq!(sim.account.counts_set()[1], (7, 9));
    must_be_told_once(&sim);
    let notices = sim.account.notices.borrow();
    let codes: Vec<&str> = notices.iter().map(|notice| notice.reason.code()).collect();
    assert_eq!(codes[..2], ["target-above", "cpu-above"]);
}

#[test]
fn fewer_stay_only_if_both_agree() {
    for (cpu, load) in [(50.0, 150), (10.0, 550)] {
        let mut sim = BOTH.open();
        sim.account.set_cpu(cpu);
        sim.load_after(seconds(70), load);
        sim.run(minutes(20));
        assert!(sim.executions.is_empty() && sim.account.counts_set().is_empty());
        sim.account.set_cpu(10.0);
        sim.account.set_load(150);
        sim.run(minutes(20));
        assert_eq!(sim.account.counts_set(), [(6, 2)]);
        must_be_told_once(&sim);
        sim.must_be_clean();
    }
}

/// A utilization that is unknown keeps what there is, and keeps nothing from being added.
#[test]
fn an_unknown_utilization_removes_nothing() {
    let mut sim = BOTH.open();
    sim.account.outage(crate::account::Part::Other, minutes(20));
    sim.load_after(seconds(70), 150);
    sim.run(minutes(15));
    let calls = sim.account.calls();
    assert!(
        !calls.iter().any(|call| call.port == "start_scale_in"),
        "none is even tried"
    );
    sim.account.set_load(700);
    sim.run(seconds(6));
    assert_eq!(sim.account.counts_set(), [(6, 7)]);
    sim.run(minutes(8));
    must_be_told_once(&sim);
}
