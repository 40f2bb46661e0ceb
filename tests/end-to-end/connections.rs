//! Scaling by connections, from the load of the tasks to their count. The deployed function is invoked by its schedule
//! only, and reads the tasks' own nginx pages; a call of the test merely asks for a sample.

mod lulls;
mod samples;
mod spikes;

use std::time::Duration;

use end_to_end::{Service, Stack, Task, eventually};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// A watch that is under way learns of a group that has become awake at the end of its minute. MiniStack's first
/// scheduled invocation comes up to 70 s after deployment.
const WATCHED: Duration = Duration::from_secs(150);

/// A service whose connections decide and that does not fall asleep meanwhile.
fn connected(group: &str) -> Service {
    Service::new(group)
        .sleeps_after("2h")
        .tag("connections", ":8080/nginx_status")
}

/// Wakes a group and waits until it is awake. Looks at a group of many services are many calls, and ECS's read buckets
/// are everybody's, so it looks every few seconds only.
async fn awake(stack: &Stack, group: &str) {
    stack.wake("POST", &format!("/{group}/-/wake")).send().await;
    eventually(&format!("{group} is awake"), SOON, || async {
        let awake = stack.status(group).await["phase"] == "awake";
        if !awake {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        awake.then_some(())
    })
    .await;
}

/// Lets the only task of a service have so many connections.
async fn load(task: &Task, connections: u64) {
    task.claim(&json!({"connections": connections})).await;
}

/// The tasks of a service, once so many run.
async fn running(stack: &Stack, cluster: &str, service: &str, count: usize) -> Vec<Task> {
    eventually(&format!("{count} tasks of {service} run"), SOON, || async {
        let mut tasks = stack.running(cluster).await;
        tasks.retain(|task| task.service == service);
        (tasks.len() == count).then_some(tasks)
    })
    .await
}

/// What the deployed function reads from a service now.
async fn sample(stack: &Stack, service: &str) -> Result<Value, Value> {
    let event = json!({"action": "sample", "service": service});
    stack.invoke("ScalingDecisionFunctionName", &event).await
}
