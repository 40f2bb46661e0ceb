//! The wake budget, at the HTTP door.

use super::*;

/// From the beginning of a test, 2027-01-15T08:00:00Z, to midnight.
const TO_MIDNIGHT: u64 = 16 * 3600;

/// A group that was woken over HTTP twice today, which is all that it may, and is asleep.
async fn spent() -> World {
    let world = World::with(
        &["dev/web"],
        &[("dormouse:group", "dev"), ("dormouse:wakes-per-day", "2")],
        0,
    );
    for _ in 0..2 {
        assert_eq!(
            status_of(&answer(&world, event("http-api-program.json")).await),
            503
        );
        assert_eq!(world.desired("dev/web"), 1, "not spent yet");
        falls_asleep(&world).await;
    }
    world.forget_changes();
    world
}

async fn falls_asleep(world: &World) {
    world.run_tasks();
    answer(world, event("http-api-status.json")).await;
    answer(world, event("direct-sleep.json")).await;
    world.run_tasks();
    answer(world, json!({"group": "dev", "action": "tick"})).await;
    assert_eq!(world.record("dev").expect("a record").phase, Phase::Asleep);
}

#[tokio::test]
async fn a_spent_budget_is_429_until_midnight_for_people_and_programs() {
    let world = spent().await;
    let until = TO_MIDNIGHT.to_string();
    for program in [
        event("http-api-program.json"),
        event("http-api-wake.json"),
        event("http-api-program-waits.json"),
    ] {
        let refused = answer(&world, program).await;
        assert_eq!(
            (status_of(&refused), &refused["headers"]["retry-after"]),
            (429, &json!(until)),
        );
        assert_eq!(error_of(&refused), "WakeBudgetSpent");
        assert_eq!(body(&refused)["phase"], "asleep");
    }
    let page = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(
        (status_of(&page), &page["headers"]["retry-after"]),
        (429, &json!(until))
    );
    let html = page["body"].as_str().expect("html");
    assert!(
        html.contains("2027-01-16T00:00:00Z") && html.contains("(2)"),
        "{html}"
    );
    assert_eq!(world.changes(), [""; 0]);
    world.advance(TO_MIDNIGHT - 1);
    assert_eq!(status_of(&answer(&world, event("http-api-wake.json")).await), 429);
    world.advance(1);
    assert_eq!(status_of(&answer(&world, event("http-api-wake.json")).await), 202);
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn the_why_log_tells_the_first_refusal_and_not_the_next() {
    let world = spent().await;
    let before = world.whys("dev").len();
    for _ in 0..3 {
        answer(&world, event("http-api-program.json")).await;
    }
    let whys = world.whys("dev");
    assert_eq!(whys.len(), before + 1);
    let told = whys.last().expect("an entry");
    assert_eq!(
        (told.reason.as_str(), told.by.as_deref()),
        ("wake-budget-spent", Some("198.51.100.23"))
    );
}

#[tokio::test]
async fn other_doors_still_wake_and_then_everybody_is_led_in() {
    let world = spent().await;
    answer(&world, event("direct-wake.json")).await;
    assert_eq!(world.desired("dev/web"), 2);
    assert_eq!(
        status_of(&answer(&world, event("http-api-program.json")).await),
        503,
        "waking is not limited"
    );
    world.run_tasks();
    assert_eq!(
        status_of(&answer(&world, event("http-api-program.json")).await),
        307
    );
}

#[tokio::test]
async fn the_stacks_budget_holds_for_groups_that_say_nothing() {
    let world = asleep();
    let once: &[(&str, &str)] = &[("WAKES_PER_DAY", "1")];
    answer_of(&world, once, event("http-api-wake.json")).await;
    falls_asleep(&world).await;
    let refused = answer_of(&world, once, event("http-api-wake.json")).await;
    assert_eq!(status_of(&refused), 429);
}

#[tokio::test]
async fn every_503_says_when_to_ask_again() {
    let world = asleep();
    world.break_("table", Code::Throttled);
    for accept in ["*/*", "text/html"] {
        let failed = answer(&world, get("/dev", accept)).await;
        assert_eq!(
            (status_of(&failed), &failed["headers"]["retry-after"]),
            (503, &json!("5")),
            "{accept}"
        );
    }
}
