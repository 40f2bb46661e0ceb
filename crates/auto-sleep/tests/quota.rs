//! Turns that must wait for a token of the shared bucket, and those that must not.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use dormouse_core::engine::{self, Round, Turn};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{Generation, GroupName, ServiceId};
use dormouse_core::intent::{Action, Cause, Intent, Wake};
use dormouse_core::ports::{Clock, Store, Stored};
use dormouse_core::quota::{PATIENCE, Priority};
use dormouse_core::reason::Reason;
use dormouse_core::record::{Phase, Record};
use dormouse_core::settings::{Defaults, GroupSettings, ServiceSettings};
use dormouse_testkit::{World, config};
use futures_util::future::{Either, join, select};
use jiff::Timestamp;

const TAGS: &[(&str, &str)] = &[
    ("dormouse:group", "dev"),
    ("dormouse:signals", "none"),
    ("dormouse:idle-after", "60s"),
    ("dormouse:grace", "0s"),
];

async fn turn(world: &World, action: Action) -> Result<Turn, Error> {
    let config = config(&[]);
    let group = GroupName::parse("dev").expect("a name");
    let (settings, record) = engine::find(world, &group, &config.listed, &config.defaults).await?;
    let intent = Intent::of(action, Cause::Direct);
    engine::turn(world, &settings, record, &intent).await
}

/// Ready, and idle for as long as it takes.
async fn idle(services: &[&str]) -> World {
    let world = World::with(services, TAGS, 0);
    turn(&world, Action::wake()).await.expect("a wake");
    world.run_tasks();
    turn(&world, Action::Tick).await.expect("a tick");
    world.advance(60);
    world.forget_changes();
    world
}

fn phase(world: &World) -> Phase {
    world.record("dev").expect("a record").phase
}

fn passed(world: &World, since: Timestamp) -> Duration {
    dormouse_core::duration::between(since, world.now())
}

#[tokio::test]
async fn every_call_of_a_wake_and_of_a_sleep_takes_a_token() {
    let world = idle(&["dev/api", "dev/web"]).await;
    turn(&world, Action::Tick).await.expect("a sleep");
    assert_eq!(phase(&world), Phase::FallingAsleep);
    assert_eq!(
        world.tokens(),
        [Priority::Wake, Priority::Wake, Priority::Sleep, Priority::Sleep]
    );
}

#[tokio::test]
async fn what_changes_no_count_takes_none() {
    let world = idle(&["dev/web"]).await;
    let before = world.tokens();
    turn(&world, Action::wake()).await.expect("a turn");
    turn(&world, Action::Tick).await.expect("a turn");
    turn(&world, Action::Look).await.expect("a turn");
    assert_eq!(world.tokens(), before);
}

#[tokio::test]
async fn a_sleep_that_had_to_wait_looks_and_decides_anew() {
    let world = idle(&["dev/api", "dev/web"]).await;
    let (began, looks) = (world.now(), world.looks());
    world.tokens_must_wait(3, Duration::from_millis(200));
    turn(&world, Action::Tick).await.expect("a sleep");
    assert_eq!(passed(&world, began), Duration::from_millis(600));
    assert_eq!(world.looks() - looks, 2);
    assert_eq!(
        world.changes(),
        ["UpdateService dev/api=0", "UpdateService dev/web=0"]
    );
    let record = world.record("dev").expect("a record");
    for service in record.services.values() {
        let command = service.command.expect("a command");
        assert_eq!(command.at, world.now(), "it lands soon after it was written");
    }
    let sleeps = world
        .tokens()
        .iter()
        .filter(|token| **token == Priority::Sleep)
        .count();
    assert_eq!(sleeps, 2, "those that were held are used");
}

