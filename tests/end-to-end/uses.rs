//! Ways that no other test goes, and for which functions have permissions: `cargo xtask privileges` sees that each is used.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types::SuspendedState;
use end_to_end::{Balancer, Service, Stack, eventually};
use serde_json::{Value, json};

use crate::sleeping::{asleep, tick};
use crate::waking::ready;

const NOW: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(60);
const OFTEN: Duration = Duration::from_millis(200);
/// After that a target that was suspended may be scaled again.
const SUSPENDED: Duration = Duration::from_secs(125);

/// By whom it is put to sleep and looked at until its doors lead to it again.
#[derive(Clone, Copy, Debug)]
enum By {
    Wake,
    AutoSleep,
    Lines,
}

impl By {
    async fn sleep(self, stack: &Stack, group: &str) {
        let function = match self {
            By::AutoSleep => "AutoSleepFunctionName",
            By::Wake | By::Lines => "WakeFunctionName",
        };
        let sleep = json!({"group": group, "action": "sleep"});
        stack.invoke(function, &sleep).await.expect("a sleep");
    }

    async fn look(self, stack: &Stack, group: &str) {
        match self {
            By::Wake => drop(stack.wake("GET", &format!("/{group}")).send().await),
            By::AutoSleep => {
                let wake = json!({"group": group, "action": "wake"});
                let woken = stack.invoke("AutoSleepFunctionName", &wake).await;
                woken.expect("a wake");
            }
            By::Lines => {
                let lines = ["GET /led/1 200"];
                stack.put_logs(&log_of(group), NOW, &lines).await;
            }
        }
    }
}

fn log_of(group: &str) -> String {
    format!("/ecs/{group}")
}

#[tokio::test]
async fn a_visitor_leads_its_doors_back_and_lets_it_be_scaled_again() {
    leads_back(By::Wake, "led-back-by-visit", 9151).await;
}

#[tokio::test]
async fn auto_sleep_leads_its_doors_back_and_lets_it_be_scaled_again() {
    leads_back(By::AutoSleep, "led-back-by-tick", 9152).await;
}

#[tokio::test]
async fn log_lines_lead_its_doors_back_and_let_it_be_scaled_again() {
    leads_back(By::Lines, "led-back-by-lines", 9153).await;
}

/// Puts a group to sleep whose address wakes it and whose count a policy sets, and has all given back by one function.
async fn leads_back(by: By, group: &str, port: i32) {
    let stack = Stack::connect();
    let balancer = Balancer::fronted(&stack, group, port).await;
    balancer.also_by_rule(&stack, "/reports/*").await;
    let log = log_of(group);
    stack.create_log_group(&log).await;
    stack
        .put_subscription_filter(&log, "/led/", "LogPatternTriggerFunctionName")
        .await;
    let service = Service::new(group)
        .behind(&balancer)
        .sleeps_after("1h")
        .tag("front", "on")
        .tag("log-group", &log)
        .create(&stack)
        .await;
    Service::new(group)
        .named(&format!("{group}-alone"))
        .sleeps_after("1h")
        .create(&stack)
        .await;
    let id = format!("{group}/{service}");
    let none = SuspendedState::builder()
        .dynamic_scaling_in_suspended(false)
        .dynamic_scaling_out_suspended(false)
        .scheduled_scaling_suspended(false)
        .build();
    stack.scale_by_policy(&id, 1, 3, none).await;
    let _ = stack.wake("GET", &format!("/{group}")).send().await;
    ready(&stack, group).await;
    let owners = balancer.actions(&stack).await;
    by.sleep(&stack, group).await;
    asleep(&stack, group, SOON).await;
    assert_ne!(balancer.actions(&stack).await, owners);
    tokio::time::sleep(SUSPENDED).await;
    eventually("its doors lead to it", SOON, || async {
        by.look(&stack, group).await;
        tokio::time::sleep(OFTEN).await;
        (balancer.actions(&stack).await == owners).then_some(())
    })
    .await;
    ready(&stack, group).await;
}

