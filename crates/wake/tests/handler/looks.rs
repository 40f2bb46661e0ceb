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
