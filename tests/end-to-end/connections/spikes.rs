//! From a spike to the call that adds tasks.

use std::io::Write;
use std::time::Duration;

use end_to_end::{Notices, Service, Stack, Task, Updates, eventually, now};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{SOON, WATCHED, awake, connected, load, running};

/// One cluster for all of them.
const CLUSTER: &str = "spikes";
const SPIKES: u32 = 50;
/// One more, by whose scale-out the test knows that the watch has them all: it is woken last, and its name is the last
/// in order.
const LAST: &str = "spikes-last";
/// CreateService and UpdateService share a bucket that gives five calls a second, to everybody together.
const WRITE_EVERY: Duration = Duration::from_millis(300);
/// A wake and a look at its group are some calls of those that share buckets of 20 a second.
const READ_EVERY: Duration = Duration::from_millis(200);
/// From spike to spike: two whole minutes of the schedule for all of them, so that the borders between invocations are
/// in it.
const SPIKE_EVERY: Duration = Duration::from_millis(2_400);
/// From load to UpdateService: the promise, of which the mark to beat is target tracking's.
const PROMISE: Duration = Duration::from_secs(6);

/// A service of one task in a group of its own, the load that it will get, and what that must lead to.
struct Spike {
    name: String,
    connections: u64,
    to: u64,
    reason: Value,
}

impl Spike {
    /// Half of them have a target, half a table of steps. Most become two tasks, to spare the machine, some more.
    fn numbered(number: u32) -> Self {
        let to = match number % 10 {
            6 | 7 => 3,
            8 | 9 => 4,
            _ => 2,
        };
        let connections = if has_target(number) {
            10 * to - 9
        } else {
            [11, 21, 41][to as usize - 2]
        };
        let reason = if has_target(number) {
            json!({"code": "target-above", "total": connections, "target": 10, "wanted": to})
        } else {
            json!({"code": "step-above", "mean": connections, "threshold": connections - 1, "wanted": to})
        };
        Self {
            name: format!("spike-{number:02}"),
            connections,
            to,
            reason,
        }
    }

    fn service(&self, number: u32) -> Service {
        let service = connected(&self.name).within(CLUSTER).named(&self.name);
        let service = service.tag("max", "5").desired(1);
        match has_target(number) {
            true => service.tag("target", "10"),
            false => service.tag("steps", "10:2 20:3 40:4"),
        }
    }
}

fn has_target(number: u32) -> bool {
    number.is_multiple_of(2)
}

/// When a spike comes, from the first on: somewhere in its slot, by the golden ratio, which leaves no phase of the watch
/// or of the minute out.
fn moment(number: u32) -> Duration {
    let place = f64::from(number) + (f64::from(number) * 0.618_033_988_75).fract();
    SPIKE_EVERY.mul_f64(place)
}

/// Creates and wakes them, and waits until the watch has them all.
async fn create(stack: &Stack, spikes: &[Spike]) {
    for (spike, number) in spikes.iter().zip(0..) {
        spike.service(number).create(stack).await;
        tokio::time::sleep(WRITE_EVERY).await;
    }
    for spike in spikes {
        awake(stack, &spike.name).await;
        tokio::time::sleep(READ_EVERY).await;
    }
    let last = connected(LAST)
        .within(CLUSTER)
        .desired(1)
        .tag("target", "10")
        .tag("max", "2");
    let last = last.create(stack).await;
    awake(stack, LAST).await;
    let updates = Updates::from_now(stack).await;
    load(&running(stack, CLUSTER, &last, 1).await[0], 11).await;
    eventually("the watch has all services", WATCHED, || async {
        (!updates.of(stack, &last).await.is_empty()).then_some(())
    })
    .await;
}

/// Loads one after the other, each at its moment; gives when that was.
async fn rise(spikes: &[Spike], tasks: &[Task]) -> Vec<Timestamp> {
    let begun = tokio::time::Instant::now();
    let mut risen = Vec::new();
    for (spike, number) in spikes.iter().zip(0..) {
        let task = tasks.iter().find(|task| task.service == spike.name);
        tokio::time::sleep_until(begun + moment(number)).await;
        risen.push(now());
        load(task.expect("a task"), spike.connections).await;
    }
    risen
}

/// Writes a line past libtest, which keeps the output of tests that pass to itself: the numbers are worth having.
fn say(line: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Puts the services to sleep, so that they cost the other tests nothing.
async fn sleep(stack: &Stack, spikes: &[Spike]) {
    for group in spikes.iter().map(|spike| &*spike.name).chain([LAST]) {
        let sleep = json!({"group": group, "action": "sleep"});
        stack.invoke("WakeFunctionName", &sleep).await.expect("asleep");
        tokio::time::sleep(WRITE_EVERY).await;
    }
}

#[tokio::test]
async fn fifty_spikes_are_answered_within_six_seconds_each_and_told_once() {
    let stack = Stack::connect();
    let spikes: Vec<Spike> = (0..SPIKES).map(Spike::numbered).collect();
    create(&stack, &spikes).await;
    let notices = Notices::listen(&stack, CLUSTER).await;
    let updates = Updates::from_now(&stack).await;
    let tasks = stack.running(CLUSTER).await;

    let risen = rise(&spikes, &tasks).await;
    eventually("every service is scaled out", SOON, || async {
        updates.look(&stack).await;
        let done = |spike: &Spike| !updates.known(&spike.name).is_empty();
        spikes.iter().all(done).then_some(())
    })
    .await;

    // None may follow, as for a spike that is answered twice: two passes are time enough.
    tokio::time::sleep(PROMISE).await;
    updates.look(&stack).await;
    let mut took = Vec::new();
    let mut wrong = Vec::new();
    for (spike, risen) in spikes.iter().zip(&risen) {
        let updates = updates.known(&spike.name);
        took.push(updates[0].at.duration_since(*risen).unsigned_abs());
        if updates.iter().map(|update| update.count).ne([spike.to]) {
            wrong.push((&spike.name, spike.to, updates));
        }
    }
    took.sort();
    // By nearest rank: of 50, the 99th percentile is the highest.
    let percentile = |percent: usize| took[(took.len() * percent).div_ceil(100).max(1) - 1];
    let [least, median, p99] = [0, 50, 99].map(percentile);
    say(&format!(
        "{SPIKES} spikes, from load to UpdateService: min {least:.2?}, median {median:.2?}, p99 {p99:.2?}, max {:.2?}",
        percentile(100)
    ));
    assert!(p99 <= PROMISE, "{took:?}");
    assert!(wrong.is_empty(), "not what the policy says: {wrong:#?}");

    for spike in &spikes {
        let told = eventually("people are told", SOON, || async {
            let told = notices.of(&stack, &spike.name).await;
            (!told.is_empty()).then_some(told)
        })
        .await;
        assert_eq!(told.len(), 1, "one for each change: {told:?}");
        let notice = &told[0];
        assert_eq!(
            (
                &notice["event"],
                &notice["from"],
                &notice["to"],
                &notice["reason"]
            ),
            (&json!("scaled-out"), &json!(1), &json!(spike.to), &spike.reason),
        );
        assert_eq!(notice["reading"]["total"], spike.connections, "{notice}");
    }
    sleep(&stack, &spikes).await;
}
