//! People at an app's own address.

use super::*;

#[tokio::test]
async fn the_page_comes_in_place_and_wakes_the_app() {
    let world = led_away().await;
    let page = ask(&world, &event("alb-browser.json")).await;
    assert_eq!(
        (status_of(&page), &page["statusDescription"]),
        (503, &json!("503 Service Unavailable"))
    );
    let html = html(&page);
    for part in [
        "Waking up: dev",
        "role=\"progressbar\"",
        "data-page=\"\" data-poll=\"1\"",
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
        "\"x-dormouse-poll\"",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    // Nothing of the wake address works here.
    assert!(!html.contains("/-/") && !html.contains("<form"), "{html}");
    let policy = header(&page, "content-security-policy");
    assert!(
        policy.contains("script-src 'nonce-11111111222233334444555555555555'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(header(&page, "retry-after"), "2");
    assert_eq!(world.changes(), WOKEN);
    let record = world.record("dev").expect("a record");
    assert_eq!(
        record.woken_by.as_deref(),
        Some("198.51.100.23"),
        "the last address"
    );
}

#[tokio::test]
async fn a_poll_is_answered_with_the_part_that_changes() {
    let world = led_away().await;
    ask(&world, &event("alb-browser.json")).await;
    let part = ask(&world, &poll("")).await;
    assert_eq!(status_of(&part), 200);
    assert!(
        html(&part).starts_with("<main ") && html(&part).contains("data-state=\"waking\""),
        "{part}"
    );
    assert!(!html(&part).contains("<script"), "{part}");
    world.run_tasks();
    let part = ask(&world, &poll("")).await;
    assert!(html(&part).contains("data-state=\"ready\""), "{part}");
    assert_eq!(
        world.record("dev").expect("a record").phase,
        Phase::Awake,
        "moved on"
    );
    // The app alone ends it: as long as it is not the app who answers, the mark is there.
    assert_eq!(header(&part, "x-dormouse"), "wait");
}

#[tokio::test]
async fn a_page_that_somebody_sees_wakes_and_one_that_nobody_sees_looks() {
    let world = led_away().await;
    let part = ask(&world, &poll(", hidden")).await;
    assert_eq!(status_of(&part), 200);
    assert!(html(&part).contains("data-state=\"asleep\""), "{part}");
    assert_eq!(world.changes(), [""; 0]);
    ask(&world, &poll("")).await;
    assert_eq!(world.changes(), WOKEN);
    world.run_tasks();
    ask(&world, &poll(", hidden")).await;
    assert_eq!(
        world.record("dev").expect("a record").phase,
        Phase::Awake,
        "a wake under way is moved on"
    );
}

#[tokio::test]
async fn when_it_is_ready_before_the_load_balancer_knows_the_page_goes_on_asking() {
    let world = still_led_away().await;
    let page = ask(&world, &event("alb-browser.json")).await;
    assert_eq!(
        (
            status_of(&page),
            header(&page, "location"),
            header(&page, "retry-after")
        ),
        (503, "", "1")
    );
    assert!(html(&page).contains("data-poll=\"1\""), "{page}");
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn two_hundred_visitors_cost_one_update() {
    let world = led_away().await;
    let (world, config) = (&world, &config(&[]));
    let visitors = (0..200_usize).map(async |number| {
        let event = if number % 2 == 0 {
            event("alb-browser.json")
        } else {
            poll("")
        };
        wake::handle(world, config, event, &number.to_string()).await
    });
    for answer in futures_util::future::join_all(visitors).await {
        assert!(matches!(status_of(&answer.expect("an answer")), 200 | 503));
    }
    assert_eq!(world.changes(), WOKEN);
}

#[tokio::test]
async fn it_speaks_the_visitors_language() {
    for (language, said) in [("de", "Wacht auf: dev"), ("ja", "起動中: dev")] {
        let event = with_header(event("alb-browser.json"), "accept-language", language);
        let page = ask(&led_away().await, &event).await;
        assert!(html(&page).contains(said), "{page}");
    }
}

#[tokio::test]
async fn who_comes_while_it_is_kept_asleep_observed_or_spent_is_told_so() {
    let world = still_led_away().await;
    answer(&world, json!({"group": "dev", "action": "sleep", "for": "2h"})).await;
    let page = ask(&world, &event("alb-browser.json")).await;
    assert_eq!((status_of(&page), header(&page, "retry-after")), (503, "7200"));
    assert!(
        html(&page).contains("kept asleep until 2027-01-15T10:00:00Z"),
        "{page}"
    );
    let refused = ask(&world, &event("alb-program.json")).await;
    assert_eq!(
        (status_of(&refused), &status_json(&refused)["errors"][0]["code"]),
        (503, &json!("KeptAsleep"))
    );

    let tags = [("dormouse:group", "dev"), ("dormouse:mode", "observe")];
    let world = behind(World::with(&["dev/web"], &tags, 0), &posted("dev")).await;
    let page = ask(&world, &event("alb-browser.json")).await;
    assert!(html(&page).contains("only watched: nothing was woken"), "{page}");
    assert_eq!(world.changes(), [""; 0]);

    let tags = [("dormouse:group", "dev"), ("dormouse:wakes-per-day", "1")];
    let world = behind(World::with(&["dev/web"], &tags, 0), &posted("dev")).await;
    ask(&world, &event("alb-browser.json")).await;
    answer(&world, json!({"group": "dev", "action": "sleep"})).await;
    world.run_tasks();
    world.forget_changes();
    for event in [event("alb-browser.json"), poll(""), event("alb-program.json")] {
        let spent = ask(&world, &event).await;
        assert_eq!(status_of(&spent), 429, "{spent}");
        assert!(
            header(&spent, "retry-after")
                .parse::<u64>()
                .is_ok_and(|seconds| seconds > 3600)
        );
    }
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn nothing_that_was_tried_becomes_markup() {
    const EVIL: &str = "<script>alert(1)</script>";
    let mut path = event("alb-browser.json");
    path["path"] = json!(format!("/{EVIL}"));
    path["queryStringParameters"] = json!({EVIL: EVIL});
    let mut tries = vec![path];
    for name in [
        "accept-language",
        "user-agent",
        "host",
        "x-forwarded-for",
        "x-amzn-oidc-identity",
        "cookie",
    ] {
        tries.push(with_header(
            event("alb-browser.json"),
            name,
            &format!("de\"'>{EVIL}"),
        ));
    }
    for event in tries {
        let page = ask(&led_away().await, &event).await;
        assert_eq!(status_of(&page), 503);
        assert!(!html(&page).contains(EVIL), "{event}\n{page}");
    }
}

#[tokio::test]
async fn what_goes_wrong_has_a_page_that_bears_the_mark() {
    let world = led_away().await;
    world.break_("DescribeServices", Code::Throttled);
    for (event, status) in [(event("alb-browser.json"), 503), (poll(""), 200)] {
        let page = ask(&world, &event).await;
        assert_eq!(status_of(&page), status);
        assert!(html(&page).contains("refused by the test"), "{page}");
    }
    let world = led_away().await;
    world.break_("table", Code::TableNotFound);
    let page = ask(&world, &event("alb-browser.json")).await;
    assert_eq!(status_of(&page), 502);
    assert!(html(&page).contains("refused by the test"), "{page}");
    assert_eq!(status_of(&ask(&world, &event("alb-program.json")).await), 502);
}
