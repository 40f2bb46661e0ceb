//! The app's own address: it leads to the wake function while the app sleeps, and to the app again, and nobody who asks meets
//! anything else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use end_to_end::{Answer, Balancer, Browser, Request, Screen, Service, Settings, Stack, eventually};
use futures_util::future::join_all;
use serde_json::json;

use crate::sleeping::tick;
use crate::waking::ready;

const SOON: Duration = Duration::from_secs(60);
/// Between two requests: twenty a second.
const EVERY: Duration = Duration::from_millis(50);

/// Who answers at an app's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    App,
    WakeFunction,
}

fn who(answer: &Answer) -> Option<Who> {
    match answer.status {
        200 if answer.header("x-sim-service").is_some() => Some(Who::App),
        503 if answer.header("x-dormouse") == Some("wait") => Some(Who::WakeFunction),
        _ => None,
    }
}

/// A client that never wakes anything and asks twenty times a second, however long answers take.
async fn ask_all_the_time(address: &str, ends: &AtomicBool) -> BTreeMap<Who, u64> {
    let mut ticks = tokio::time::interval(EVERY);
    let mut asked = Vec::new();
    while !ends.load(Ordering::Relaxed) {
        ticks.tick().await;
        let request = Request::new("GET", address).header("user-agent", "UptimeRobot/2.0");
        asked.push(tokio::spawn(request.send()));
    }
    let mut answers = BTreeMap::new();
    for answer in join_all(asked).await {
        let answer = answer.expect("an answer and no connection error");
        let who = who(&answer).unwrap_or_else(|| panic!("neither the app nor the wait page: {answer:?}"));
        *answers.entry(who).or_default() += 1;
    }
    answers
}

