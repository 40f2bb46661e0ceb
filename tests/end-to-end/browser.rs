//! What a person sees, in headless Chromium: from asleep into the app, and when it cannot become ready.

use std::time::{Duration, Instant};

use end_to_end::{Balancer, Browser, Screen, Service, Settings, Stack, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// What of the page a wake may change.
const LOOK: &str = "const bar = document.querySelector('[role=progressbar]'); \
    return {marked: window.marked === true, title: document.title, \
    icon: document.querySelector('link[rel=icon]')?.getAttribute('href'), \
    headline: document.querySelector('[role=status]')?.innerText, \
    step: document.querySelector('[aria-current=step]')?.innerText.replace(/ [0-9].*/, '') ?? null, \
    percent: bar && Number(bar.getAttribute('aria-valuenow')), address: location.href};";

/// A picture of each step that there may be.
const STEPS: [Screen; 5] = [
    Screen("wake-1"),
    Screen("wake-2"),
    Screen("wake-3"),
    Screen("wake-4"),
    Screen("wake-5"),
];

/// A page that leads into the app by itself, without a reload before.
#[tokio::test]
async fn a_browser_is_led_from_asleep_through_every_stage_into_the_app_with_path_and_query() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "watched-wake", 9131).await;
    // At speed 20 the image takes 6 s, and the target is unhealthy for 8 s: the page, which looks every 2 s, sees both.
    let service = Service::new("watched-wake")
        .behind(&balancer)
        .sleeps_after("10m")
        .variable("SIM_PULL_SECONDS", "120")
        .variable("SIM_READY_AFTER", "160")
        .create(&stack)
        .await;
    assert_eq!(stack.status("watched-wake").await["phase"], "asleep");

    let browser = Browser::start(Settings::default()).await;
    browser
        .open(&stack, "/watched-wake/reports/7?tab=open&q=a%20b")
        .await;
    browser.ask("window.marked = true;").await;
    assert_eq!(browser.accessibility_problems().await, [""; 0]);

    let mut pictures = STEPS.into_iter();
    let mut seen: Vec<Value> = Vec::new();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < SOON, "it leads into the app: {seen:#?}");
        // None while one page gives way to the other.
        let Some(look) = browser.try_ask(LOOK).await else {
            continue;
        };
        if look["percent"].is_null() && look["marked"] == false {
            break;
        }
        if seen.last() != Some(&look) {
            if !look["step"].is_null() && seen.last().is_none_or(|last| last["step"] != look["step"]) {
                browser
                    .picture(pictures.next().expect("a picture of each step"))
                    .await;
            }
            seen.push(look);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let percents: Vec<f64> = seen.iter().filter_map(|look| look["percent"].as_f64()).collect();
    assert!(percents.is_sorted(), "progress never goes back: {percents:?}");
    assert!(
        percents.len() >= 3 && percents[0] < percents[percents.len() - 1],
        "it moves: {percents:?}"
    );
    // The bar may be full in the moment before it leads on, when the title says that it is ready.
    let waking = seen.iter().filter(|look| look["title"] == seen[0]["title"]);
    assert!(
        waking
            .clone()
            .all(|look| look["percent"].as_f64().is_some_and(|percent| percent < 100.0)),
        "never full while it wakes: {seen:#?}"
    );
    assert!(
        seen.iter().all(|look| look["marked"] == true),
        "no reload before the app: {seen:#?}"
    );
    let distinct = |field: &str| {
        let mut values: Vec<String> = seen.iter().map(|look| look[field].to_string()).collect();
        values.dedup();
        values
    };
    // Of the five steps, it needs nothing, and its containers start in a moment.
    let order = [
        "starting what it needs",
        "finding a place to run",
        "pulling the image",
        "starting",
        "health checks",
    ];
    let steps: Vec<usize> = distinct("step")
        .iter()
        .filter_map(|step| order.iter().position(|name| *step == format!("\"{name}\"")))
        .collect();
    assert!(
        steps.is_sorted() && steps.contains(&2) && steps.contains(&4) && steps.len() >= 3,
        "one step after the other: {steps:?} of {seen:#?}"
    );
    assert!(
        distinct("headline").len() >= 3,
        "and the headline says it: {seen:#?}"
    );
    assert!(
        distinct("title")
            .iter()
            .all(|title| title.contains("watched-wake")),
        "{seen:#?}"
    );

    // The app's own page, which says what it was asked for.
    assert_eq!(
        browser.address().await,
        format!("{}/reports/7?tab=open&q=a%20b", balancer.address)
    );
    let app = browser.ask("return document.body.innerText;").await;
    let app = app.as_str().expect("text");
    assert!(
        app.contains(&service) && app.contains("/reports/7?tab=open&q=a%20b"),
        "{app}"
    );
    browser.picture(Screen("wake-6-app")).await;
}

#[tokio::test]
async fn a_failure_is_shown_in_ecs_words_with_title_icon_and_what_to_do() {
    let stack = Stack::connect();
    Service::new("seen-failing")
        .image("example/missing:1")
        .sleeps_after("10m")
        .create(&stack)
        .await;
    let browser = Browser::start(Settings::default()).await;
    browser.open(&stack, "/seen-failing/").await;
    browser.ask("window.marked = true;").await;
    let first = browser.ask(LOOK).await;
    browser
        .until(
            "the page says why",
            SOON,
            "return document.body.innerText.includes('CannotPullContainerError');",
        )
        .await;
    let failing = browser.ask(LOOK).await;
    assert_eq!(failing["marked"], true, "without a reload: {failing}");
    assert_ne!(first["title"], failing["title"], "the tab says it too");
    assert_ne!(first["icon"], failing["icon"], "and so does its icon");
    // What to do, in words that are not ECS's, and something to press.
    let help = browser
        .ask("return document.getElementById('help').innerText;")
        .await;
    assert!(help.as_str().is_some_and(|help| help.contains("image")), "{help}");
    assert_eq!(
        browser
            .ask("return document.querySelectorAll('#actions .button').length;")
            .await,
        1
    );
    assert_eq!(browser.accessibility_problems().await, [""; 0]);
    browser.picture(Screen("failing")).await;
}

#[tokio::test]
async fn without_javascript_the_page_still_leads_into_the_app() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "scriptless", 9132).await;
    Service::new("scriptless")
        .behind(&balancer)
        .sleeps_after("10m")
        .create(&stack)
        .await;
    let settings = Settings {
        javascript: false,
        ..Settings::default()
    };
    let browser = Browser::start(settings).await;
    browser.open(&stack, "/scriptless/a/b?c=d").await;
    browser.picture(Screen("without-javascript")).await;
    let address = format!("{}/a/b?c=d", balancer.address);
    eventually("it leads into the app", SOON, || async {
        (browser.address().await == address).then_some(())
    })
    .await;
}