#[tokio::test]
async fn a_wake_that_comes_while_a_sleep_waits_wins() {
    let until = Timestamp::from_second(dormouse_testkit::START + 9000).expect("a moment");
    for action in [Action::Tick, Action::Sleep, Action::KeepAsleep { until }] {
        let world = idle(&["dev/web"]).await;
        world.tokens_must_wait(10, Duration::from_secs(1));
        let (sleep, wake) = join(turn(&world, action.clone()), turn(&world, Action::wake())).await;
        assert!(sleep.is_ok() && wake.is_ok());
        assert_eq!(world.changes(), [""; 0], "{action:?}");
        assert_eq!(phase(&world), Phase::Awake, "{action:?}");
    }
}

#[tokio::test]
async fn a_sleep_that_waits_for_too_long_changes_nothing_and_the_next_tick_tries_again() {
    let world = idle(&["dev/web"]).await;
    let (began, before) = (world.now(), world.record("dev"));
    world.tokens_must_wait(1000, Duration::from_secs(3));
    let error = turn(&world, Action::Tick).await.expect_err("no token");
    assert_eq!(error.code, Code::Throttled);
    assert!(error.message.starts_with("dev: sleep: "), "{error}");
    assert_eq!(
        passed(&world, began),
        Duration::from_secs(18),
        "{PATIENCE:?} at most"
    );
    assert_eq!((world.changes(), world.record("dev")), (Vec::new(), before));
    world.tokens_must_wait(0, Duration::ZERO);
    turn(&world, Action::Tick).await.expect("a sleep");
    assert_eq!(world.changes(), ["UpdateService dev/web=0"]);
}

#[tokio::test]
async fn a_wait_beyond_all_patience_is_not_begun() {
    let world = idle(&["dev/web"]).await;
    let began = world.now();
    world.tokens_must_wait(1, PATIENCE + Duration::from_millis(1));
    let error = turn(&world, Action::Tick).await.expect_err("no token");
    assert_eq!(
        (error.code, passed(&world, began)),
        (Code::Throttled, Duration::ZERO)
    );
}

