//! The auto-sleep function from event to answer, over a world in memory. Every event of `events/` that this
//! function understands goes through the whole handler.

use std::time::Duration;

use dormouse_core::error::Code;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::observation::Trouble;
use dormouse_core::ports::{Clock, SessionRows, Store as _, StoredRow};
use dormouse_core::scalable::{Bounds, Suspended};
use dormouse_core::sessions::TaskKey;
use dormouse_core::{
    engine,
    ids::{GroupName, ServiceId},
};
use dormouse_testkit::{World, config, event};
use serde_json::{Value, json};

const TAGS: &[(&str, &str)] = &[
    ("dormouse:group", "dev"),
    ("dormouse:signals", "none"),
    ("dormouse:idle-after", "60s"),
    ("dormouse:grace", "0s"),
];

async fn call(world: &World, event: Value) -> Value {
    auto_sleep::handle(world, &config(&[]), event, "request")
        .await
        .expect("an answer")
}

async fn tick(world: &World) -> Value {
    call(world, event("eventbridge-scheduled.json")).await
}

async fn wake(world: &World) {
    let config = config(&[]);
    let group = GroupName::parse("dev").expect("a name");
    let (settings, record) = engine::find(world, &group, &config.listed, &config.defaults)
        .await
        .expect("the group");
    let intent = Intent::of(Action::wake(), Cause::Http);
    engine::turn(world, &settings, record, &intent)
        .await
        .expect("a turn");
}

/// Woken and ready at the beginning.
async fn awake(services: &[&str]) -> World {
    let world = World::with(services, TAGS, 0);
    wake(&world).await;
    world.run_tasks();
    tick(&world).await;
    world.forget_changes();
    world
}

#[tokio::test]
async fn the_tick_puts_to_sleep_and_then_finds_it_asleep() {
    let world = awake(&["dev/web"]).await;
    world.advance(59);
    assert_eq!(tick(&world).await["groups"][0]["reason"], "asked-recently");
    world.advance(1);
    let asleep = tick(&world).await;
    assert_eq!(asleep["groups"][0]["decision"], "sleep");
    assert_eq!(asleep["groups"][0]["reason"], "fixed-time-over");
    assert_eq!(world.changes(), ["UpdateService dev/web=0"]);
    world.run_tasks();
    assert_eq!(tick(&world).await["groups"][0]["decision"], "slept");
    assert_eq!(tick(&world).await["groups"][0]["reason"], "already-asleep");
    assert_eq!(world.changes().len(), 1);
}

#[tokio::test]
async fn two_ticks_at_once_do_the_work_of_one() {
    let world = awake(&["dev/api", "dev/web"]).await;
    world.advance(60);
    futures_util::future::join(tick(&world), tick(&world)).await;
    assert_eq!(
        world.changes(),
        ["UpdateService dev/api=0", "UpdateService dev/web=0"]
    );
}

#[tokio::test]
async fn a_tick_and_a_wake_at_once_leave_it_awake() {
    for turn in 0..2 {
        let world = awake(&["dev/web"]).await;
        world.advance(60);
        if turn == 0 {
            futures_util::future::join(tick(&world), wake(&world)).await;
        } else {
            futures_util::future::join(wake(&world), tick(&world)).await;
        }
        world.advance(15);
        tick(&world).await;
        assert_eq!(world.desired("dev/web"), 1, "{:?}", world.changes());
    }
}

