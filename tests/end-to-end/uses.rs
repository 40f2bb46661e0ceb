//! Ways that no other test goes, and for which functions have permissions: `cargo xtask privileges` sees that each is used.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types::SuspendedState;
use end_to_end::{Balancer, Service, Stack, eventually};
use serde_json::{Value, json};

use crate::sleeping::{asleep, tick};
use crate::waking::ready;

const LOG_GROUP: &str = "/ecs/led-back";
const NOW: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(60);
const OFTEN: Duration = Duration::from_millis(200);

/// By whom it is put to sleep, and looked at until its doors lead to it again.
#[derive(Clone, Copy, Debug)]
enum By {
    Wake,
    AutoSleep,
    /// By a line that comes while its doors are led away and its tasks still run: it looks at no group that is awake.
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
        if !matches!(self, By::Lines) {
            asleep(stack, group, SOON).await;
        }
    }

    async fn look(self, stack: &Stack, group: &str) {
        match self {
            By::Wake => drop(stack.wake("GET", &format!("/{group}")).send().await),
            By::AutoSleep => {
                let wake = json!({"group": group, "action": "wake"});
                let woken = stack.invoke("AutoSleepFunctionName", &wake).await;
                woken.expect("a wake");
            }
            // Batches at once, of which one is first and the others load again.
            By::Lines => {
                let batch = || stack.put_logs(LOG_GROUP, NOW, &["GET /led/1 200"]);
                tokio::join!(batch(), batch(), batch(), batch());
            }
        }
    }
}

/// A service with a listener and a rule that may be led, and one with a public address, which a line wakes.
async fn led_back(stack: &Stack, group: &str) -> (Balancer, String) {
    let balancer = Balancer::fronted(stack, group, 9146).await;
    balancer.also_by_rule(stack, "/reports/*").await;
    stack.create_log_group(LOG_GROUP).await;
    stack
        .put_subscription_filter(LOG_GROUP, "/led/", "LogPatternTriggerFunctionName")
        .await;
    let service = Service::new(group)
        .behind(&balancer)
        .sleeps_after("1h")
        .tag("front", "on")
        .tag("log-group", LOG_GROUP)
        .create(stack)
        .await;
    Service::new(group)
        .named("led-back-alone")
        .sleeps_after("1h")
        .create(stack)
        .await;
    (balancer, service)
}

#[tokio::test]
async fn who_wakes_it_leads_its_doors_back() {
    let stack = Stack::connect();
    let group = "led-back";
    let (balancer, service) = led_back(&stack, group).await;
    let id = format!("{group}/{service}");
    let none = SuspendedState::builder()
        .dynamic_scaling_in_suspended(false)
        .dynamic_scaling_out_suspended(false)
        .scheduled_scaling_suspended(false)
        .build();
    stack.scale_by_policy(&id, 1, 3, none).await;
    stack.wake("GET", "/led-back").send().await;
    ready(&stack, group).await;
    let owners = balancer.actions(&stack).await;
    for by in [By::Wake, By::AutoSleep, By::Lines] {
        by.sleep(&stack, group).await;
        eventually(&format!("{by:?}: it is led away"), SOON, || async {
            (balancer.actions(&stack).await != owners).then_some(())
        })
        .await;
        eventually(&format!("{by:?} leads it back"), SOON, || async {
            by.look(&stack, group).await;
            tokio::time::sleep(OFTEN).await;
            (balancer.actions(&stack).await == owners).then_some(())
        })
        .await;
        ready(&stack, group).await;
    }
}

/// They are only observed, so that no timer is first and what is found stays to be found.
#[tokio::test]
async fn a_direct_tick_asks_for_each_signal() {
    let stack = Stack::connect();
    let log_group = "/ecs/asked-for-logs";
    stack.create_log_group(log_group).await;
    for signal in ["cpu", "protection", "sessions", "logs"] {
        let group = format!("asked-for-{signal}");
        let service = Service::new(&group)
            .tag("signals", signal)
            .tag("idle-after", "2s")
            .tag("grace", "0s")
            .tag("mode", "observe")
            .desired(1);
        let service = match signal {
            "logs" => service.tag("log-group", log_group),
            _ => service,
        };
        service.create(&stack).await;
        eventually(&format!("{signal} decides"), SOON, || async {
            let call = json!({"group": group, "action": "tick"});
            let answer = stack.invoke("WakeFunctionName", &call).await.expect("a tick");
            let reason = answer["decision_reason"].as_str().unwrap_or_default().to_owned();
            ["idle", "signal-unknown"]
                .contains(&reason.as_str())
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn connections_of_a_service_that_names_no_port_are_read_at_its_containers() {
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
