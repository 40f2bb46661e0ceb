//! Spikes: how long it takes from a load that needs more tasks until UpdateService arrives at ECS.

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::scaling::watch::Memory;
use fargate_sim::model::Millis;
use fastrand::Rng;
use futures_util::future::{join, join_all};

use crate::fleet::{FLEET, Fleet, Invocation, MINUTE, Shape, load_for};
use crate::ports::Probes;

/// How long it lasts, and over how many services. Without optimizations a part must do.
const SCALE: (u64, usize) = match cfg!(debug_assertions) {
    true => (14, 60),
    false => (32, FLEET.services),
};
const MINUTES: u64 = SCALE.0;
/// Each service has so many, each for one to two tasks more.
const SPIKES_EACH: u64 = 2;
/// The mark to beat (the project's goal): from the moment of the load to UpdateService.
const GOAL: Duration = Duration::from_secs(6);

/// One service's load jumps.
#[derive(Clone, Copy, Debug)]
struct Spike {
    at: Millis,
    service: usize,
    /// Tasks that it needs from then on.
    tasks: u32,
}

/// The moments of the schedule's events: each 60 s after the one before, a second less or more. Now and then one is
/// delivered twice, the second time after half a minute (Amazon EventBridge User Guide: "at least once").
fn events(random: &mut Rng, begun: Millis) -> Vec<(Millis, bool)> {
    let (mut at, mut events) = (begun, Vec::new());
    for minute in 0..MINUTES {
        events.push((at, false));
        if minute % 10 == 5 {
            events.push((at + MINUTE / 2, true));
        }
        at = at + MINUTE - Duration::from_secs(1) + Duration::from_millis(random.u64(0..=2000));
    }
    events
}

/// Spikes at random moments; one in five within two seconds of the change of invocations.
fn spikes(random: &mut Rng, begun: Millis, events: &[(Millis, bool)], shape: Shape) -> Vec<Spike> {
    let mut spikes = Vec::new();
    for round in 0..SPIKES_EACH {
        // Beginning with the second minute, and so that those of one service are minutes apart.
        let half = (MINUTES - 3) * 60_000 / SPIKES_EACH;
        let from = begun + MINUTE + Duration::from_millis(round * half);
        let borders: Vec<Millis> = events.iter().map(|(at, _)| *at).collect();
        let borders: Vec<Millis> = borders
            .into_iter()
            .filter(|at| (from + MINUTE..from + Duration::from_millis(half)).contains(at))
            .collect();
        for service in 0..shape.services {
            let at = match service % 5 {
                0 => {
                    let border = borders[random.usize(0..borders.len())];
                    border - Duration::from_secs(2) + Duration::from_millis(random.u64(0..4000))
                }
                _ => from + Duration::from_millis(random.u64(0..half - 60_000)),
            };
            spikes.push(Spike {
                at,
                service,
                tasks: shape.tasks + 2 * round as u32 + random.u32(1..=2),
            });
        }
    }
    spikes.sort_by_key(|spike| spike.at);
    spikes
}

/// The schedule's invocations. Every tenth begins in a new function, which remembers nothing, as does one that meets
/// another under way.
async fn schedule(fleet: &Fleet, events: &[(Millis, bool)]) -> Vec<Invocation> {
    let memories: Vec<Memory> = events.iter().map(|_| Memory::default()).collect();
    let mut memory = 0;
    let invocations = events.iter().enumerate().map(|(number, (at, is_second))| {
        if number % 10 == 9 && !is_second {
            memory = number;
        }
        let memory = if *is_second {
            &memories[number]
        } else {
            &memories[memory]
        };
        async move {
            fleet.cloud.time.until(*at).await;
            fleet.invoke(memory).await
        }
    });
    join_all(invocations).await
}

/// From each spike to the next UpdateService for its service.
fn latencies(fleet: &Fleet, spikes: &[Spike]) -> Vec<Duration> {
    let shared = fleet.cloud.shared();
    let mut updates: BTreeMap<String, Vec<Millis>> = BTreeMap::new();
    for (at, body) in &shared.updates {
        let service = body["service"].as_str().expect("a service").to_owned();
        updates.entry(service).or_default().push(*at);
    }
    let latency = |spike: &Spike| {
        let name = fleet.shape.key(spike.service).name;
        let next = updates
            .get(&name)
            .and_then(|ats| ats.iter().find(|at| **at >= spike.at));
        let next = next.unwrap_or_else(|| panic!("{spike:?} is never answered"));
        next.since(spike.at)
    };
    let mut latencies: Vec<Duration> = spikes.iter().map(latency).collect();
    latencies.sort();
    latencies
}

#[test]
fn a_spike_reaches_update_service_within_six_seconds_whenever_it_comes() {
    let fleet = Fleet::open(Shape {
        services: SCALE.1,
        probes: Probes::Direct,
        ..FLEET
    });
    let mut random = Rng::with_seed(6);
    let begun = fleet.cloud.time.now();
    let events = events(&mut random, begun);
    let spikes = spikes(&mut random, begun, &events, fleet.shape);
    let loads = join_all(spikes.iter().map(async |spike| {
        fleet.cloud.time.until(spike.at).await;
        fleet.set_load(spike.service, load_for(spike.tasks));
    }));
    let (invocations, _) = fleet.run(join(schedule(&fleet, &events), loads));

    let elsewhere = invocations
        .iter()
        .filter(|i| i.answer["watch"]["elsewhere"] == true);
    let latencies = latencies(&fleet, &spikes);
    let percentile = |p: usize| latencies[(latencies.len() * p).div_ceil(100) - 1].as_secs_f64();
    println!(
        "{} spikes in {MINUTES} minutes, {} events of which {} met a watch under way: UpdateService after {:.2} s at the \
         least, {:.2} s in the median, {:.2} s p99, {:.2} s at the most",
        latencies.len(),
        events.len(),
        elsewhere.count(),
        latencies[0].as_secs_f64(),
        percentile(50),
        percentile(99),
        percentile(100),
    );
    assert!(latencies.len() >= 500 || cfg!(debug_assertions));
    assert!(
        percentile(99) <= GOAL.as_secs_f64(),
        "p99 {:.2} s",
        percentile(99)
    );
    let shared = fleet.cloud.shared();
    assert_eq!(shared.calls.throttled(), 0, "nothing is throttled");
    assert_eq!(
        shared.updates.len(),
        shared.calls.count("Publish"),
        "everybody is told of each, once"
    );
}
