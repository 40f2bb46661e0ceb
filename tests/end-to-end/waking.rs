//! From a sleeping service to the app.

use std::time::{Duration, Instant};

use end_to_end::{Answer, Balancer, Request, Service, Stack, eventually, faulty, status_when};
use futures_util::future::join_all;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// Waits until a group is ready, and gives its status.
pub(crate) async fn ready(stack: &Stack, group: &str) -> Value {
    status_when(stack, group, "ready", SOON, |status| status["ready"] == true).await
}

/// The answer that leads on. Under faults one look at a group may take too long, and the answer says to ask again.
async fn led_on(request: Request) -> Answer {
    let mut left = if faulty() { 5 } else { 0 };
    loop {
        let answer = request.clone().send().await;
        if answer.status == 307 {
            return answer;
        }
        assert!(left > 0 && [200, 503].contains(&answer.status), "{answer:?}");
        left -= 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The desired counts that UpdateService was asked for, in order. Repetitions under faults are one.
pub(crate) async fn counts(stack: &Stack, service: &str) -> Vec<Value> {
    let calls = stack.calls("UpdateService", service).await;
    let asked = calls
        .iter()
        .map(|call| call["parameters"]["desiredCount"].clone());
    let mut counts: Vec<_> = asked.collect();
    if faulty() {
        counts.dedup();
    }
    counts
}

#[tokio::test]
async fn a_cold_wake_leads_many_tabs_into_the_app_with_one_update() {
    let stack = Stack::connect();
    // Under faults an answer may take as long as a wake: at speed 20, 600 s are 30 s in which nobody is led on.
    let ready_after = if faulty() { "600" } else { "0" };
    let service = Service::new("cold")
        .sleeps_after("10m")
        .variable("SIM_READY_AFTER", ready_after)
        .create(&stack)
        .await;

    // Nobody has asked before: all of them find it asleep.
    let tabs = join_all((0..20).map(|_| stack.wake("GET", "/cold/").browser().send())).await;
    for tab in tabs {
        assert_eq!(tab.status, 200, "{}", tab.body);
    }

    let page = stack
        .wake("GET", "/cold/reports/7?tab=open")
        .browser()
        .send()
        .await;
    assert_eq!(
        (page.status, page.header("cache-control")),
        (200, Some("no-store"))
    );
    assert!(page.body.contains("role=\"progressbar\""), "{}", page.body);

    ready(&stack, "cold").await;
    assert_eq!(
        counts(&stack, &service).await,
        [json!(1)],
        "one UpdateService, however many tabs"
    );

    let request = stack.wake("GET", "/cold/reports/7?tab=open&q=a%20b");
    let redirect = led_on(request.browser()).await;
    let location = redirect.header("location").expect("a location");
    assert!(
        location.ends_with(":8080/reports/7?tab=open&q=a%20b"),
        "{location}"
    );
    let app = Request::new("GET", location)
        .header("accept", "application/json")
        .send()
        .await;
    assert_eq!(
        (app.status, app.header("x-sim-service")),
        (200, Some(service.as_str()))
    );
    assert!(app.body.contains("/reports/7?tab=open"), "{}", app.body);
}

/// A tab that asks as the page's script does, until it is led on.
async fn tab(stack: &Stack, group: &str) {
    let page = format!("/{group}/");
    assert_eq!(stack.wake("GET", &page).browser().send().await.status, 200);
    let mut again = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if stack.status(group).await["ready"] == true {
            let answer = stack.wake("GET", &page).browser().send().await;
            if answer.status == 307 {
                return;
            }
            // The app did not answer in time this once, as forty tabs come at the same moment: the page goes on asking.
            again += 1;
            assert!(answer.status == 200 && again < 3, "{answer:?}");
        }
    }
}

/// Two hundred of them are in the handler's tests: here they are real, and share two processors.
#[tokio::test]
async fn forty_tabs_that_wait_cost_one_update_and_each_of_ecs_reads_once_a_second() {
    let stack = Stack::connect();
    // 240 s at speed 20 are 12 s in which all of them wait.
    let service = Service::new("tabs")
        .sleeps_after("10m")
        .variable("SIM_READY_AFTER", "240")
        .create(&stack)
        .await;
    let began = Instant::now();
    join_all((0..40).map(|_| tab(&stack, "tabs"))).await;
    let seconds = began.elapsed().as_secs();
    assert!(seconds >= 12, "they did wait: {seconds} s");
    assert_eq!(counts(&stack, &service).await, [json!(1)]);
    for operation in ["DescribeServices", "ListTasks"] {
        let calls = stack.calls(operation, &service).await.len() as u64;
        println!("{operation}: {calls} calls in {seconds} s");
        // The first and the last second, and the looks that are not theirs: a tick, the sleep timer's, and those for the
        // event of a task that runs.
        assert!(
            calls <= seconds + 2 + 3,
            "{operation}: {calls} calls in {seconds} s"
        );
        assert!(calls >= seconds / 4, "{operation}: {calls} calls in {seconds} s");
    }
}

#[tokio::test]
async fn a_program_can_wait_for_the_redirect() {
    let stack = Stack::connect();
    Service::new("patient").sleeps_after("10m").create(&stack).await;
    let refusal = stack.wake("GET", "/patient/api").send().await;
    assert_eq!(
        (refusal.status, refusal.header("retry-after").is_some()),
        (503, true)
    );
    assert_eq!(
        (&refusal.json()["group"], &refusal.json()["generation"]),
        (&json!("patient"), &json!(1))
    );
    led_on(stack.wake("GET", "/patient/api?wait=25")).await;
}

#[tokio::test]
async fn a_group_at_three_is_never_lowered_by_a_wake() {
    let stack = Stack::connect();
    let service = Service::new("three")
        .sleeps_after("10m")
        .desired(3)
        .create(&stack)
        .await;
    stack.wake("GET", "/three").send().await;
    stack
        .invoke(
            "WakeFunctionName",
            &json!({"group": "three", "action": "wake", "desired_count": 1}),
        )
        .await
        .expect("woken");
    let status = ready(&stack, "three").await;
    assert_eq!(
        (&status["services"][0]["desired"], counts(&stack, &service).await),
        (&json!(3), Vec::new())
    );
}

#[tokio::test]
async fn heads_prefetches_and_checkers_do_not_wake() {
    let stack = Stack::connect();
    let service = Service::new("unmoved").sleeps_after("10m").create(&stack).await;
    let head = stack.wake("HEAD", "/unmoved/");
    let prefetch = stack
        .wake("GET", "/unmoved/")
        .browser()
        .header("sec-purpose", "prefetch");
    let checker = stack
        .wake("GET", "/unmoved/")
        .header("user-agent", "ELB-HealthChecker/2.0");
    for request in [head, prefetch, checker] {
        assert_eq!(request.send().await.status, 503);
    }
    assert_eq!(stack.status("unmoved").await["phase"], "asleep");
    assert_eq!(counts(&stack, &service).await, [] as [Value; 0]);
}

#[tokio::test]
async fn behind_a_load_balancer_running_but_unhealthy_is_never_redirected_to() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "balanced", 9101).await;
    Service::new("balanced")
        .behind(&balancer)
        .variable("SIM_READY_AFTER", "100")
        .create(&stack)
        .await;
    stack.wake("GET", "/balanced").send().await;
    // 100 s at speed 20 are 5 s in which the task runs and its target is unhealthy.
    eventually("the task runs", SOON, || async {
        let service = stack.status("balanced").await["services"][0].clone();
        (service["running"] == 1).then_some(())
    })
    .await;
    let refusal = stack.wake("GET", "/balanced/").send().await;
    assert_eq!(
        (refusal.status, &refusal.json()["services"][0]["stage"]),
        (503, &json!("starting"))
    );
    assert_eq!(stack.wake("GET", "/balanced/").browser().send().await.status, 200);
    ready(&stack, "balanced").await;
    let redirect = led_on(stack.wake("GET", "/balanced/x")).await;
    let expected = format!("{}/x", balancer.address);
    assert_eq!(redirect.header("location"), Some(expected.as_str()));
    assert_eq!(Request::new("GET", &expected).send().await.status, 200);
}

