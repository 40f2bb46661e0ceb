//! The tick of many groups: who is looked at, how closely, and by which invocation.

use std::collections::BTreeSet;

use auto_sleep::handle;
use dormouse_core::error::Code;
use dormouse_core::ids::GroupName;
use dormouse_testkit::{World, config, event};
use serde_json::{Value, json};

async fn call(world: &World, variables: &[(&str, &str)], event: Value) -> Value {
    let answer = handle(world, &config(variables), event, "r").await;
    answer.unwrap_or_else(|error| panic!("{error}"))
}

async fn tick(world: &World) -> Value {
    call(world, &[], event("eventbridge-scheduled.json")).await
}

/// Groups of one service, all with this desired count, that were looked at once.
async fn groups(count: usize, desired: u32, tags: &[(&str, &str)]) -> World {
    let world = World::default();
    for n in 0..count {
        let group = format!("g{n:02}");
        let tags: Vec<_> = tags
            .iter()
            .copied()
            .chain([("dormouse:group", group.as_str())])
            .collect();
        world.add(&format!("dev/{group}"), &tags, desired);
    }
    world.run_tasks();
    tick(&world).await;
    world.advance(60);
    world.forget_changes();
    world
}

#[tokio::test]
async fn what_is_asleep_is_looked_at_once_in_a_quarter_of_an_hour_ten_services_a_call() {
    let world = groups(40, 0, &[]).await;
    let looks = world.looks();
    let mut looked_at = BTreeSet::new();
    for _ in 0..15 {
        let before = world.looked_at().len();
        tick(&world).await;
        let now: Vec<_> = world.looked_at()[before..].to_vec();
        assert!(now.len() <= 10, "{now:?}");
        looked_at.extend(now);
        world.advance(60);
    }
    assert_eq!((looked_at.len(), world.looks() - looks), (40, 4));
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_group_that_could_not_be_seen_at_first_is_looked_at_again() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 2);
    world.run_tasks();
    world.break_("DescribeServices", Code::Unavailable);
    tick(&world).await;
    assert_eq!(world.record("dev"), None, "nobody knows whether it sleeps");
    world.mend("DescribeServices");
    world.advance(60);
    tick(&world).await;
    let record = world.record("dev").expect("a record");
    assert_eq!(record.phase, dormouse_core::record::Phase::Awake);
}

/// Found by the simulation, seed 3326.
#[tokio::test]
async fn a_group_whose_tags_are_bad_at_first_is_not_taken_for_asleep() {
    let tags = [("dormouse:group", "dev"), ("dormouse:idle-after", "soon")];
    let world = World::with(&["dev/web"], &tags, 2);
    world.run_tasks();
    tick(&world).await;
    assert_eq!(world.record("dev"), None, "nobody knows whether it sleeps");
    world.tag("dev/web", "dormouse:idle-after", "10m");
    world.advance(60);
    tick(&world).await;
    let record = world.record("dev").expect("a record");
    assert_eq!(record.phase, dormouse_core::record::Phase::Awake);
}

#[tokio::test]
async fn a_count_that_somebody_raised_is_noticed_within_a_quarter_of_an_hour() {
    let world = groups(40, 0, &[]).await;
    world.change("dev/g17", |state| state.desired = 2);
    for _ in 0..15 {
        tick(&world).await;
        world.advance(60);
    }
    let record = world.record("g17").expect("a record");
    assert_eq!(
        (record.phase.as_str(), record.reason.code()),
        ("waking", "woken-outside")
    );
    assert_eq!(world.desired("dev/g17"), 2, "it is respected");
}

#[tokio::test]
async fn awake_groups_are_looked_at_together_and_closely_only_where_something_is_to_be_done() {
    let world = groups(
        40,
        1,
        &[("dormouse:signals", "none"), ("dormouse:idle-after", "1h")],
    )
    .await;
    // Their grace is over, their idle time is not.
    world.advance(600);
    let looks = world.looks();
    tick(&world).await;
    let closely = u32::try_from(world.looks() - looks).expect("few") - 1;
    assert!(closely <= 10, "one call for all, and {closely} of the round");
    world.advance(3600);
    tick(&world).await;
    assert!(
        (0..40).all(|n| world.desired(&format!("dev/g{n:02}")) == 0),
        "all are idle"
    );
}

#[tokio::test]
async fn what_hours_keep_awake_is_left_alone() {
    let world = groups(20, 1, &[("dormouse:awake", "Daily 00:00-24:00")]).await;
    // A sleep that was under way before may have landed until now.
    world.advance(600);
    let looked_at = world.looked_at().len();
    tick(&world).await;
    assert!(world.looked_at().len() - looked_at <= 10, "those of the round");
}

