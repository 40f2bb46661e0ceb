//! A wake of a sleeping group is written down while ECS is looked at.

use std::time::Duration;

use dormouse_core::engine::{self, Turn};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::Clock;
use dormouse_core::record::Phase;
use dormouse_testkit::{World, config, event};
use futures_util::future::join;

const TAGS: &[(&str, &str)] = &[("dormouse:group", "dev")];

/// A group that a tick has seen asleep.
async fn asleep() -> World {
    let world = World::with(&["dev/web"], TAGS, 0);
    let (config, event) = (config(&[]), event("eventbridge-scheduled.json"));
    let tick = auto_sleep::handle(&world, &config, event, "request");
    tick.await.expect("a tick");
    world.forget_changes();
    world
}

async fn take(world: &World, action: Action) -> Result<Turn, Error> {
    let config = config(&[]);
    let group = GroupName::parse("dev").expect("a name");
    let (settings, record) = engine::find(world, &group, &config.listed, &config.defaults).await?;
    engine::turn(world, &settings, record, &Intent::of(action, Cause::Http)).await
}

#[tokio::test]
async fn a_wake_waits_three_times_for_aws() {
    let world = asleep().await;
    for call in ["table", "DescribeServices", "UpdateService", "StartExecution"] {
        world.slow_down(call, Duration::from_secs(1));
    }
    let began = world.now();
    take(&world, Action::wake()).await.expect("a turn");
    assert_eq!(
        world.now().duration_since(began).as_secs(),
        3,
        "load; save and look; act"
    );
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
    assert_eq!(world.whys("dev").len(), 1);
}

#[tokio::test]
async fn what_the_look_shows_is_written_over_what_was_expected() {
    let world = asleep().await;
    world.change("dev/web", |state| state.desired = 5);
    let turn = take(&world, Action::wake()).await.expect("a turn");
    assert_eq!((world.desired("dev/web"), turn.woke), (5, true));
    let record = world.record("dev").expect("a record");
    assert_eq!(record.version, turn.record.version);
    assert_eq!((record.phase, record.generation.0), (Phase::Waking, 1));
    let web = &record.services[&ServiceId::parse("dev/web").expect("an id")];
    assert_eq!(web.command, None, "nothing is left to command");
}

#[tokio::test]
async fn a_wake_that_cannot_look_is_written_down_and_goes_on_when_somebody_can() {
    let world = asleep().await;
    world.break_("DescribeServices", Code::Unavailable);
    take(&world, Action::wake()).await.expect("a turn");
    let record = world.record("dev").expect("a record");
    assert_eq!((record.phase, record.generation.0), (Phase::Waking, 1));
    assert_eq!(world.changes(), ["StartExecution dev g1"]);
    world.mend("DescribeServices");
    take(&world, Action::Look).await.expect("a turn");
    assert_eq!(world.desired("dev/web"), 1);
}

#[tokio::test]
async fn a_wake_that_stands_in_line_says_so_in_its_record() {
    let world = asleep().await;
    world.wakes_stand_in_line(&[Duration::from_secs(3)]);
    let began = world.now();
    take(&world, Action::wake()).await.expect("a turn");
    assert_eq!(world.now().duration_since(began).as_secs(), 3);
    assert_eq!(world.desired("dev/web"), 1);
    assert_eq!(world.record("dev").expect("a record").generation.0, 1);
}

#[tokio::test]
async fn two_wakes_at_once_do_the_work_of_one() {
    let world = asleep().await;
    let (one, other) = join(take(&world, Action::wake()), take(&world, Action::wake())).await;
    let (one, other) = (one.expect("a turn"), other.expect("a turn"));
    assert!(one.woke != other.woke, "one of them woke it");
    assert_eq!(
        world.changes(),
        ["StartExecution dev g1", "UpdateService dev/web=1"]
    );
    assert_eq!(world.record("dev").expect("a record").generation.0, 1);
}
