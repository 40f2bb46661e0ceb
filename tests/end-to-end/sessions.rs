//! Sessions, from the app's report to the decision.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use dormouse_aws::Aws;
use dormouse_core::config::Config;
use dormouse_core::ports::SessionRows;
use dormouse_core::sessions::{Message, Row, TaskKey};
use end_to_end::{Service, Stack, eventually};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::sleeping::{asleep, tick};
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);

/// The stack hands the queue's messages over one after the other, ten at a time, so a test that sends many holds up what
/// others send: one at a time.
pub(crate) static QUEUE: Mutex<()> = Mutex::const_new(());

/// The rows of these tasks, as the functions read them.
pub(crate) async fn rows(stack: &Stack, tasks: &[TaskKey]) -> BTreeMap<TaskKey, Row> {
    let env = HashMap::from([("TABLE_NAME".to_owned(), stack.output("TableName").to_owned())]);
    let config = Config::from_env(&env).expect("a configuration");
    let aws = Aws::new(&config, &env, &stack.sdk("AWS_ENDPOINT_URL").await);
    let rows = aws.rows(tasks).await.expect("rows");
    rows.into_iter()
        .map(|(task, stored)| (task, stored.row))
        .collect()
}

/// A group of one task that is awake; gives the task's ARN.
async fn awake(stack: &Stack, group: &str) -> String {
    let service = Service::new(group)
        .tag("signals", "sessions")
        .tag("idle-after", "10s")
        .tag("grace", "0s")
        .create(stack)
        .await;
    stack.wake("GET", &format!("/{group}")).send().await;
    ready(stack, group).await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    let tasks = ecs.list_tasks().cluster(group).service_name(service).send().await;
    tasks.expect("tasks").task_arns()[0].clone()
}

fn report(stack_time: i64, task: &str, event: &str) -> Value {
    json!({"task_arn": task, "session_id": "visitor-1", "event": event, "at": stack_time})
}

fn now() -> i64 {
    end_to_end::now().as_millisecond()
}

async fn in_use(stack: &Stack, group: &str) {
    eventually(&format!("{group} is in use"), SOON, || async {
        (tick(stack, group).await["decision_reason"] == "in-use").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_live_session_keeps_it_awake_and_its_end_puts_it_to_sleep() {
    let _queue = QUEUE.lock().await;
    let stack = Stack::connect();
    let task = awake(&stack, "visited").await;
    let answer = stack.report(&report(now(), &task, "started")).await;
    assert_eq!((answer.status, answer.json()), (202, json!({"accepted": true})));
    tokio::time::sleep(Duration::from_secs(12)).await;
    in_use(&stack, "visited").await;
    stack.report(&report(now(), &task, "ended")).await;
    assert_eq!(asleep(&stack, "visited", SOON).await["reason"], "idle");
}

#[tokio::test]
async fn sessions_end_with_their_task_or_at_the_time_that_the_app_asked_for() {
    let _queue = QUEUE.lock().await;
    let stack = Stack::connect();
    // Each is used as soon as it is awake: it may take longer until the other one is than a group that is idle stays awake.
    let stopped = awake(&stack, "stopped").await;
    stack.report(&report(now(), &stopped, "started")).await;
    let expires = awake(&stack, "expires").await;
    let mut message = report(now(), &expires, "started");
    message["ttl_seconds"] = json!(25);
    stack.report(&message).await;
    in_use(&stack, "stopped").await;
    in_use(&stack, "expires").await;
    let ecs = aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await);
    ecs.stop_task()
        .cluster("stopped")
        .task(&stopped)
        .send()
        .await
        .expect("stopped");
    let key = TaskKey::parse(&stopped).expect("a task");
    eventually("its row has ended", SOON, || async {
        let row = rows(&stack, std::slice::from_ref(&key)).await.remove(&key)?;
        row.ended_at
            .map(|_| assert_eq!(row.live(jiff::Timestamp::MAX), 0))
    })
    .await;
    assert_eq!(asleep(&stack, "stopped", 2 * SOON).await["reason"], "idle");
    assert_eq!(asleep(&stack, "expires", 2 * SOON).await["reason"], "idle");
}

#[tokio::test]
async fn a_poison_message_lies_in_the_dead_letter_queue_with_its_reason() {
    let _queue = QUEUE.lock().await;
    let stack = Stack::connect();
    let task = "arn:aws:ecs:us-east-1:000000000000:task/poisoned/1";
    let poison = json!({"task_arn": task, "session_id": "s", "event": "exploded", "at": 1}).to_string();
    let good = report(now(), task, "started").to_string();
    stack.send_reports(&[good.clone(), poison.clone(), good]).await;
    let letter = eventually("it lies in the dead-letter queue", SOON, || async {
        stack
            .dead_letters()
            .await
            .into_iter()
            .find(|letter| letter.body == poison)
    })
    .await;
    assert_eq!(
        letter.message_attributes["ErrorCode"]["StringValue"],
        "InvalidRequest"
    );
    let why = letter.message_attributes["ErrorMessage"]["StringValue"]
        .as_str()
        .expect("a reason");
    assert!(why.contains("exploded"), "{why}");
    let key = TaskKey::parse(task).expect("a task");
    eventually("its neighbours are kept", SOON, || async {
        rows(&stack, std::slice::from_ref(&key)).await.remove(&key)
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_messages_in_any_order_and_a_fifth_of_them_twice_are_counted_exactly() {
    let _queue = QUEUE.lock().await;
    let stack = Stack::connect();
    // Under faults a tenth: of so many writes some fail three times, and their messages come again after three minutes.
    let tasks = if end_to_end::faulty() { 2u64 } else { 20 };
    let sessions = 250;
    let mut bodies = Vec::new();
    let mut expected: BTreeMap<TaskKey, Row> = BTreeMap::new();
    for task in 0..tasks {
        let arn = format!("arn:aws:ecs:us-east-1:000000000000:task/many/{task}");
        for session in 0..sessions {
            // Every third session is still live in the end.
            let second = if session % 3 == 0 { "heartbeat" } else { "ended" };
            for (sequence, event) in [(1, "started"), (2, second)] {
                let message = json!({"task_arn": arn, "session_id": format!("s{session}"), "event": event,
                    "at": now(), "sequence": sequence});
                let parsed = Message::parse(&message).expect("a message");
                expected.entry(parsed.task.clone()).or_default().apply(&parsed);
                bodies.push(message.to_string());
            }
        }
    }
    assert_eq!(bodies.len() as u64, tasks * 500);
    let twice: Vec<String> = bodies.iter().step_by(5).cloned().collect();
    bodies.extend(twice);
    shuffle(&mut bodies);
    stack.send_reports(&bodies).await;

    let keys: Vec<TaskKey> = expected.keys().cloned().collect();
    let live = |rows: &BTreeMap<TaskKey, Row>| -> usize {
        rows.values().map(|row| row.live(jiff::Timestamp::MAX)).sum()
    };
    let kept = eventually("all are kept", 6 * SOON, || async {
        let rows = rows(&stack, &keys).await;
        (rows == expected).then_some(rows)
    })
    .await;
    assert_eq!(live(&kept) as u64, tasks * 84, "a third of 250, for each task");
}

/// Fisher and Yates's shuffle with a fixed sequence, so that each run is the same.
fn shuffle(items: &mut [String]) {
    let mut state: u64 = 42;
    for last in (1..items.len()).rev() {
        // Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or(0) % (last + 1);
        items.swap(last, other);
    }
}