#[tokio::test]
async fn a_wake_goes_on_without_tokens_if_the_bucket_cannot_be_asked() {
    let world = World::with(&["dev/web"], TAGS, 0);
    world.break_("bucket", Code::Unavailable);
    turn(&world, Action::wake()).await.expect("a wake");
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn a_wake_whose_turn_comes_later_is_written_down_first_and_then_stands_in_line() {
    let world = World::with(&["dev/api", "dev/web"], TAGS, 0);
    let began = world.now();
    world.wakes_stand_in_line(&[Duration::from_secs(7)]);
    let woken = pin!(turn(&world, Action::wake()));
    let first_write = pin!(async {
        while world.writes() == 0 {
            tokio::task::yield_now().await;
        }
    });
    let woken = match select(woken, first_write).await {
        Either::Right(((), woken)) => woken,
        Either::Left(_) => panic!("it is over before anything was written"),
    };
    let record = world.record("dev").expect("a record");
    assert_eq!((record.phase, record.generation), (Phase::Waking, Generation(1)));
    assert!(record.services.values().all(|service| service.command.is_none()));
    let turn = woken.await.expect("a wake");
    assert_eq!(
        (turn.before, turn.woke, turn.reason),
        (Phase::Asleep, true, Reason::WakeAsked)
    );
    assert_eq!(passed(&world, began), Duration::from_secs(7));
    assert_eq!(
        world.changes(),
        [
            "StartExecution dev g1",
            "UpdateService dev/api=1",
            "UpdateService dev/web=1"
        ]
    );
    let record = world.record("dev").expect("a record");
    let said = record
        .services
        .values()
        .map(|service| service.command.expect("a command").at);
    assert!(
        said.into_iter().all(|at| at == world.now()),
        "it lands soon after it was written"
    );
}

#[tokio::test]
async fn a_wake_whose_turn_comes_too_late_is_left_to_the_tick() {
    let world = World::with(&["dev/web"], TAGS, 0);
    let began = world.now();
    world.wakes_stand_in_line(&[PATIENCE + Duration::from_millis(1)]);
    let woken = turn(&world, Action::wake()).await.expect("a wake");
    assert_eq!(
        (woken.woke, woken.problems.len(), passed(&world, began)),
        (true, 0, Duration::ZERO)
    );
    assert_eq!(world.changes(), ["StartExecution dev g1"]);
    turn(&world, Action::Tick).await.expect("a tick");
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn a_sleep_that_comes_while_a_wake_stands_in_line_is_not_undone() {
    let world = World::with(&["dev/web"], TAGS, 0);
    world.wakes_stand_in_line(&[Duration::from_secs(5)]);
    let asked = async {
        while world.writes() == 0 {
            tokio::task::yield_now().await;
        }
        turn(&world, Action::Sleep).await
    };
    let (wake, sleep) = join(turn(&world, Action::wake()), asked).await;
    assert!(wake.is_ok() && sleep.is_ok());
    assert_eq!((world.desired("dev/web"), phase(&world)), (0, Phase::Asleep));
}

#[tokio::test]
async fn more_tasks_for_an_awake_group_stand_in_line_too_and_fail_if_it_is_too_long() {
    let more = || {
        Action::Wake(Wake {
            desired_count: Some(3),
            ..Wake::default()
        })
    };
    let world = idle(&["dev/web"]).await;
    world.wakes_stand_in_line(&[Duration::from_secs(5)]);
    turn(&world, more()).await.expect("more tasks");
    assert_eq!(world.changes(), ["UpdateService dev/web=3"]);
    let world = idle(&["dev/web"]).await;
    world.wakes_stand_in_line(&[PATIENCE * 2]);
    let error = turn(&world, more()).await.expect_err("no token");
    assert_eq!((error.code, world.changes()), (Code::Throttled, Vec::new()));
}

/// More sleeps than there are turns at once, and a wake at the end of the alphabet.
#[tokio::test]
async fn a_tick_moves_wakes_on_before_sleeps_wait() {
    let world = World::default();
    let began = world.now();
    let mut groups = BTreeMap::new();
    for n in 0..40 {
        let name = if n == 39 {
            "zz".to_owned()
        } else {
            format!("g{n:02}")
        };
        let (phase, desired) = match n {
            39 => (Phase::Waking, 0),
            _ => (Phase::FallingAsleep, 1),
        };
        let id = ServiceId::new("dev", &name);
        world.change(&id.to_string(), |state| state.desired = desired);
        let group = GroupName::parse(&name).expect("a name");
        let service = ServiceSettings::of(id, &Defaults::default());
        let mut record = Record::unseen(began);
        record.phase = phase;
        world.save_record(&group, &record, None).await.expect("a record");
        record.version = 1;
        let stored = Stored {
            settings: Some(GroupSettings::of(&group, vec![service])),
            record: Some(record),
        };
        groups.insert(group, stored);
    }
    let names: Vec<GroupName> = groups.keys().cloned().collect();
    world.tokens_must_wait(1000, Duration::from_secs(1));
    let intent = Intent::of(Action::Tick, Cause::Tick);
    let round = Round { due: None, parts: 1 };
    let mut turns = BTreeMap::new();
    let mut tell = |name: &GroupName, turn: Result<Turn, Error>| {
        turns.insert(name.clone(), turn);
    };
    engine::turn_all(&world, groups, &intent, round, &mut tell).await;
    assert_eq!(world.changes(), ["UpdateService dev/zz=1"]);
    let command = world.record("zz").expect("a record").services[&ServiceId::new("dev", "zz")].command;
    let waited = dormouse_core::duration::between(began, command.expect("a command").at);
    assert!(
        waited < Duration::from_secs(10),
        "{waited:?}, while the sleeps wait for all of a tick"
    );
    let late = turns.values().filter_map(|turn| turn.as_ref().err());
    let late = late.filter(|error| error.code == Code::Throttled).count();
    assert_eq!(late, turns.len() - 1, "all that waited");
    for name in names.iter().filter(|name| name.as_str() != "zz") {
        let record = world.record(name.as_str()).expect("a record");
        let as_before = (record.phase, record.version) == (Phase::FallingAsleep, 1);
        assert!(as_before, "{name} is left to the next tick");
    }
    assert!(
        passed(&world, began) < Duration::from_secs(100),
        "their patience is shared"
    );
}