async fn sleep(stack: &Stack, group: &str) {
    let sleep = json!({"group": group, "action": "sleep", "by": "the end-to-end tests"});
    stack.invoke("WakeFunctionName", &sleep).await.expect("a sleep");
    eventually(&format!("{group} is asleep"), SOON, || async {
        // The schedule would come once a minute.
        let asleep = tick(stack, group).await["phase"] == "asleep";
        if !asleep {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        asleep.then_some(())
    })
    .await;
}

async fn fronted(stack: &Stack, group: &str, port: i32) -> (Balancer, String) {
    let balancer = Balancer::fronted(stack, group, port).await;
    let service = Service::new(group)
        .behind(&balancer)
        .sleeps_after("10m")
        .tag("front", "on")
        .create(stack)
        .await;
    stack.wake("GET", &format!("/{group}/")).send().await;
    ready(stack, group).await;
    (balancer, service)
}

/// How often [`cycles`] sleeps and wakes: three times, or as often as asked.
fn cycles() -> u32 {
    let asked = std::env::var("DORMOUSE_CYCLES").ok();
    asked.map_or(3, |cycles| {
        cycles.parse().expect("DORMOUSE_CYCLES: a number of cycles")
    })
}

#[tokio::test]
async fn whoever_asks_is_answered_by_the_app_or_the_wait_page_through_every_sleep_and_wake() {
    let stack = Stack::connect();
    let (balancer, service) = fronted(&stack, "front-cycles", 9141).await;
    let owners = balancer.actions(&stack).await;
    let ends = AtomicBool::new(false);
    let address = format!("{}/health?probe=1", balancer.address);
    let clients = ask_all_the_time(&address, &ends);
    let run = async {
        for cycle in 0..cycles() {
            sleep(&stack, "front-cycles").await;
            assert_ne!(balancer.actions(&stack).await, owners);
            // A program that asks, and holds on, comes through to the app at the same address.
            let path = format!("{}/reports/7?cycle={cycle}&q=a%20b", balancer.address);
            let led_on = eventually("the program is led on", SOON, || async {
                let held = Request::new("GET", &path)
                    .header("prefer", "wait=25")
                    .send()
                    .await;
                (held.status != 503).then_some(held)
            })
            .await;
            let app = match led_on.status {
                307 => {
                    let location = led_on.header("location").expect("a location");
                    assert_eq!(location, format!("/reports/7?cycle={cycle}&q=a%20b"));
                    assert_eq!(led_on.header("preference-applied"), Some("wait=25"));
                    eventually("the app is there", SOON, || async {
                        let answer = Request::new("GET", &path).send().await;
                        (who(&answer) == Some(Who::App)).then_some(answer)
                    })
                    .await
                }
                _ => led_on,
            };
            assert_eq!(app.header("x-sim-service"), Some(service.as_str()));
            ready(&stack, "front-cycles").await;
            assert_eq!(balancer.actions(&stack).await, owners, "as its owner made it");
        }
        ends.store(true, Ordering::Relaxed);
    };
    let (answers, ()) = futures_util::future::join(clients, run).await;
    println!("{} cycles: {answers:?}", cycles());
    assert!(
        answers[&Who::App] > 20 && answers[&Who::WakeFunction] > 20,
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_program_is_told_when_to_come_again_and_a_form_that_it_was_not_delivered() {
    let stack = Stack::connect();
    let (balancer, _) = fronted(&stack, "front-forms", 9142).await;
    sleep(&stack, "front-forms").await;
    let checker = Request::new("HEAD", &balancer.address).send().await;
    assert_eq!(checker.status, 503);
    assert_eq!(stack.status("front-forms").await["phase"], "asleep");
    let form = Request::new("POST", &format!("{}/orders", balancer.address))
        .header("accept", "text/html")
        .form(&[("amount", "12")]);
    let answer = form.send().await;
    assert_eq!((answer.status, answer.header("x-dormouse")), (503, Some("wait")));
    assert!(answer.body.contains("not delivered"), "{}", answer.body);
    let program = Request::new("GET", &balancer.address).send().await;
    assert_eq!(
        (program.status, &program.json()["group"]),
        (503, &json!("front-forms"))
    );
    assert!(program.header("retry-after").is_some());
    ready(&stack, "front-forms").await;
}

#[tokio::test]
async fn before_the_stack_goes_a_command_leads_every_rule_back_as_its_owner_made_it() {
    let stack = Stack::connect();
    let (balancer, _) = fronted(&stack, "front-release", 9145).await;
    let owners = balancer.actions(&stack).await;
    sleep(&stack, "front-release").await;
    assert_ne!(balancer.actions(&stack).await, owners);
    let released = stack.dormouse(&["release", "front-release", "--json"]).await;
    assert_eq!(released.code, Some(0), "{released:?}");
    assert_eq!(balancer.actions(&stack).await, owners);
    let answer = Request::new("GET", &balancer.address).send().await;
    assert_eq!(
        who(&answer),
        Some(Who::App),
        "and it leads to an app that is there"
    );
}

#[tokio::test]
async fn a_deploy_that_leads_to_the_sleeping_app_is_undone_within_a_tick_and_told() {
    let stack = Stack::connect();
    let (balancer, service) = fronted(&stack, "front-drift", 9143).await;
    let owners = balancer.actions(&stack).await;
    sleep(&stack, "front-drift").await;
    let away = balancer.actions(&stack).await;
    balancer.deploy(&stack).await;
    assert_eq!(balancer.actions(&stack).await, owners);
    // The schedule's own tick.
    eventually(
        "it leads to the wake function again",
        Duration::from_secs(100),
        || async { (balancer.actions(&stack).await == away).then_some(()) },
    )
    .await;
    let counts = stack.calls("UpdateService", &service).await;
    assert_eq!(
        counts.last().expect("a call")["parameters"]["desiredCount"],
        0,
        "a deploy is no use"
    );
    let why = stack
        .wake("GET", "/front-drift/-/why?limit=5")
        .send()
        .await
        .json();
    let told = &why["entries"][0];
    assert_eq!(
        (&told["what"], &told["change"]),
        (&json!("rule"), &json!("put-back")),
        "{why}"
    );
}

/// What a person sees at the app's address.
const LOOK: &str = "return {bar: document.querySelector('[role=progressbar]') !== null, \
    marked: window.marked === true, address: location.href, text: document.body.innerText};";

#[tokio::test]
async fn in_a_browser_the_page_at_the_app_s_address_becomes_the_app_in_place_again_and_again() {
    let stack = Stack::connect();
    let (balancer, service) = fronted(&stack, "front-page", 9144).await;
    let browser = Browser::start(Settings::default()).await;
    let address = format!("{}/reports/7?tab=open&q=a%20b", balancer.address);
    for again in [false, true] {
        sleep(&stack, "front-page").await;
        browser.open_address(&address).await;
        let first = browser.ask(LOOK).await;
        assert_eq!(
            (&first["bar"], &first["address"]),
            (&json!(true), &json!(address)),
            "{first}"
        );
        if !again {
            assert_eq!(browser.accessibility_problems().await, [""; 0]);
            browser.picture(Screen("front-wait")).await;
        }
        browser.ask("window.marked = true;").await;
        let begun = Instant::now();
        let app = loop {
            assert!(begun.elapsed() < SOON, "it becomes the app");
            // None while one page gives way to the other.
            let Some(look) = browser.try_ask(LOOK).await else {
                continue;
            };
            assert_eq!(look["address"], json!(address), "at the same address: {look}");
            if look["bar"] == false {
                break look;
            }
            assert_eq!(look["marked"], true, "no reload before the app is there: {look}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let text = app["text"].as_str().expect("text");
        assert!(
            text.contains(&service) && text.contains("/reports/7?tab=open&q=a%20b"),
            "{text}"
        );
        ready(&stack, "front-page").await;
        // And it stays.
        browser.ask("window.marked = 'app';").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(browser.ask("return window.marked;").await, "app");
    }
    browser.picture(Screen("front-app")).await;
}
