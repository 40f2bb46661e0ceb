//! What Dormouse itself costs a month, at list prices and without free tiers, beside what it saves of Fargate.

use std::time::Duration;

use dormouse_core::engine::TOLD_IN_ONE_OF;
use end_to_end::{Balancer, Service, Stack, status_when};
use serde_json::{Value, json};
use wiretap::Function;

use crate::bill::{Bill, usd};
use crate::operations::{self, AUTO_SLEEP, SCALING, WAKE};

const SOON: Duration = Duration::from_secs(60);
/// Enough to be told from the time that a call takes by itself.
const DELAY: Duration = Duration::from_millis(20);

const MINUTES_A_MONTH: f64 = 730.0 * 60.0;
const DAYS_A_MONTH: f64 = 730.0 / 24.0;
const PORT: i32 = 18_970;
const SERVICES: usize = 10;
const HOURS_A_DAY: f64 = 8.0;
/// A wake of a minute, by a page that asks each second and a half.
const STATUSES_A_WAKE: f64 = 40.0;
/// A timer of half an hour looks so often in a day of use.
const LOOKS_A_DAY: f64 = HOURS_A_DAY * 2.0 + 1.0;
/// States of the timer's machine for each look: it waits, looks and chooses; and the two at its ends.
const STATES_A_LOOK: f64 = 3.0;
/// The most that it may cost, in USD a month (our promise).
const MOST_IDLE: f64 = 0.05;
const MOST_ENVIRONMENT: f64 = 0.50;

#[tokio::test]
#[ignore = "measures: `cargo xtask bench cost` runs it"]
async fn it_costs_little_beside_what_it_saves() {
    let stack = Stack::connect();
    let cluster = operations::at_rest("cost");
    let idle = Service::new("idle").within(&cluster).sleeps_after("30m");
    idle.create(&stack).await;
    let tick = bill(&stack, AUTO_SLEEP, &operations::event("eventbridge-scheduled")).await;
    let scaling = bill(&stack, SCALING, &operations::event("eventbridge-scheduled")).await;
    let mut idle = tick.and(&scaling).times(MINUTES_A_MONTH);
    rarely(&stack, &mut idle).await;

    let balancer = Balancer::create(&stack, "used", PORT).await;
    Service::new("used")
        .tag("idle-after", "30m")
        .within(&cluster)
        .behind(&balancer)
        .create(&stack)
        .await;
    for number in 1..SERVICES {
        let name = format!("used-{number}");
        let service = Service::new("used")
            .named(&name)
            .within(&cluster)
            .sleeps_after("30m");
        service.create(&stack).await;
    }
    let asleep = minute(&stack).await;
    let [wake, _] = bills(&stack, WAKE, &operations::http("browser", "used")).await;
    let status = bill(&stack, WAKE, &operations::http("status", "used")).await;
    status_when(&stack, "used", "ready", SOON, |status| status["ready"] == true).await;
    let awake = minute(&stack).await;
    let timer = json!({"action": "sleep-timer", "group": "used", "generation": 1, "execution": "used-g1"});
    let look = bill(&stack, AUTO_SLEEP, &timer).await;
    let [sleep, _] = bills(&stack, WAKE, &json!({"group": "used", "action": "sleep"})).await;
    let mut day = asleep.times((24.0 - HOURS_A_DAY) * 60.0);
    day = day.and(&awake.times(HOURS_A_DAY * 60.0));
    day = day
        .and(&wake)
        .and(&status.times(STATUSES_A_WAKE))
        .and(&look.times(LOOKS_A_DAY))
        .and(&sleep);
    day.add("http-api-requests", 1.0 + STATUSES_A_WAKE);
    // Metrics lag, so a signal is only read where a timer has run out: requests, and what shows that they are known.
    day.add("cloudwatch-metrics-read", 2.0 * LOOKS_A_DAY);
    day.add("step-functions-transitions", LOOKS_A_DAY * STATES_A_LOOK + 2.0);
    let mut used = day.times(DAYS_A_MONTH);
    rarely(&stack, &mut used).await;

    // A task of 0.25 vCPU and 0.5 GB.
    let task_hour = 0.25 * usd("fargate-vcpu") + 0.5 * usd("fargate-memory");
    let saved = SERVICES as f64 * (24.0 - HOURS_A_DAY) * DAYS_A_MONTH * task_hour;
    println!("| USD a month | one idle service | {SERVICES} services used {HOURS_A_DAY} h a day |");
    println!("|---|---:|---:|");
    let (ours, theirs) = (idle.usd(), used.usd());
    for price in theirs.keys() {
        let first = ours.get(price).copied().unwrap_or_default();
        println!("| {price} | {first:.4} | {:.4} |", theirs[price]);
    }
    println!("| all | {:.3} | {:.3} |", idle.total(), used.total());
    println!("| saved of Fargate | {:.2} | {saved:.2} |", 730.0 * task_hour);
    assert!(idle.total() < MOST_IDLE, "{:?}", idle.usd());
    assert!(used.total() < MOST_ENVIRONMENT, "{:?}", used.usd());
}

/// What a tick does once in a quarter of an hour: it says that it read the tags, and looks at those that sleep.
async fn rarely(stack: &Stack, bill: &mut Bill) {
    let (_, output) = AUTO_SLEEP;
    let configuration = stack.function_configuration(output).await;
    let times = MINUTES_A_MONTH / TOLD_IN_ONE_OF as f64;
    bill.add("dynamodb-writes", times);
    bill.wait(times, &configuration);
}

/// The two ticks of a minute.
async fn minute(stack: &Stack) -> Bill {
    let event = operations::event("eventbridge-scheduled");
    let tick = bill(stack, AUTO_SLEEP, &event).await;
    tick.and(&bill(stack, SCALING, &event).await)
}

/// What the second of two invocations costs: the first finds what is new, and is the start of the function's process.
async fn bill(stack: &Stack, function: (&str, &str), event: &Value) -> Bill {
    let [_, second] = bills(stack, function, event).await;
    second
}

/// What each of two invocations costs.
async fn bills(stack: &Stack, function: (&str, &str), event: &Value) -> [Bill; 2] {
    let (tap, program) = stack.tapped(function, DELAY).await;
    let (_, output) = function;
    let configuration = stack.function_configuration(output).await;
    let mut function = Function::start(&program).await.expect("its process");
    let mut bills = [Bill::default(), Bill::default()];
    for bill in &mut bills {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        operations::untold_minute().await;
        tap.rewind();
        let answer = function.invoke(event).await.expect("an answer");
        assert!(answer.answer.is_ok(), "{event}: {answer:?}");
        *bill = Bill::of(&tap.tape(), &answer, &configuration);
    }
    bills
}
