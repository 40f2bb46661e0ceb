//! Steady load: how many calls a minute it takes to watch, and what that costs.

use std::time::Duration;

use dormouse_core::scaling::watch::Memory;
use fargate_sim::model::Millis;

use crate::calls::{self, Calls, READS};
use crate::cost;
use crate::fleet::{FLEET, Fleet, Invocation, Shape};
use crate::ports::Probes;
use crate::stopwatch::on_processor;

/// What 300 services may cost a month, in USD. Our promise. Nearly all of it is the
/// function's time, which does not depend on how many services there are.
const MOST_A_MONTH: f64 = 5.0;

/// Without optimizations fewer must do.
const MINUTES: usize = if cfg!(debug_assertions) { 2 } else { 5 };

/// Some minutes, the first of which begins with a function that remembers nothing.
fn watch(title: &str, shape: Shape, first_reading_within: Duration) -> (Vec<Invocation>, Vec<Calls>) {
    let fleet = Fleet::open(shape);
    let memory = Memory::default();
    let invocations = fleet.run(fleet.minutes(MINUTES, &memory));
    let minutes = fleet.calls_of(&invocations);
    println!("{}", calls::table(title, &minutes));
    {
        let shared = fleet.cloud.shared();
        for bucket in &READS {
            let [second, ten, minute] = shared.calls.spans(bucket);
            println!(
                "{}: at most {second} in 1 s, {ten} in 10 s, {minute} in 60 s",
                bucket.name
            );
        }
        shared.calls.assert_half_of_every_read_bucket();
    }
    let first = last_first_reading(&fleet, invocations[0].span.start);
    println!(
        "every service has been read {:.1} s after the cold start",
        first.as_secs_f64()
    );
    assert!(first < first_reading_within, "{first:?}");
    for minute in &minutes[1..] {
        minute.assert_half_of_each_minute();
    }
    for invocation in &invocations {
        assert_eq!((invocation.watch("passes"), invocation.watch("skipped")), (20, 0));
        assert!(
            invocation.length() < Duration::from_secs(58),
            "{:?}",
            invocation.span
        );
    }
    (invocations, minutes)
}

/// From this moment until each service has been read.
fn last_first_reading(fleet: &Fleet, from: Millis) -> Duration {
    let readings = fleet.first_readings.borrow();
    assert_eq!(readings.len(), fleet.shape.services, "each is read");
    let last = readings.values().max().expect("a reading");
    last.since(from)
}

#[test]
fn three_hundred_services_are_read_every_three_seconds_within_half_of_every_read_bucket() {
    // In the first pass.
    let within = Duration::from_secs(3);
    let (invocations, minutes) = watch("300 services in 10 clusters", FLEET, within);
    for invocation in &invocations[1..] {
        assert_eq!(
            (invocation.watch("readings"), invocation.watch("unknown")),
            (6000, 0)
        );
    }
    let month = cost::of(&minutes[1..], &invocations[1..]);
    println!("{}", month.table("300 services in 10 clusters"));
    assert!(month.total() < MOST_A_MONTH, "{} USD a month", month.total());
}

#[test]
fn services_in_clusters_of_their_own_stay_within_half_of_every_read_bucket_too() {
    let shape = Shape {
        clusters: FLEET.services,
        ..FLEET
    };
    // Two calls for each cluster, ten a second.
    let within = Duration::from_secs(63);
    let (invocations, minutes) = watch("300 services in 300 clusters", shape, within);
    let last = invocations.last().expect("an invocation");
    assert_eq!((last.watch("readings"), last.watch("unknown")), (6000, 0));
    let month = cost::of(&minutes[1..], &invocations[1..]);
    println!("{}", month.table("300 services in 300 clusters"));
    assert!(month.total() < MOST_A_MONTH, "{} USD a month", month.total());
}

#[test]
fn nothing_is_asked_of_ecs_and_no_lease_is_taken_where_nobody_wants_to_be_watched() {
    let fleet = Fleet::open(Shape {
        watched: false,
        ..FLEET
    });
    let invocation = fleet.run(fleet.invoke(&Memory::default()));
    assert!(
        invocation.length() < Duration::from_secs(1),
        "{:?}",
        invocation.length()
    );
    let shared = fleet.cloud.shared();
    let operations: Vec<&str> = shared
        .calls
        .0
        .iter()
        .map(|call| call.operation.as_str())
        .collect();
    assert_eq!(operations, ["Query", "Query"], "settings and records");
    assert!(!fleet.table.borrow().has_leases());
    assert!(invocation.answer["watch"].is_null());
}

/// A function with 1,769 MB has one vCPU (AWS Lambda Developer Guide, "Configure Lambda function memory"), and this one
/// 128.
const OF_A_VCPU: f64 = 128.0 / 1769.0;

/// Not asserted: it depends on the machine.
#[test]
fn a_pass_over_six_hundred_tasks_takes_this_long_on_the_processor() {
    let fleet = Fleet::open(Shape {
        // Without optimizations the time says nothing, and a part must do.
        services: if cfg!(debug_assertions) {
            30
        } else {
            FLEET.services
        },
        probes: Probes::Adapter,
        ..FLEET
    });
    let memory = Memory::default();
    fleet.run(fleet.minutes(1, &memory));
    let so_far = || (fleet.asked.get(), on_processor(), fleet.cloud.shared().simulated);
    let before = so_far();
    fleet.run(fleet.minutes(1, &memory));
    let after = so_far();
    let tasks = (after.0 - before.0) / 20;
    assert_eq!(tasks, 2 * fleet.shape.services as u64);
    let Some((after_all, before_all)) = after.1.zip(before.1) else {
        return println!("a pass over {tasks} tasks: the system does not tell how long");
    };
    let a_pass = |spent: Duration| spent.as_secs_f64() * 1000.0 / 20.0;
    let (all, simulated) = (a_pass(after_all - before_all), a_pass(after.2 - before.2));
    println!(
        "a pass over {tasks} tasks: {all:.1} ms on the processor, {simulated:.1} ms of it in the simulator; the rest on \
         {OF_A_VCPU:.3} of a vCPU like this one: {:.2} s",
        (all - simulated) / OF_A_VCPU / 1000.0
    );
}