#[tokio::test]
async fn a_private_address_is_explained_instead_of_redirected_to() {
    let stack = Stack::connect();
    Service::new("private")
        .private()
        .sleeps_after("10m")
        .create(&stack)
        .await;
    stack.wake("GET", "/private").send().await;
    let refusal = eventually("the task's address is known", SOON, || async {
        let answer = stack.wake("GET", "/private").send().await;
        (answer.status == 502).then_some(answer)
    })
    .await;
    let error = refusal.json()["errors"][0].clone();
    assert_eq!(error["code"], "NoPublicAddress");
    assert!(
        error["message"].as_str().expect("text").contains("dormouse:url"),
        "{error}"
    );
    let page = stack.wake("GET", "/private").browser().send().await;
    assert!(page.body.contains("dormouse:url"), "{}", page.body);
}

#[tokio::test]
async fn more_than_ten_services_and_more_than_a_hundred_tasks_are_all_seen() {
    let stack = Stack::connect();
    for number in 0..11 {
        let small = Service::new("many")
            .named(&format!("many-{number:02}"))
            .sleeps_after("10m");
        small.variable("SIM_APP", "none").create(&stack).await;
    }
    let large = Service::new("many")
        .named("many-tasks")
        .sleeps_after("10m")
        .variable("SIM_APP", "none");
    large.tag("wake-count", "130").create(&stack).await;
    // The schedule may have read the tags of some of them already; the others are read a minute later.
    eventually("the tags of all are read", Duration::from_secs(100), || async {
        let status = stack.wake("GET", "/many/-/status").send().await.json();
        let services = status["services"].as_array().map(Vec::len);
        (services == Some(12)).then_some(())
    })
    .await;
    let status = stack.wake("GET", "/many").send().await.json();
    assert_eq!(status["services"].as_array().map(Vec::len), Some(12));
    let running = eventually("all tasks run", SOON, || async {
        // A look at 12 services and 141 tasks is many calls; one every few seconds is well within ECS's buckets.
        tokio::time::sleep(Duration::from_secs(4)).await;
        let status = stack.status("many").await;
        let services = status["services"].as_array().expect("services").clone();
        let running: u64 = services.iter().filter_map(|s| s["running"].as_u64()).sum();
        (running == 141).then_some(running)
    })
    .await;
    assert_eq!(running, 141);
    // ECS refuses DescribeTasks for more than 100 tasks, and gives ListTasks in pages of 100.
    let described = stack.calls("DescribeTasks", "many").await;
    assert!(
        described
            .iter()
            .all(|call| call["outcome"] != "InvalidParameterException"),
        "{described:?}"
    );
    let listed = stack.calls("ListTasks", "many").await;
    assert!(
        listed
            .iter()
            .any(|call| call["parameters"]["nextToken"].is_string()),
        "{listed:?}"
    );
    stack
        .invoke("WakeFunctionName", &json!({"group": "many", "action": "sleep"}))
        .await
        .expect("asleep");
}

#[tokio::test]
async fn an_unknown_group_is_404() {
    let stack = Stack::connect();
    let answer = stack.wake("GET", "/nosuchgroup/").send().await;
    assert_eq!(
        (answer.status, &answer.json()["errors"][0]["code"]),
        (404, &json!("UnknownGroup"))
    );
}
