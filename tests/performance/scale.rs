//! How a tick grows with the services that there are: its calls, its time on a processor and its memory.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_ecs::types::{AwsVpcConfiguration, NetworkConfiguration, Tag};
use dormouse_aws::Aws;
use dormouse_core::config::Config;
use dormouse_core::ports::{Discovery as _, Saved, Store as _};
use dormouse_core::record::Record;
use dormouse_core::tags;
use end_to_end::{Service, Stack};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use wiretap::{Call, Function, Program, Tap};

use crate::operations;

/// Each a group of its own, which is the most that a tick can have to do with them.
const SERVICES: [usize; 3] = [100, 1_000, 10_000];
const CLUSTER: &str = "scale";
/// Services that are made at the same time.
const AT_ONCE: usize = 16;
/// What the function has to fit (our promise: the smallest that Lambda offers).
const MOST_KIB: u64 = 128 * 1024;
/// Ten times as many services may cost so many times as much of each: more memory is not as near to the processor. More than
/// that is not linear.
const GROWTH: f64 = 15.0;

/// What a tick took.
struct Tick {
    calls: usize,
    worked: Duration,
    peak_kib: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: `cargo xtask bench scale` runs it"]
async fn a_tick_grows_with_its_services_and_fits_the_smallest_function() {
    let stack = Stack::connect();
    let (tap, program) = stack.tapped(operations::AUTO_SLEEP, Duration::ZERO).await;
    let mut made = 0;
    println!("| services asleep | calls of a tick | time on a processor | peak memory |");
    println!("|---:|---:|---:|---:|");
    let mut ticks: Vec<Tick> = Vec::new();
    for services in SERVICES {
        make(&stack, made..services).await;
        made = services;
        remember(&stack, &program, services).await;
        let tick = tick(&program, &tap).await;
        println!(
            "| {services} | {} | {:.0} ms | {:.1} MiB |",
            tick.calls,
            tick.worked.as_secs_f64() * 1e3,
            tick.peak_kib as f64 / 1024.0
        );
        ticks.push(tick);
    }
    let figures = ticks.iter().zip(SERVICES).map(|(tick, services)| {
        json!({
            "services": services,
            "calls": tick.calls,
            "millis": tick.worked.as_secs_f64() * 1e3,
            "mib": tick.peak_kib as f64 / 1024.0,
        })
    });
    crate::keep("growth.json", &figures.collect());
    for pair in ticks.windows(2) {
        let [fewer, more] = pair else { continue };
        let calls = more.calls as f64 / fewer.calls as f64;
        let worked = more.worked.as_secs_f64() / fewer.worked.as_secs_f64();
        assert!(
            calls < GROWTH && worked < GROWTH,
            "{calls} times the calls, {worked} times the time"
        );
        assert!(more.peak_kib < MOST_KIB, "{} KiB", more.peak_kib);
    }
}

/// The second tick of a function's process: the first is its start.
async fn tick(program: &Program, tap: &Tap) -> Tick {
    let event = operations::event("eventbridge-scheduled");
    let mut function = Function::start(program).await.expect("its process");
    function.invoke(&event).await.expect("an answer");
    tap.rewind();
    let answer = function.invoke(&event).await.expect("an answer");
    assert!(answer.answer.is_ok(), "{answer:?}");
    let calls: Vec<Call> = tap.tape().0;
    assert!(
        calls
            .iter()
            .all(|call| call.operation != "UpdateItem" && call.operation != "TransactWriteItems"),
        "groups at rest change"
    );
    Tick {
        calls: calls.len(),
        worked: answer.worked,
        peak_kib: answer.peak_kib,
    }
}

/// Writes down that all groups have been asleep for a while: ticks would take long to look at each for the first time, as
/// slowly as ECS lets them.
async fn remember(stack: &Stack, program: &Program, services: usize) {
    let env: HashMap<String, String> = program.env.clone().into_iter().collect();
    let config = Config::from_env(&env).expect("a configuration");
    let aws = Aws::new(&config, &env, &stack.sdk("AWS_ENDPOINT_URL").await);
    let ecs = Aws::new(&config, &env, &stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    let tagged = ecs.tagged().await.expect("tags");
    assert_eq!(tagged.len(), services);
    let known = aws.load_all().await.expect("the table");
    let groups = tags::groups(&tagged, &[], &BTreeMap::new(), &config.defaults);
    let new = groups.into_iter().filter(|(name, _)| !known.contains_key(name));
    let written = stream::iter(new).map(async |(name, settings)| {
        let mut record = Record::unseen(end_to_end::now());
        for service in &settings.services {
            record.service(&service.id);
        }
        aws.save_settings(&settings).await.expect("settings");
        let saved = aws.save_record(&name, &record, None).await;
        assert_eq!(saved, Ok(Saved::Yes), "{name}");
    });
    written.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Makes these services, each with a group of its own.
async fn make(stack: &Stack, numbers: std::ops::Range<usize>) {
    // Also makes their cluster and the task definition.
    if numbers.start == 0 {
        Service::new(CLUSTER).sleeps_after("10m").create(stack).await;
    }
    // AWS lets five a second be made, so ten thousand would take half an hour.
    let throttle = async |enabled: bool| {
        let body = json!({"enabled": enabled});
        stack.sim("POST", "throttle", Some(body)).await;
    };
    throttle(false).await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    let vpc = AwsVpcConfiguration::builder().subnets("subnet-1").build();
    let network = NetworkConfiguration::builder()
        .awsvpc_configuration(vpc.expect("a configuration"))
        .build();
    let made = stream::iter(numbers.filter(|number| *number > 0)).map(async |number| {
        let name = format!("{CLUSTER}-{number}");
        let tags = [
            ("group", name.as_str()),
            ("signals", "none"),
            ("idle-after", "10m"),
            ("grace", "0s"),
        ];
        let tags =
            tags.map(|(tag, value)| Tag::builder().key(format!("dormouse:{tag}")).value(value).build());
        ecs.create_service()
            .cluster(CLUSTER)
            .service_name(&name)
            .task_definition(format!("{CLUSTER}-web"))
            .desired_count(0)
            .network_configuration(network.clone())
            .set_tags(Some(tags.into()))
            .send()
            .await
            .expect("a service");
    });
    made.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    throttle(true).await;
}