#[tokio::test]
async fn a_group_that_stops_answering_is_noticed_though_its_tasks_run() {
    let world = groups(1, 1, &[("dormouse:idle-after", "10m"), ("dormouse:grace", "0s")]).await;
    world.change("dev/g00", |state| {
        for task in &mut state.tasks {
            task.probe = Some(dormouse_core::observation::Probe::Status(500));
        }
    });
    for _ in 0..30 {
        tick(&world).await;
        world.advance(60);
    }
    let record = world.record("g00").expect("a record");
    assert_eq!(record.reason.code(), "nothing-answers");
    assert_eq!(world.desired("dev/g00"), 0);
}

#[tokio::test]
async fn shards_deal_out_what_has_a_turn_and_each_takes_its_own() {
    let tags = [
        ("dormouse:signals", "none"),
        ("dormouse:idle-after", "60s"),
        ("dormouse:grace", "0s"),
    ];
    let world = groups(30, 1, &tags).await;
    world.advance(600);
    let shards = [("SHARDS", "4")];
    let dealt = call(&world, &shards, event("eventbridge-scheduled.json")).await;
    assert_eq!(dealt, json!({"dealt": [8, 7, 8, 7]}));
    assert_eq!(world.changes(), [""; 0]);
    let messages = world.handed_over();
    let mut all = BTreeSet::new();
    for (n, body) in messages.iter().enumerate() {
        let part: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(part["parts"], 4);
        let groups: BTreeSet<GroupName> = serde_json::from_value(part["groups"].clone()).expect("names");
        let event = json!({"Records": [{"eventSource": "aws:sqs", "body": body}]});
        let answer = call(&world, &shards, event).await;
        assert_eq!(
            answer["parts"][0]["groups"].as_array().map(Vec::len),
            Some(groups.len()),
            "part {n}"
        );
        all.extend(groups);
    }
    assert_eq!((all.len(), world.changes().len()), (30, 30));
    for _ in 0..2 {
        world.advance(60);
        world.run_tasks();
        tick(&world).await;
    }
    let rest = call(&world, &shards, event("eventbridge-scheduled.json")).await;
    let few: u64 = rest["dealt"]
        .as_array()
        .expect("parts")
        .iter()
        .filter_map(Value::as_u64)
        .sum();
    assert!(
        few <= 10,
        "what sleeps has no turn, but those of the round: {rest}"
    );
}

#[tokio::test]
async fn a_part_that_is_none_is_a_named_error() {
    let event = json!({"Records": [{"body": "{\"groups\":[\"a/b\"],\"due\":[],\"parts\":2}"}]});
    let error = handle(&World::default(), &config(&[]), event, "r")
        .await
        .expect_err("no part");
    assert_eq!(error.code, Code::InvalidRequest);
    assert!(error.message.contains("`a/b`"), "{error}");
}

#[tokio::test]
async fn a_late_sleep_is_undone_within_a_tick_though_grace_and_hours_keep_the_group_awake() {
    for tags in [
        &[("dormouse:grace", "1h")][..],
        &[("dormouse:awake", "Daily 00:00-24:00")],
    ] {
        let tags: Vec<_> = [("dormouse:group", "dev")].iter().chain(tags).copied().collect();
        let world = World::default();
        for service in ["dev/api", "dev/web"] {
            world.add(service, &tags, 2);
        }
        world.run_tasks();
        tick(&world).await;
        world.advance(600);
        for late in [&["dev/api", "dev/web"][..], &["dev/web"]] {
            // Somebody puts it to sleep, and somebody else comes at once.
            call(&world, &[], json!({"group": "dev", "action": "sleep"})).await;
            world.advance(2);
            call(&world, &[], json!({"group": "dev", "action": "wake"})).await;
            call(&world, &[], json!({"group": "dev", "action": "tick"})).await;
            assert_eq!(world.record("dev").expect("a record").phase.as_str(), "awake");
            // The call of the sleep was on its way all the time.
            for service in late {
                world.change(service, |state| state.desired = 0);
            }
            world.advance(60);
            tick(&world).await;
            for service in ["dev/api", "dev/web"] {
                assert_eq!(world.desired(service), 2, "{tags:?} {late:?}");
            }
            world.run_tasks();
            world.advance(1000);
            tick(&world).await;
        }
    }
}

#[tokio::test]
async fn an_awake_group_wakes_what_it_needs_though_its_hours_keep_it_awake() {
    let world = World::default();
    let hours = ("dormouse:awake", "Daily 00:00-24:00");
    world.add("dev/web", &[("dormouse:group", "dev"), hours], 1);
    world.add("dev/db", &[("dormouse:group", "shared")], 0);
    world.run_tasks();
    for _ in 0..2 {
        tick(&world).await;
        world.advance(300);
    }
    world.tag("dev/web", "dormouse:needs", "shared/db");
    tick(&world).await;
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.desired("dev/db"), 1);
}
