//! How the pages look: dark, on a phone, in another language; and all groups on one page.

use std::time::Duration;

use end_to_end::{Browser, Screen, Service, Settings, Stack};
use serde_json::json;

/// Two ticks: a new group is discovered by then.
const DISCOVERED: Duration = Duration::from_secs(150);
const SOON: Duration = Duration::from_secs(60);
const WIDTHS: &str = "return [innerWidth, document.documentElement.scrollWidth];";

/// A group whose wake never ends, so that its page can be looked at for as long as it takes.
async fn waking_for_ever(stack: &Stack, group: &str) {
    Service::new(group)
        .variable("SIM_PENDING", "forever")
        .sleeps_after("10m")
        .create(stack)
        .await;
}

#[tokio::test]
async fn in_the_dark_the_page_is_dark_and_everything_on_it_can_be_read() {
    let stack = Stack::connect();
    waking_for_ever(&stack, "in-the-dark").await;
    let settings = Settings {
        dark: true,
        ..Settings::default()
    };
    let browser = Browser::start(settings).await;
    browser.open(&stack, "/in-the-dark/").await;
    let background = browser
        .ask("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);")
        .await;
    let dark = background.as_array().expect("a colour").iter().take(3);
    assert!(
        dark.clone()
            .all(|part| part.as_f64().is_some_and(|part| part < 64.0)),
        "{background}"
    );
    // Contrast is among what axe looks at.
    assert_eq!(browser.accessibility_problems().await, [""; 0]);
    browser.picture(Screen("dark")).await;
}

#[tokio::test]
async fn on_a_phone_of_360_pixels_nothing_is_cut_off() {
    let stack = Stack::connect();
    // A name as long as names may be, without a place to break it.
    let name = "on-a-phone-with-a-name-that-is-as-long-as-it-may-be";
    waking_for_ever(&stack, &name[..50]).await;
    let settings = Settings {
        width: 360,
        ..Settings::default()
    };
    let browser = Browser::start(settings).await;
    browser.open(&stack, &format!("/{}/", &name[..50])).await;
    assert_eq!(browser.ask(WIDTHS).await, json!([360, 360]));
    assert_eq!(browser.accessibility_problems().await, [""; 0]);
    browser.picture(Screen("phone")).await;
}

#[tokio::test]
async fn the_page_speaks_the_browsers_language() {
    let stack = Stack::connect();
    waking_for_ever(&stack, "in-languages").await;
    let mut titles = Vec::new();
    for (language, picture) in [("en", None), ("de", Some(Screen("german"))), ("ja", None)] {
        let settings = Settings {
            language,
            ..Settings::default()
        };
        let browser = Browser::start(settings).await;
        browser.open(&stack, "/in-languages/").await;
        assert_eq!(
            browser.ask("return document.documentElement.lang;").await,
            language
        );
        assert_eq!(browser.accessibility_problems().await, [""; 0], "{language}");
        titles.push(browser.ask("return document.title;").await.to_string());
        if let Some(picture) = picture {
            browser.picture(picture).await;
        }
    }
    titles.dedup();
    assert_eq!(titles.len(), 3, "{titles:?}");
}

#[tokio::test]
async fn all_groups_are_on_one_page_and_a_button_wakes_one() {
    let stack = Stack::connect();
    Service::new("pressed").sleeps_after("10m").create(&stack).await;
    let settings = Settings {
        width: 360,
        ..Settings::default()
    };
    let browser = Browser::start(settings).await;
    let button = "form[action*='/pressed/-/wake'] button";
    let there = format!("return document.querySelector(\"{button}\") !== null;");
    browser.open(&stack, "/").await;
    browser
        .until("the page shows a new group by itself", DISCOVERED, &there)
        .await;
    assert_eq!(browser.ask(WIDTHS).await, json!([360, 360]));
    assert_eq!(browser.accessibility_problems().await, [""; 0]);
    browser.picture(Screen("groups")).await;
    assert_eq!(stack.status("pressed").await["phase"], "asleep");

    browser.press(button).await;
    // The group's own page, and from there the app.
    browser
        .until(
            "it leads into the app",
            SOON,
            "return document.title.includes('pressed-web is awake');",
        )
        .await;
    assert_eq!(stack.status("pressed").await["phase"], "awake");
}
