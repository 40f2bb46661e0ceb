//! What a person sees, in headless Chromium: from asleep into the app, and when it cannot become ready.

use std::time::{Duration, Instant};

use end_to_end::{Balancer, Browser, Screen, Service, Settings, Stack, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// What of the page a wake may change.
const LOOK: &str = "const bar = document.querySelector('[role=progressbar]'); \
    const rows = [...document.querySelectorAll('main li')].map((row) => row.innerText).join(' | '); \
    return {marked: window.marked === true, title: document.title, \
    icon: document.querySelector('link[rel=icon]')?.getAttribute('href'), \
    heading: document.querySelector('h1')?.innerText, rows, \
    percent: bar && Number(bar.getAttribute('aria-valuenow')), address: location.href};";

/// A page that leads into the app by itself, without a reload before.
#[tokio::test]
async fn a_browser_is_led_from_asleep_through_every_stage_into_the_app_with_path_and_query() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "watched-wake", 9131).await;
    // 160 s at speed 20 are 8 s in which the target is unhealthy: time to see the last stage.
    let service = Service::new("watched-wake")
        .behind(&balancer)
        .sleeps_after("10m")
        .variable("SIM_READY_AFTER", "160")
        .create(&stack)
        .await;
    assert_eq!(stack.status("watched-wake").await["phase"], "asleep");

    let browser = Browser::start(Settings::default()).await;
    browser
        .open(&stack, "/watched-wake/reports/7?tab=open&q=a%20b")
        .await;
    browser.ask("window.marked = true;").await;
    browser.picture(Screen("wake-1-asked")).await;
    assert_eq!(browser.accessibility_problems().await, [""; 0]);

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
            seen.push(look);
            if seen.len() == 3 {
                browser.picture(Screen("wake-2-under-way")).await;
            }
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
    assert!(
        distinct("rows").len() >= 3,
        "one stage after the other: {seen:#?}"
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
    browser.picture(Screen("wake-3-app")).await;
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
