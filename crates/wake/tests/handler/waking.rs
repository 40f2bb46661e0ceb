//! From asleep into the app.

use super::*;

#[tokio::test]
async fn a_browser_that_opens_a_sleeping_group_gets_the_page_and_wakes_it() {
    let world = asleep();
    let page = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&page), 200);
    assert_eq!(page["headers"]["content-type"], "text/html; charset=utf-8");
    assert_eq!(page["headers"]["cache-control"], "no-store");
    let html = page["body"].as_str().expect("html");
    assert!(
        html.contains("role=\"progressbar\"") && html.contains("data-status=\"../-/status\""),
        "{html}"
    );
    assert!(
        html.contains("#fill { width: 0%; }"),
        "the bar is right without JavaScript too: {html}"
    );
    assert!(html.len() < 20_000, "{} bytes", html.len());
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
}

#[tokio::test]
async fn when_ready_the_browser_is_sent_on_with_path_and_query() {
    let world = awake().await;
    let redirect = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(
        redirect["headers"]["location"],
        "http://198.51.100.1:8080/reports/42?tab=open&q=a%20b"
    );
    assert_eq!(world.changes(), [""; 0], "nothing is woken twice");
}

#[tokio::test]
async fn a_program_gets_503_with_retry_after_and_then_the_redirect() {
    let world = asleep();
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&refusal), 503);
    assert_eq!(refusal["headers"]["retry-after"], "2");
    let status = body(&refusal);
    assert_eq!(
        (&status["phase"], &status["generation"], &status["ready"]),
        (&json!("waking"), &json!(1), &json!(false))
    );
    assert_eq!(status["services"][0]["cluster"], "dev");
    world.run_tasks();
    let redirect = answer(&world, event("http-api-program.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(
        redirect["headers"]["location"],
        "http://198.51.100.1:8080/api/v1/items?page=2"
    );
}

#[tokio::test]
async fn a_program_that_waits_is_answered_as_soon_as_it_is_ready() {
    let world = asleep();
    world.tasks_start_by_themselves();
    let began = world.now();
    let redirect = answer(&world, event("http-api-program-waits.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(world.now().duration_since(began).as_secs(), 1);
}

#[tokio::test]
async fn a_wait_ends_before_the_api_gives_up() {
    let world = asleep();
    let mut event = event("http-api-program-waits.json");
    event["queryStringParameters"]["wait"] = json!("9999");
    let began = world.now();
    assert_eq!(status_of(&answer(&world, event.clone()).await), 503);
    assert_eq!(world.now().duration_since(began).as_secs(), 25);
    event["queryStringParameters"]["wait"] = json!("long");
    let refusal = answer(&world, event).await;
    assert_eq!(status_of(&refusal), 400);
    assert!(
        body(&refusal)["errors"][0]["message"]
            .as_str()
            .expect("text")
            .contains("`long`")
    );
}

#[tokio::test]
async fn two_hundred_tabs_at_once_set_the_count_once() {
    let world = asleep();
    let (world, config) = (&world, &config(&[]));
    let tabs: Vec<_> = (0..200)
        .map(|tab| async move {
            wake::handle(world, config, event("http-api-browser.json"), &tab.to_string()).await
        })
        .collect();
    let answers = futures_util::future::join_all(tabs).await;
    for answer in answers {
        assert_eq!(status_of(&answer.expect("an answer")), 200);
    }
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
}

#[tokio::test]
async fn a_group_at_three_is_not_lowered() {
    let world = World::with(&["dev/web"], TAGS, 3);
    for event_ in ["http-api-program.json", "http-api-wake.json", "direct-wake.json"] {
        answer(&world, event(event_)).await;
    }
    assert_eq!(
        (world.changes(), world.desired("dev/web")),
        (vec!["StartExecution dev g1".to_owned()], 3)
    );
}

#[tokio::test]
async fn running_but_not_answering_is_never_redirected_to() {
    let world = asleep();
    answer(&world, event("http-api-browser.json")).await;
    world.run_tasks();
    world.change("dev/web", |state| state.tasks[0].probe = Some(Probe::Status(503)));
    assert_eq!(
        status_of(&answer(&world, event("http-api-browser.json")).await),
        200
    );
    let refusal = answer(&world, event("http-api-program.json")).await;
    assert_eq!(
        (status_of(&refusal), &body(&refusal)["services"][0]["stage"]),
        (503, &json!("starting"))
    );
}

#[tokio::test]
async fn heads_prefetches_and_checkers_look_but_do_not_wake() {
    let world = asleep();
    let mut prefetch = event("http-api-browser.json");
    prefetch["headers"]["sec-purpose"] = json!("prefetch");
    let mut checker = event("http-api-program.json");
    checker["headers"]["user-agent"] = json!("ELB-HealthChecker/2.0");
    for event in [
        event("http-api-head.json"),
        prefetch,
        checker,
        event("http-api-status.json"),
    ] {
        let answer = answer(&world, event).await;
        assert!(matches!(status_of(&answer), 200 | 503));
        assert_eq!(body(&answer)["phase"], "asleep");
    }
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn while_many_wake_the_page_comes_at_once_and_its_next_question_waits_for_its_turn() {
    let world = asleep();
    let line = std::time::Duration::from_secs(12);
    world.wakes_stand_in_line(&[line, line]);
    let began = world.now();
    let page = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(
        (status_of(&page), world.now(), world.desired("dev/web")),
        (200, began, 0)
    );
    let status = body(&answer(&world, event("http-api-status.json")).await);
    assert_eq!(
        (&status["phase"], world.desired("dev/web")),
        (&json!("waking"), 1)
    );
    assert_eq!(dormouse_core::duration::between(began, world.now()), line);
}
