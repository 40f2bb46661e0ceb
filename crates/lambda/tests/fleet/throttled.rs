//! Throttling: somebody else in the account empties ECS's read buckets.

use std::time::Duration;

use dormouse_core::scaling::watch::Memory;
use fargate_sim::model::Millis;
use fastrand::Rng;
use futures_util::future::join;

use crate::calls::READS;
use crate::fleet::{FLEET, Fleet, Invocation, MINUTE, Shape, load_for};
use crate::ports::Probes;

/// The fleet in a part of its size: what is shown here does not depend on it.
const SHAPE: Shape = Shape {
    services: 60,
    probes: Probes::Direct,
    ..FLEET
};

/// Somebody else takes all tokens there are out of both read buckets, at random moments so many milliseconds apart in
/// the mean, until a moment.
async fn drain(fleet: &Fleet, every: u64, until: Millis) {
    let mut random = Rng::with_seed(4);
    while fleet.cloud.time.now() < until {
        let now = fleet.cloud.time.now();
        {
            let mut shared = fleet.cloud.shared();
            let throttle = shared.endpoint.throttle.as_mut().expect("throttles");
            for operation in ["DescribeServices", "ListTasks"] {
                while throttle.admit(operation, now).is_ok() {}
            }
        }
        let pause = random.u64(1..=2 * every);
        fleet.cloud.time.pause(Duration::from_millis(pause)).await;
    }
}

/// Five minutes; in the second and third of them somebody else drains the buckets, but for the last ten seconds.
fn watch(every: u64, spikes: &[(Duration, usize)]) -> (Fleet, Vec<Invocation>) {
    let fleet = Fleet::open(SHAPE);
    let memory = Memory::default();
    let begun = fleet.cloud.time.now();
    let drained = async {
        fleet.cloud.time.until(begun + MINUTE).await;
        drain(&fleet, every, begun + 3 * MINUTE - Duration::from_secs(10)).await;
    };
    let loads = async {
        for (after, service) in spikes {
            fleet.cloud.time.until(begun + *after).await;
            fleet.set_load(*service, load_for(4));
        }
    };
    let (invocations, _) = fleet.run(join(fleet.minutes(5, &memory), join(drained, loads)));
    let minutes = fleet.calls_of(&invocations);
    let throttled: Vec<usize> = minutes.iter().map(|minute| minute.throttled()).collect();
    println!("drained every {every} ms: {throttled:?} calls of each minute are throttled");
    assert_eq!(throttled[0], 0, "{throttled:?}");
    assert_eq!(throttled[3..], [0, 0], "it recovers: {throttled:?}");
    (fleet, invocations)
}

#[test]
fn readings_go_on_with_what_is_known_while_all_looks_are_throttled() {
    let (fleet, invocations) = watch(2, &[]);
    for invocation in &invocations {
        let told = ["passes", "skipped", "readings", "unknown"].map(|name| invocation.watch(name));
        assert_eq!(told, [20, 0, 20 * SHAPE.services as u64, 0]);
    }
    let minutes = fleet.calls_of(&invocations);
    for bucket in &READS {
        for minute in &minutes {
            let [.., most] = minute.spans(bucket);
            assert!(most <= 600, "{}: tries are bounded too: {most}", bucket.name);
        }
    }
}

#[test]
fn a_spike_is_answered_though_others_take_most_tokens() {
    let spikes: Vec<(Duration, usize)> = (0..20u32)
        .map(|n| {
            (
                MINUTE + Duration::from_secs(2) + n * Duration::from_millis(4_700),
                n as usize,
            )
        })
        .collect();
    let (fleet, _) = watch(50, &spikes);
    let shared = fleet.cloud.shared();
    let begun = shared.calls.0[0].at;
    let mut longest = Duration::ZERO;
    for (after, service) in spikes {
        let at = begun + after - Duration::from_millis(20);
        let name = fleet.shape.key(service).name;
        let update = shared
            .updates
            .iter()
            .find(|(_, body)| body["service"] == name.as_str());
        let (answered, _) = update.unwrap_or_else(|| panic!("the spike of {name} is never answered"));
        longest = longest.max(answered.since(at));
    }
    println!(
        "20 spikes are answered after {:.1} s at the most while others take most tokens",
        longest.as_secs_f64()
    );
    assert!(longest < Duration::from_secs(30), "{longest:?}");
}
