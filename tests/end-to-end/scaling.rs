//! Scaling, from the metric and the session to the tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types::DesiredStatus;
use dormouse_core::sessions::TaskKey;
use end_to_end::{Balancer, Notices, Service, Stack, eventually, now};
use serde_json::{Value, json};

use crate::sessions::{QUEUE, rows};
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);

/// A service that may have up to ten tasks and is to keep its CPU between 30 and 70 percent.
fn scaled(group: &str) -> Service {
    Service::new(group)
        .tag("signals", "sessions")
        .tag("idle-after", "1h")
        .tag("grace", "0s")
        .tag("max", "10")
        .tag("cpu", "30-70")
}

async fn ecs(stack: &Stack) -> aws_sdk_ecs::Client {
    aws_sdk_ecs::Client::new(&stack.sdk("AWS_ENDPOINT_URL_ECS").await)
}

async fn tasks(stack: &Stack, cluster: &str, status: DesiredStatus) -> BTreeSet<String> {
    let call = ecs(stack)
        .await
        .list_tasks()
        .cluster(cluster)
        .desired_status(status)
        .send();
    call.await
        .expect("tasks")
        .task_arns
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// Which of the tasks are protected from scale-in now.
async fn protected(stack: &Stack, cluster: &str, tasks: &[String]) -> BTreeSet<String> {
    let call = ecs(stack)
        .await
        .get_task_protection()
        .cluster(cluster)
        .set_tasks(Some(tasks.to_vec()));
    let answer = call.send().await.expect("protections");
    let on = answer
        .protected_tasks()
        .iter()
        .filter(|task| task.protection_enabled());
    on.filter_map(|task| task.task_arn.clone()).collect()
}

/// Reports a session on each of these tasks, and waits until they are kept.
async fn report_sessions(stack: &Stack, tasks: &[String]) {
    let _queue = QUEUE.lock().await;
    for task in tasks {
        let at = now().as_millisecond();
        let message = json!({"task_arn": task, "session_id": "visitor", "event": "started", "at": at});
        assert_eq!(stack.report(&message).await.status, 202);
    }
    let keys: Vec<TaskKey> = tasks
        .iter()
        .map(|task| TaskKey::parse(task).expect("a task"))
        .collect();
    eventually("the sessions are kept", SOON, || async {
        (rows(stack, &keys).await.len() == keys.len()).then_some(())
    })
    .await;
}

/// Lets the apps of these tasks say that they have connections.
async fn open_connections(stack: &Stack, cluster: &str, tasks: &[String]) {
    let running = stack.running(cluster).await;
    for task in running.iter().filter(|task| tasks.contains(&task.arn)) {
        task.claim(&json!({"connections": 50})).await;
    }
    let busy = |state: &Value| {
        let tasks = state["tasks"].as_array().expect("tasks");
        tasks
            .iter()
            .filter(|task| task["load"]["connections"] == 50)
            .count()
    };
    eventually("the stack's ECS knows how busy they are", SOON, || async {
        let state = stack.sim("GET", "state", None).await.json();
        (busy(&state) >= tasks.len()).then_some(())
    })
    .await;
}

/// What a tick of scaling says about a group's only service. Other groups are left to their own tests.
async fn decision(stack: &Stack, group: &str) -> Value {
    let answer = stack
        .invoke(
            "ScalingDecisionFunctionName",
            &json!({"group": group, "action": "tick"}),
        )
        .await
        .expect("a tick");
    let services = answer["services"].as_array().cloned().unwrap_or_default();
    services
        .into_iter()
        .find(|service| service["group"] == group)
        .unwrap_or_default()
}

#[tokio::test]
async fn six_tasks_become_the_three_that_have_sessions_and_nobody_is_cut_off() {
    let stack = Stack::connect();
    let group = "sessions-stay";
    let balancer = Balancer::create(&stack, group, 9105).await;
    let service = scaled(group)
        .behind(&balancer)
        .tag("wake-count", "6")
        .create(&stack)
        .await;
    let notices = Notices::listen(&stack, group).await;
    stack.wake("GET", &format!("/{group}")).send().await;
    ready(&stack, group).await;
    let before = eventually("six tasks run", SOON, || async {
        let status = stack.status(group).await;
        let running = status["services"][0]["running"] == 6;
        let tasks = tasks(&stack, group, DesiredStatus::Running).await;
        running.then_some(tasks)
    })
    .await;
    let busy: Vec<String> = before.iter().take(3).cloned().collect();
    report_sessions(&stack, &busy).await;
    // Whichever tasks it may take, the stack's ECS takes the busiest.
    open_connections(&stack, group, &busy).await;

    // CPU falls.
    stack
        .put_cpu_history(group, &service, &[60.0, 60.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0])
        .await;
    eventually("it begins to scale in", SOON, || async {
        let seen = decision(&stack, group).await;
        let begun = seen["decision"] == "scale-in" || seen["reason"]["code"] == "scale-in-under-way";
        begun.then_some(())
    })
    .await;
    eventually("everybody with a session is protected", SOON, || async {
        (protected(&stack, group, &busy).await.len() == 3).then_some(())
    })
    .await;
    // From now on they must be protected whenever somebody looks, until the others have gone.
    let after = eventually("three tasks have gone", 2 * SOON, || async {
        let protected = protected(&stack, group, &busy).await;
        let left = tasks(&stack, group, DesiredStatus::Running).await;
        if left.len() == 3 {
            return Some(left);
        }
        assert_eq!(protected.len(), 3, "{protected:?}");
        None
    })
    .await;
    assert_eq!(
        after,
        busy.iter().cloned().collect(),
        "exactly the free ones left"
    );

    eventually("nothing stays protected", SOON, || async {
        protected(&stack, group, &busy).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(counts(&stack, &service).await, [json!(6), json!(3)]);
    assert_eq!(tasks(&stack, group, DesiredStatus::Running).await, after);
    let stopped = tasks(&stack, group, DesiredStatus::Stopped).await;
    let ever: BTreeSet<String> = stopped.union(&after).cloned().collect();
    assert_eq!(ever, before, "no task was started in their place");
    let state = stack.sim("GET", "state", None).await.json();
    let targets = state["targetGroups"].as_array().cloned().unwrap_or_default();
    let ours = targets
        .iter()
        .find(|target_group| target_group["arn"] == *balancer.target_group);
    let healthy = ours.and_then(|ours| ours["targets"].as_array()).map(|targets| {
        targets
            .iter()
            .filter(|target| target["state"] == "healthy")
            .count()
    });
    assert_eq!(healthy, Some(3), "{ours:?}");
    let told = eventually("people are told", SOON, || async {
        let told = notices.of(&stack, group).await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    let told: Vec<_> = told.iter().map(|n| (&n["event"], &n["from"], &n["to"])).collect();
    assert_eq!(told, [(&json!("scaled-in"), &json!(6), &json!(3))], "once");
}

#[tokio::test]
async fn load_adds_tasks_once_and_people_are_told_once() {
    let stack = Stack::connect();
    let group = "loaded";
    let service = scaled(group).tag("wake-count", "2").create(&stack).await;
    let notices = Notices::listen(&stack, group).await;
    stack.wake("GET", &format!("/{group}")).send().await;
    ready(&stack, group).await;
    stack.put_cpu_history(group, &service, &[50.0, 95.0]).await;
    eventually("it scales out", SOON, || async {
        decision(&stack, group).await;
        (counts(&stack, &service).await == [json!(2), json!(3)]).then_some(())
    })
    .await;
    let again = decision(&stack, group).await;
    assert_eq!(
        (&again["decision"], &again["reason"]["code"]),
        (&json!("hold"), &json!("cooldown"))
    );
    let told = eventually("people are told", SOON, || async {
        let told = notices.of(&stack, group).await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["from"], &told[0]["to"], &told[0]["reason"]),
        (
            &json!(2),
            &json!(3),
            &json!({"code": "cpu-above", "percent": 95, "limit": 70})
        )
    );
    eventually("the new task runs", SOON, || async {
        (tasks(&stack, group, DesiredStatus::Running).await.len() == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_state_machine_prepares_a_service_scales_it_in_and_finds_it_as_it_should_be() {
    let stack = Stack::connect();
    let group = "by-hand";
    let _queue = QUEUE.lock().await;
    // No load balancer: nothing drains, and the sessions are looked at a second time all the same.
    let service = scaled(group).tag("wake-count", "4").create(&stack).await;
    stack.wake("GET", &format!("/{group}")).send().await;
    ready(&stack, group).await;
    let all = eventually("four tasks run", SOON, || async {
        let tasks = tasks(&stack, group, DesiredStatus::Running).await;
        (tasks.len() == 4).then_some(tasks)
    })
    .await;
    let busy: Vec<&String> = all.iter().take(2).collect();
    let input =
        json!({"group": group, "service": format!("{group}/{service}"), "tasks": 4, "busy": busy, "left": 2});
    let definition = include_str!("../statemachines/scale-in.asl.json");
    let ended = stack
        .run_state_machine("scales-in-by-hand", definition, &input, 3 * SOON)
        .await;
    assert!(ended.is_ok(), "{ended:?}");
    let left = tasks(&stack, group, DesiredStatus::Running).await;
    assert_eq!(left, busy.into_iter().cloned().collect());
}
