//! Whoever waits in a hundred tabs costs what one does.

use std::time::Duration;

use dormouse_core::duration::between;
use dormouse_core::look::EVERY;
use futures_util::future::join_all;

use super::*;

const TABS: usize = 200;
/// What the page's script waits between two questions.
const POLL: Duration = Duration::from_secs(2);

async fn ask(world: &World, event: Value) -> Value {
    wake::handle(world, &config(&[]), event, "request")
        .await
        .expect("an answer")
}

/// A tab: opens the page, asks for the status as the page does, and is led on; its last answer.
async fn tab(world: &World, number: usize) -> Value {
    // They are not opened all at the same moment.
    world.pause(Duration::from_millis(7 * number as u64)).await;
    let page = ask(world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&page), 200, "{page}");
    loop {
        world.pause(POLL).await;
        let status = ask(world, event("http-api-status.json")).await;
        assert_eq!(status_of(&status), 200, "{status}");
        if body(&status)["ready"] == true {
            return ask(world, event("http-api-browser.json")).await;
        }
    }
}

#[tokio::test]
async fn two_hundred_tabs_cost_one_update_and_a_look_a_second() {
    let world = asleep();
    let began = world.now();
    let opened = join_all((0..TABS).map(|number| tab(&world, number)));
    let ready = async {
        world.pause(Duration::from_secs(12)).await;
        world.run_tasks();
        world.now()
    };
    let (answers, ready) = futures_util::future::join(opened, ready).await;
    assert!(answers.iter().all(|answer| status_of(answer) == 307));
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
    let took = between(began, world.now());
    let looks = u64::try_from(world.looks()).expect("a number");
    println!("{TABS} tabs, {looks} looks in {took:?}");
    assert!(looks <= took.as_secs() + 1, "{looks} looks in {took:?}");
    assert!(looks >= 4, "and they do look: {looks}");
    assert!(
        between(ready, world.now()) <= POLL + EVERY + Duration::from_secs(1),
        "all of them are led on soon"
    );
}

