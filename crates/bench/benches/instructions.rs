//! Instructions of what is done most, counted by callgrind: the same on every run, so that a rise is one of the code.
//! `cargo xtask bench instructions` runs them, and fails where one rises by more than a twentieth.

#![expect(missing_docs, reason = "the macros make modules without")]

use std::collections::BTreeMap;
use std::hint::black_box;

use dormouse_core::config::Config;
use dormouse_core::decide::{Decision, decide};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::observation::{Observation, Seen, ServiceState};
use dormouse_core::ports::Clock as _;
use dormouse_core::record::{Phase, Record};
use dormouse_core::settings::{Defaults, GroupSettings};
use dormouse_core::tags::{self, TaggedService};
use dormouse_testkit::{World, config, event, reports};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// Fails if there are more instructions than these and a twentieth.
fn kept(instructions: u64) -> LibraryBenchmarkConfig {
    let most = instructions + instructions / 20;
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, most)]));
    config
}

fn tagged(services: usize) -> Vec<TaggedService> {
    let tags = [
        ("dormouse:group", "dev"),
        ("dormouse:idle-after", "30m"),
        ("dormouse:grace", "5m"),
        ("dormouse:awake", "mon-fri 08:00-19:00 Europe/Berlin"),
        ("Owner", "somebody"),
    ];
    let service = |number: usize| TaggedService {
        id: ServiceId::parse(&format!("dev/web-{number}")).expect("a service"),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    };
    (0..services).map(service).collect()
}

/// A group of ten services that is awake, with a task each.
fn awake() -> (GroupSettings, Record, Observation, Intent) {
    let mut groups = tags::groups(&tagged(10), &[], &BTreeMap::new(), &Defaults::default());
    let (_, settings) = groups.pop_first().expect("a group");
    let now = World::with(&[], &[], 0).now();
    let mut record = Record::unseen(now);
    (record.version, record.phase, record.woken_at) = (1, Phase::Awake, Some(now));
    let state = ServiceState {
        desired: 1,
        running: 1,
        ..ServiceState::default()
    };
    let services = settings.services.iter();
    let seen = Observation {
        services: services
            .map(|service| (service.id.clone(), Seen::Known(state.clone())))
            .collect(),
        ..Observation::default()
    };
    (settings, record, seen, Intent::of(Action::Tick, Cause::Tick))
}

#[library_benchmark(config = kept(1_036_400))]
#[bench::ten_services_awake(awake())]
fn decision((settings, record, seen, intent): (GroupSettings, Record, Observation, Intent)) -> Decision {
    black_box(decide(&settings, &record, &seen, &intent, record.since))
}

#[library_benchmark(config = kept(3_163_100))]
#[bench::a_hundred_services(tagged(100))]
fn reading_tags(services: Vec<TaggedService>) -> BTreeMap<GroupName, GroupSettings> {
    black_box(tags::groups(
        &services,
        &[],
        &BTreeMap::new(),
        &Defaults::default(),
    ))
}

/// A function's world, with a runtime to be called in.
fn called(event: Value) -> (Runtime, World, Config, Value) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 0);
    (runtime, world, config(&[]), event)
}

/// A hundred, of twenty tasks.
fn some_reports() -> Value {
    reports("dev", 0..100, 20, 1_772_442_000_000, 1)
}

#[library_benchmark(config = kept(2_282_600))]
#[bench::a_hundred_reports(called(some_reports()))]
fn keeping_sessions((runtime, world, config, event): (Runtime, World, Config, Value)) -> Value {
    let handled = session_metric_ingest::handle(&world, &config, event, "request");
    black_box(runtime.block_on(handled).expect("an answer"))
}

#[library_benchmark(config = kept(550_700))]
#[bench::of_a_wake(called(event("http-api-browser.json")))]
fn page((runtime, world, config, event): (Runtime, World, Config, Value)) -> Value {
    black_box(
        runtime
            .block_on(wake::handle(&world, &config, event, "request"))
            .expect("an answer"),
    )
}

library_benchmark_group!(name = all; benchmarks = decision, reading_tags, keeping_sessions, page);
main!(library_benchmark_groups = all);