#[tokio::test]
async fn the_timer_is_told_when_to_look_again_and_when_it_is_over() {
    let world = awake(&["dev/web"]).await;
    world.advance(10);
    let active = call(&world, event("sleep-timer.json")).await;
    assert_eq!(active["outcome"], "active");
    let due: jiff::Timestamp = active["look_again_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("RFC 3339");
    assert_eq!(due.duration_since(world.now()).as_secs(), 50);
    world.advance(50);
    assert_eq!(
        call(&world, event("sleep-timer.json")).await["outcome"],
        "falling-asleep"
    );
    world.run_tasks();
    let slept = call(&world, event("sleep-timer.json")).await;
    assert_eq!(
        (&slept["outcome"], slept.get("look_again_at")),
        (&json!("slept"), None)
    );
}

#[tokio::test]
async fn the_timer_of_an_older_generation_ends_itself_and_changes_nothing() {
    let world = awake(&["dev/web"]).await;
    call(&world, event("direct-sleep.json")).await;
    world.run_tasks();
    tick(&world).await;
    wake(&world).await;
    world.run_tasks();
    tick(&world).await;
    world.forget_changes();
    world.advance(3600);
    let old = call(&world, event("sleep-timer.json")).await;
    assert_eq!(
        (&old["outcome"], old.get("look_again_at"), world.changes()),
        (&json!("superseded"), None, Vec::new())
    );
}

#[tokio::test]
async fn a_crash_loop_is_reported_and_put_to_sleep_when_its_time_is_over() {
    let world = World::with(&["dev/web"], TAGS, 0);
    wake(&world).await;
    world.advance(5);
    let at = world.now();
    world.change("dev/web", |state| {
        state.troubles = vec![Trouble {
            at,
            message: "Essential container in task exited (app: exit code 1)".into(),
        }];
    });
    let answer = call(&world, event("direct-tick.json")).await;
    assert_eq!(answer["services"][0]["stage"], "failing");
    assert_eq!(
        answer["services"][0]["detail"],
        "Essential container in task exited (app: exit code 1)"
    );
    world.advance(60);
    assert_eq!(tick(&world).await["groups"][0]["reason"], "nothing-answers");
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn a_sleep_that_is_refused_is_tried_again_by_the_next_tick() {
    let world = awake(&["dev/web"]).await;
    world.advance(60);
    world.break_("UpdateService", Code::Throttled);
    let refused = tick(&world).await;
    assert_eq!(refused["groups"][0]["errors"][0]["code"], "Throttled");
    world.mend("UpdateService");
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn while_tags_cannot_be_read_what_they_said_last_holds() {
    let world = awake(&["dev/web"]).await;
    world.advance(3600);
    world.break_("DescribeServices", Code::Throttled);
    assert_eq!(tick(&world).await["groups"][0]["reason"], "unobserved");
    assert_eq!(world.changes(), [""; 0]);
    world.mend("DescribeServices");
    world.break_("GetResources", Code::AccessDenied);
    assert_eq!(tick(&world).await["groups"][0]["decision"], "sleep");
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn the_tick_says_when_it_read_the_tags_if_they_changed_else_four_times_an_hour() {
    let world = World::with(&["dev/web"], TAGS, 0);
    let told = async |minutes: u64| {
        let mut told = Vec::new();
        for _ in 0..minutes {
            tick(&world).await;
            told.push(world.discovered_at().await.expect("the table"));
            world.advance(60);
        }
        told.dedup();
        told
    };
    let first = world.now();
    assert_eq!(told(1).await, [Some(first)], "they are new");
    assert_eq!(told(60).await.len(), 5, "the first time and four more");
    let before = told(15).await;
    world.add("dev/api", TAGS, 0);
    let changed = world.now();
    let after = told(1).await;
    assert_eq!(after, [Some(changed)], "{before:?}");
}

#[tokio::test]
async fn a_task_that_runs_moves_its_group_on_at_once() {
    let world = World::with(&["dev/web"], TAGS, 0);
    wake(&world).await;
    world.run_tasks();
    let ready = call(&world, event("eventbridge-task-state-change.json")).await;
    assert_eq!(
        (&ready["group"], &ready["decision"], &ready["cause"]),
        (&json!("dev"), &json!("ready"), &json!("task-state"))
    );
}

#[tokio::test]
async fn tasks_of_others_are_none_of_our_business() {
    let world = awake(&["dev/web"]).await;
    let looks = world.looks();
    for group in ["service:other", "family:job"] {
        let mut event = event("eventbridge-task-state-change.json");
        event["detail"]["group"] = json!(group);
        assert!(call(&world, event).await["ignored"].is_string(), "{group}");
    }
    assert_eq!(world.looks(), looks);
}

#[tokio::test]
async fn the_sessions_of_a_task_that_stopped_end_once_and_only_if_some_were_reported() {
    let world = awake(&["dev/web"]).await;
    let mut stopped = event("eventbridge-task-state-change.json");
    stopped["detail"]["lastStatus"] = json!("STOPPED");
    stopped["detail"]["group"] = json!("service:other");
    let task = "dev/c13b4cb40f1f4fe4a2971f76ae5a47ad";
    call(&world, stopped.clone()).await;
    assert_eq!(world.row(task), None, "nothing was reported");
    let key = TaskKey::parse(task).expect("a task");
    world.save_row(&key, &StoredRow::default()).await.expect("a row");
    let writes = world.writes();
    for _ in 0..2 {
        call(&world, stopped.clone()).await;
    }
    assert!(world.row(task).expect("a row").ended_at.is_some());
    assert_eq!(world.writes() - writes, 1);
}

#[tokio::test]
async fn in_observe_mode_all_is_decided_and_nothing_changed() {
    let tags = [
        ("dormouse:group", "dev"),
        ("dormouse:signals", "none"),
        ("dormouse:mode", "observe"),
    ];
    let world = World::with(&["dev/web"], &tags, 2);
    let tick = async || call(&world, json!({"action": "tick"})).await["groups"][0].clone();
    assert_eq!(tick().await["phase"], "awake");
    world.advance(4000);
    let writes = world.writes();
    for _ in 0..3 {
        let idle = tick().await;
        assert_eq!(
            (&idle["decision"], &idle["phase"]),
            (&json!("would-sleep"), &json!("awake"))
        );
        world.advance(60);
    }
    assert_eq!(world.writes() - writes, 1, "the first time is remembered");
    assert_eq!(world.changes(), [""; 0]);
    world.retag(&tags[..2]);
    assert_eq!(tick().await["decision"], "sleep", "as soon as it may act");
}

#[tokio::test]
async fn direct_calls_are_understood_here_too() {
    for name in [
        "direct-wake.json",
        "direct-sleep.json",
        "direct-keep-awake.json",
        "direct-keep-asleep.json",
        "direct-tick.json",
    ] {
        let world = awake(&["dev/web"]).await;
        assert_eq!(call(&world, event(name)).await["group"], "dev", "{name}");
    }
    let world = awake(&["dev/web"]).await;
    assert_eq!(
        call(&world, json!({"action": "tick"})).await["groups"][0]["group"],
        "dev"
    );
}

#[tokio::test]
async fn what_is_not_understood_is_a_named_error() {
    let world = awake(&["dev/web"]).await;
    let foreign = json!({"detail-type": "ECS Task State Change", "source": "aws.ecs", "detail": {}});
    for event in [
        json!({}),
        json!([]),
        foreign,
        json!({"action": "sleep-timer", "group": "dev"}),
    ] {
        let error = auto_sleep::handle(&world, &config(&[]), event.clone(), "r")
            .await
            .expect_err("no answer");
        assert_eq!(error.code, Code::InvalidRequest, "{event}");
    }
}

#[tokio::test]
async fn ticks_and_timers_are_nobody_and_queries_are_for_another_function() {
    let world = awake(&["dev/web"]).await;
    world.advance(60);
    call(&world, event("sleep-timer.json")).await;
    let entry = world.whys("dev").pop().expect("an entry");
    assert_eq!((entry.cause, entry.by), (Cause::SleepTimer, None));
    assert_eq!(entry.reason, "fixed-time-over");
    for query in ["direct-list.json", "direct-why.json"] {
        let refused = auto_sleep::handle(&world, &config(&[]), event(query), "request").await;
        let error = refused.expect_err("a query");
        assert_eq!(error.code, Code::InvalidRequest);
        assert!(error.message.contains("wake function"), "{error}");
    }
}

#[tokio::test]
async fn a_service_that_a_policy_scales_is_suspended_while_it_sleeps() {
    let world = awake(&["dev/web"]).await;
    let before = Bounds {
        min: 1,
        max: 6,
        suspended: Suspended {
            scheduled: true,
            ..Suspended::default()
        },
    };
    world.scale_by_policy("dev/web", before);
    world.advance(60);
    tick(&world).await;
    assert_eq!(
        world.changes(),
        ["RegisterScalableTarget dev/web", "UpdateService dev/web=0"]
    );
    assert!(world.scalable("dev/web").is_some_and(|target| target.is_held()));
    world.run_tasks();
    tick(&world).await;

    wake(&world).await;
    world.run_tasks();
    world.advance(120);
    wake(&world).await;
    world.advance(5);
    wake(&world).await;
    assert_eq!(world.scalable("dev/web"), Some(before));
    world.advance(5);
    wake(&world).await;
    let record = world.record("dev").expect("a record");
    assert_eq!(record.services[&ServiceId::new("dev", "web")].bounds, None);
}

#[tokio::test]
async fn a_target_that_may_not_be_seen_keeps_its_service_up_and_is_an_error() {
    let world = awake(&["dev/web"]).await;
    world.break_("DescribeScalableTargets", Code::AccessDenied);
    world.advance(60);
    let answer = tick(&world).await;
    assert_eq!(
        answer["groups"][0]["errors"][0]["code"], "AccessDenied",
        "{answer}"
    );
    assert_eq!((world.changes(), world.desired("dev/web")), (Vec::new(), 1));
    world.mend("DescribeScalableTargets");
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.desired("dev/web"), 0);
}

#[tokio::test]
async fn a_count_stays_if_its_target_cannot_be_suspended() {
    let world = awake(&["dev/web"]).await;
    let bounds = Bounds {
        min: 1,
        max: 6,
        suspended: Suspended::default(),
    };
    world.scale_by_policy("dev/web", bounds);
    world.break_("RegisterScalableTarget", Code::Throttled);
    world.advance(60);
    tick(&world).await;
    assert_eq!(
        (world.scalable("dev/web"), world.desired("dev/web")),
        (Some(bounds), 1)
    );
}

/// Found by the simulation, seed 51914: a wake no longer expects a count that goes so late, and would find it gone.
#[tokio::test]
async fn a_count_that_could_not_be_taken_soon_after_its_decision_is_left_to_the_next_look() {
    let bounds = Bounds {
        min: 1,
        max: 6,
        suspended: Suspended::default(),
    };
    for (what, seconds, taken) in [
        ("RegisterScalableTarget", 13, true),
        ("RegisterScalableTarget", 14, false),
        ("UpdateService", 13, true),
        ("UpdateService", 15, false),
    ] {
        let world = awake(&["dev/web"]).await;
        world.scale_by_policy("dev/web", bounds);
        world.slow_down(what, Duration::from_secs(seconds));
        world.advance(60);
        let answer = tick(&world).await;
        assert_eq!(
            world.desired("dev/web") == 0,
            taken,
            "{what} {seconds} s: {answer}"
        );
        if !taken {
            let error = &answer["groups"][0]["errors"][0];
            assert_eq!(error["code"], "Unavailable", "{answer}");
            assert!(
                error["message"]
                    .as_str()
                    .is_some_and(|message| message.contains("not taken in time"))
            );
            world.slow_down(what, Duration::ZERO);
            world.advance(60);
            tick(&world).await;
            assert_eq!(world.desired("dev/web"), 0, "the next look takes it");
        }
    }
}