#[tokio::test]
async fn a_direct_tick_asks_for_each_signal() {
    let stack = Stack::connect();
    stack.create_log_group("/ecs/asked-for-logs").await;
    for signal in ["cpu", "protection", "sessions", "logs"] {
        let group = format!("asked-for-{signal}");
        let service = Service::new(&group)
            .tag("signals", signal)
            .tag("idle-after", "2s")
            .tag("grace", "0s");
        let service = match signal {
            "logs" => service.tag("log-group", "/ecs/asked-for-logs"),
            _ => service,
        };
        service.create(&stack).await;
        stack.wake("GET", &format!("/{group}")).send().await;
        ready(&stack, &group).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let call = json!({"group": group, "action": "tick"});
        let answer = stack.invoke("WakeFunctionName", &call).await.expect("a tick");
        assert_eq!(answer["errors"], json!([]), "{answer}");
    }
}

#[tokio::test]
async fn connections_are_read_at_a_public_address_and_the_containers_own_port() {
    let stack = Stack::connect();
    let group = "sampled-openly";
    let service = Service::new(group)
        .sleeps_after("1h")
        .tag("connections", "/nginx_status")
        .create(&stack)
        .await;
    stack.wake("GET", "/sampled-openly").send().await;
    ready(&stack, group).await;
    tick(&stack, group).await;
    let ask = json!({"action": "sample", "service": format!("{group}/{service}")});
    let sample = stack.invoke("ScalingDecisionFunctionName", &ask).await;
    let sample = sample.expect("a sample");
    assert_eq!(sample["total_tasks"], 1, "{sample}");
}

/// Healthy targets, by their addresses.
async fn healthy(stack: &Stack, balancer: &Balancer) -> BTreeSet<String> {
    let state = stack.sim("GET", "state", None).await.json();
    let groups = state["targetGroups"].as_array().cloned().unwrap_or_default();
    let ours = groups.iter().find(|group| group["arn"] == *balancer.target_group);
    let targets = ours
        .and_then(|ours| ours["targets"].as_array())
        .into_iter()
        .flatten();
    targets
        .filter(|target| target["state"] == "healthy")
        .map(|target| target["target"].to_string())
        .collect()
}

#[tokio::test]
async fn a_scale_in_whose_execution_is_lost_gives_its_targets_back() {
    let stack = Stack::connect();
    let group = "lost-scale-in";
    let balancer = Balancer::create(&stack, group, 9147).await;
    let service = Service::new(group)
        .behind(&balancer)
        .tag("signals", "sessions")
        .tag("idle-after", "1h")
        .tag("grace", "0s")
        .tag("max", "3")
        .tag("cpu", "30-70")
        .tag("wake-count", "2")
        .create(&stack)
        .await;
    stack.wake("GET", "/lost-scale-in").send().await;
    ready(&stack, group).await;
    let before = eventually("both tasks are healthy", SOON, || async {
        let healthy = healthy(&stack, &balancer).await;
        (healthy.len() == 2).then_some(healthy)
    })
    .await;
    let input = json!({"group": group, "service": format!("{group}/{service}"), "to": 1}).to_string();
    let start = json!({"stateMachineArn": stack.output("ScaleInArn"), "input": input});
    let execution = stack
        .json_api("states", "AWSStepFunctions.StartExecution", &start)
        .await["executionArn"]
        .clone();
    eventually("one is taken out", SOON, || async {
        (healthy(&stack, &balancer).await.len() == 1).then_some(())
    })
    .await;
    let stop = json!({"executionArn": execution});
    stack
        .json_api("states", "AWSStepFunctions.StopExecution", &stop)
        .await;
    eventually("it is put back", 5 * SOON, || async {
        let tick: Value = json!({"group": group, "action": "tick"});
        let ticked = stack.invoke("ScalingDecisionFunctionName", &tick).await;
        ticked.expect("a tick");
        tokio::time::sleep(Duration::from_secs(1)).await;
        (healthy(&stack, &balancer).await == before).then_some(())
    })
    .await;
}