/// Whoever asks for the status, page after page, as fast as it is answered.
async fn ask_all_the_time(world: &World, until: jiff::Timestamp) {
    while world.now() < until {
        ask(world, event("http-api-status.json")).await;
        world.pause(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn those_who_only_look_do_not_keep_anybody_from_waking() {
    let world = asleep();
    let until = dormouse_core::duration::after(world.now(), Duration::from_secs(4));
    let crowd = join_all((0..20).map(|_| ask_all_the_time(&world, until)));
    let comes = async {
        world.pause(Duration::from_millis(500)).await;
        let page = ask(&world, event("http-api-browser.json")).await;
        (status_of(&page), world.desired("dev/web"), world.now())
    };
    let began = world.now();
    let (_, (status, desired, at)) = futures_util::future::join(crowd, comes).await;
    assert_eq!((status, desired), (200, 1));
    assert!(
        between(began, at) < Duration::from_secs(2),
        "{:?}",
        between(began, at)
    );
}

#[tokio::test]
async fn a_look_that_takes_long_is_waited_for_and_shared() {
    for length in [1500, 4000] {
        let world = asleep();
        answer(&world, event("http-api-browser.json")).await;
        world.slow_down("DescribeServices", Duration::from_millis(length));
        world.advance(5);
        let (began, before) = (world.now(), world.looks());
        let tabs = (0..20_u64).map(async |tab| {
            world.pause(Duration::from_millis(50 * tab)).await;
            ask(&world, event("http-api-status.json")).await
        });
        for status in join_all(tabs).await {
            assert_eq!(
                (status_of(&status), &body(&status)["phase"]),
                (200, &json!("waking"))
            );
        }
        let took = between(began, world.now());
        assert!(
            took <= Duration::from_millis(length + 1500),
            "{length} ms: {took:?}"
        );
        assert_eq!(world.looks() - before, 1, "{length} ms");
    }
}

#[tokio::test]
async fn nobody_is_led_into_an_app_by_an_old_look() {
    let world = awake().await;
    let ready = ask(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&ready), 307);
    world.change("dev/web", |state| {
        state.tasks.clear();
        state.running = 0;
    });
    world.advance(2);
    world.slow_down("DescribeServices", Duration::from_secs(10));
    // The first one looks for so long that the second one cannot wait for it.
    let tabs = (0..2_u64).map(async |tab| {
        world.pause(Duration::from_millis(100 * tab)).await;
        ask(&world, event("http-api-browser.json")).await
    });
    for page in join_all(tabs).await {
        assert_eq!(status_of(&page), 200, "{page}");
    }
}

#[tokio::test]
async fn what_is_refused_to_one_is_not_told_to_those_who_look() {
    let world = World::with(
        &["dev/web"],
        &[("dormouse:group", "dev"), ("dormouse:wakes-per-day", "1")],
        0,
    );
    answer(&world, event("http-api-program.json")).await;
    answer(&world, event("direct-sleep.json")).await;
    answer(&world, event("http-api-status.json")).await;
    world.forget_looks();
    assert_eq!(status_of(&ask(&world, event("http-api-program.json")).await), 429);
    let status = body(&ask(&world, event("http-api-status.json")).await);
    assert_eq!(
        (&status["phase"], &status["errors"]),
        (&json!("asleep"), &json!([]))
    );
    assert!(
        status["retry_after_seconds"].as_u64().is_some_and(|s| s < 60),
        "{status}"
    );
}

#[tokio::test]
async fn a_look_that_cannot_be_shared_is_told_all_the_same() {
    let world = asleep();
    world.break_("sharing", Code::Throttled);
    let page = ask(&world, event("http-api-browser.json")).await;
    assert_eq!((status_of(&page), world.desired("dev/web")), (200, 1));
}

#[tokio::test]
async fn a_wake_is_never_answered_with_what_somebody_saw_who_only_looked() {
    let world = asleep();
    let status = ask(&world, event("http-api-status.json")).await;
    assert_eq!(body(&status)["phase"], "asleep");
    let page = ask(&world, event("http-api-browser.json")).await;
    assert_eq!((status_of(&page), world.desired("dev/web")), (200, 1));
}

#[tokio::test]
async fn what_a_direct_call_has_changed_is_seen_at_once() {
    let world = awake().await;
    ask(&world, event("http-api-status.json")).await;
    ask(&world, event("direct-sleep.json")).await;
    let status = body(&ask(&world, event("http-api-status.json")).await);
    assert_ne!(
        status["phase"], "awake",
        "the record has another version: {status}"
    );
}

#[tokio::test]
async fn an_error_is_shared_too_and_forgotten_after_a_second() {
    let world = asleep();
    world.break_("DescribeServices", Code::Throttled);
    let looks = world.looks();
    for _ in 0..20 {
        ask(&world, event("http-api-program.json")).await;
    }
    assert!(world.looks() - looks <= 2, "{}", world.looks() - looks);
    world.mend("DescribeServices");
    world.advance(1);
    world.run_tasks();
    assert_eq!(
        body(&ask(&world, event("http-api-status.json")).await)["errors"],
        json!([])
    );
}

#[tokio::test]
async fn progress_never_goes_back_even_if_a_task_crashes() {
    let world = asleep();
    answer(&world, event("http-api-browser.json")).await;
    world.run_tasks();
    world.change("dev/web", |state| state.tasks[0].probe = Some(Probe::Status(503)));
    world.advance(2);
    let far = body(&ask(&world, event("http-api-status.json")).await)["progress"].clone();
    world.change("dev/web", |state| {
        state.tasks.clear();
        state.running = 0;
    });
    world.advance(2);
    let status = body(&ask(&world, event("http-api-status.json")).await);
    assert_eq!(status["services"][0]["stage"], "provisioning");
    assert_eq!(status["progress"], far);
}

/// Forty tabs that come while a look takes four seconds: all have this answer, and two looks do for them.
async fn forty_tabs_share_two_long_looks(world: &World, status: u64) {
    world.slow_down("DescribeServices", Duration::from_secs(4));
    let (began, before) = (world.now(), world.looks());
    let tabs = (0..40_u64).map(async |tab| {
        world.pause(Duration::from_millis(7 * tab)).await;
        ask(world, event("http-api-browser.json")).await
    });
    for page in join_all(tabs).await {
        assert_eq!(status_of(&page), status, "{page}");
    }
    let took = between(began, world.now());
    assert!(took <= Duration::from_secs(10), "{took:?}");
    let looks = world.looks() - before;
    assert!(looks <= 2, "{looks} looks in {took:?}");
}

#[tokio::test]
async fn looks_that_take_very_long_are_not_made_by_all_who_wait() {
    forty_tabs_share_two_long_looks(&asleep(), 200).await;
}

#[tokio::test]
async fn a_look_that_began_after_somebody_came_answers_them_however_long_it_took() {
    let world = awake().await;
    world.advance(20);
    forty_tabs_share_two_long_looks(&world, 307).await;
}
