//! All groups at a glance.

use dormouse_core::ports::Clock;

use super::*;

#[tokio::test]
async fn the_list_of_a_direct_call_is_that_of_the_address() {
    let world = awake().await;
    let direct = answer(&world, event("direct-list.json")).await;
    assert_eq!(direct, body(&answer(&world, event("http-api-groups.json")).await));
    assert_eq!(direct["discovered_at"], "2027-01-15T08:00:00Z");
    let dev = &direct["groups"][0];
    assert_eq!(
        (&dev["group"], &dev["phase"], &dev["generation"], &dev["cause"]),
        (&json!("dev"), &json!("awake"), &json!(1), &json!("http"))
    );
    assert_eq!(dev["services"], json!([{"cluster": "dev", "name": "web"}]));
    let asked = world
        .record("dev")
        .expect("a record")
        .last_wake_at
        .expect("a wake");
    let usual = dormouse_core::settings::Defaults::default().idle_after;
    let deadline = dormouse_core::duration::after(asked, usual);
    assert_eq!(dev["next_deadline"], json!(deadline));
}

#[tokio::test]
async fn what_sleep_has_saved_is_added_up_from_sleep_to_sleep() {
    let world = asleep();
    let saved = async || {
        let list = answer(&world, event("direct-list.json")).await;
        list["groups"][0]["slept_task_seconds"].clone()
    };
    let wake = async || {
        answer(&world, event("direct-wake.json")).await;
        world.run_tasks();
        answer(&world, event("direct-tick.json")).await;
    };
    let sleep = async || {
        answer(&world, event("direct-sleep.json")).await;
        world.run_tasks();
        answer(&world, event("direct-tick.json")).await;
    };
    answer(&world, event("direct-tick.json")).await;
    world.advance(1000);
    assert_eq!(saved().await, 0, "nobody has seen it awake yet");
    wake().await;
    world.advance(500);
    assert_eq!(saved().await, 0);
    sleep().await;
    world.advance(100);
    assert_eq!(saved().await, 200, "two tasks for 100 s");
    wake().await;
    world.advance(500);
    assert_eq!(saved().await, 200);
    sleep().await;
    world.advance(7);
    assert_eq!(saved().await, 214);
}

#[tokio::test]
async fn whoever_asks_for_groups_that_are_not_there_does_not_make_everybody_read_the_tags() {
    let world = asleep();
    let began = world.now();
    for n in 0..30 {
        let unknown = answer(&world, get(&format!("/scan-{n}"), "*/*")).await;
        assert_eq!(status_of(&unknown), 404);
    }
    let seconds = dormouse_core::duration::between(began, world.now()).as_secs();
    assert!(
        world.discoveries() as u64 <= 1 + seconds / 3,
        "{} in {seconds} s",
        world.discoveries()
    );
    world.advance(1);
    world.add("dev/new", &[("dormouse:group", "new")], 0);
    let woken = answer(&world, get("/new", "*/*")).await;
    assert_eq!(
        (status_of(&woken), world.desired("dev/new")),
        (503, 1),
        "a new tag is found all the same"
    );
}
