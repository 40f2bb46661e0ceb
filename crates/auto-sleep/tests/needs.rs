//! Groups that share a database, through the whole engine: whoever comes first, and wherever one turn cuts into another.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use dormouse_core::engine::{self, Turn};
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::observation::Trouble;
use dormouse_core::ports::Clock;
use dormouse_core::record::Phase;
use dormouse_testkit::{World, config, event};
use serde_json::{Value, json};

/// The group `dev` or `stage`: a fixed minute awake, and a service that needs the database.
fn tags<'a>(group: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("dormouse:group", group),
        ("dormouse:idle-after", "60s"),
        ("dormouse:grace", "0s"),
    ];
    own.into_iter().chain(more.iter().copied()).collect()
}

const TIMED: (&str, &str) = ("dormouse:signals", "none");
const NEEDS_DB: (&str, &str) = ("dormouse:needs", "shared/db");

fn asleep() -> World {
    World::with(&["all/db"], &tags("shared", &[]), 0)
        .and(&["all/dev"], &tags("dev", &[TIMED, NEEDS_DB]), 0)
        .and(&["all/stage"], &tags("stage", &[TIMED, NEEDS_DB]), 0)
}

async fn turn(world: &World, group: &str, action: Action) -> Result<Turn, Error> {
    let config = config(&[]);
    let group = GroupName::parse(group).expect("a name");
    let (settings, record) = engine::find(world, &group, &config.listed, &config.defaults).await?;
    engine::turn(world, &settings, record, &Intent::of(action, Cause::Http)).await
}

async fn wake(world: &World, group: &str) -> Turn {
    turn(world, group, Action::wake()).await.expect("a wake")
}

async fn call(world: &World, event: Value) -> Value {
    auto_sleep::handle(world, &config(&[]), event, "request")
        .await
        .expect("an answer")
}

async fn tick(world: &World) -> Value {
    call(world, event("eventbridge-scheduled.json")).await
}

/// Ticks while tasks start or stop, until nothing changes any more.
async fn settle(world: &World) {
    for _ in 0..6 {
        world.run_tasks();
        world.advance(1);
        tick(world).await;
    }
}

fn phase(world: &World, group: &str) -> Phase {
    world.record(group).map_or(Phase::Asleep, |record| record.phase)
}

fn reason<'a>(ticked: &'a Value, group: &str) -> &'a Value {
    let groups = ticked["groups"].as_array().expect("groups");
    let ours = groups.iter().find(|ours| ours["group"] == group);
    &ours.expect("the group")["reason"]
}

#[tokio::test]
async fn a_wake_wakes_what_it_needs_in_the_same_invocation_and_waits_for_it() {
    let world = asleep();
    let woken = wake(&world, "dev").await;
    assert_eq!((world.desired("all/db"), world.desired("all/dev")), (1, 0));
    let needed = &woken.needed[0];
    assert_eq!(
        (needed.settings.name.as_str(), needed.record.cause, needed.woke),
        ("shared", Cause::Needed, true)
    );
    let status = call(&world, json!({"group": "dev", "action": "tick"})).await;
    assert_eq!(status["services"][0]["stage"], "waiting-for:shared/db");
    let detail = status["services"][0]["detail"].as_str().expect("a sentence");
    assert!(detail.starts_with("shared/db is not ready: "), "{detail}");
    world.run_tasks();
    let timer = json!({"action": "sleep-timer", "group": "dev", "generation": 1});
    call(&world, timer).await;
    assert_eq!(world.desired("all/dev"), 1, "nobody but its timer looks");
    settle(&world).await;
    for group in ["dev", "shared"] {
        assert_eq!(phase(&world, group), Phase::Awake, "{group}");
    }
    assert_eq!(world.desired("all/stage"), 0);
}

#[tokio::test]
async fn what_is_shared_stays_up_while_one_of_them_is_awake_and_sleeps_after_both() {
    let world = asleep();
    wake(&world, "dev").await;
    wake(&world, "stage").await;
    settle(&world).await;
    assert_eq!(world.desired("all/stage"), 1);
    world.advance(50);
    wake(&world, "dev").await;
    world.advance(10);
    let ticked = tick(&world).await;
    assert_eq!(
        (reason(&ticked, "stage"), reason(&ticked, "shared")),
        (&json!("fixed-time-over"), &json!("needed-by"))
    );
    settle(&world).await;
    assert_eq!(
        (
            phase(&world, "stage"),
            phase(&world, "dev"),
            phase(&world, "shared")
        ),
        (Phase::Asleep, Phase::Awake, Phase::Awake)
    );
    let refused = call(&world, json!({"group": "shared", "action": "sleep"})).await;
    assert_eq!(
        (&refused["decision_reason"], &refused["phase"]),
        (&json!("needed-by"), &json!("awake"))
    );
    world.advance(60);
    settle(&world).await;
    assert_eq!(
        (phase(&world, "dev"), world.desired("all/db")),
        (Phase::Asleep, 1)
    );
    assert_eq!(reason(&tick(&world).await, "shared"), "needed-recently");
    world.advance(60);
    assert_eq!(reason(&tick(&world).await, "shared"), "idle");
    assert_eq!(world.desired("all/db"), 0);
}

/// Does the one up to a step, then all of the other, then the rest of the one. Gives whether there was a rest.
async fn cut<A, B>(one: impl Future<Output = A>, step: usize, other: impl Future<Output = B>) -> bool {
    let mut one = pin!(one);
    for _ in 0..step {
        let ended = poll_fn(|context| Poll::Ready(one.as_mut().poll(context).is_ready())).await;
        if ended {
            other.await;
            return false;
        }
    }
    other.await;
    one.await;
    true
}

#[tokio::test]
async fn a_wake_is_not_lost_wherever_it_meets_a_sleep_of_what_it_needs() {
    for action in [Action::Tick, Action::Sleep] {
        for wake_first in [false, true] {
            let mut steps = 0;
            loop {
                let world = asleep();
                wake(&world, "shared").await;
                settle(&world).await;
                world.advance(3600);
                let (sleep, woken) = (turn(&world, "shared", action.clone()), wake(&world, "dev"));
                let inside = if wake_first {
                    cut(woken, steps, sleep).await
                } else {
                    cut(sleep, steps, woken).await
                };
                // What was decided lands, and the next tick heals what crossed.
                world.advance(20);
                settle(&world).await;
                let context = || format!("{action:?}, cut at {steps}: {:?}", world.changes());
                assert_eq!(
                    (phase(&world, "dev"), phase(&world, "shared")),
                    (Phase::Awake, Phase::Awake),
                    "{}",
                    context()
                );
                assert_eq!(
                    (world.desired("all/db"), world.desired("all/dev")),
                    (1, 1),
                    "{}",
                    context()
                );
                if !inside {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 5, "{steps} steps are not a turn");
        }
    }
}

#[tokio::test]
async fn a_need_that_is_tagged_while_it_is_awake_holds_from_the_next_tick_on() {
    let world =
        World::with(&["all/db"], &tags("shared", &[]), 0).and(&["all/dev"], &tags("dev", &[TIMED]), 0);
    wake(&world, "dev").await;
    settle(&world).await;
    assert_eq!(world.desired("all/db"), 0);
    world.tag("all/dev", "dormouse:needs", "shared/db");
    tick(&world).await;
    assert_eq!((world.desired("all/db"), world.desired("all/dev")), (1, 1));
    world.tag("all/dev", "dormouse:needs", "shared/nosuchservice");
    let ticked = tick(&world).await;
    assert_eq!(reason(&ticked, "shared"), "still-waking");
    let status = call(&world, json!({"group": "dev", "action": "tick"})).await;
    assert_eq!(status["errors"][0]["code"], "InvalidTag", "{status}");
}

#[tokio::test]
async fn what_keeps_a_needed_service_from_being_ready_shows_where_it_is_needed() {
    let world = asleep();
    world.break_("UpdateService all/db", Code::AccessDenied);
    wake(&world, "dev").await;
    let status = call(&world, json!({"group": "dev", "action": "tick"})).await;
    assert_eq!(
        (&status["errors"][0]["code"], &status["errors"][0]["service"]),
        (&json!("AccessDenied"), &json!("all/db")),
        "{status}"
    );
    world.mend("UpdateService all/db");
    world.advance(10);
    let tick = json!({"group": "shared", "action": "tick"});
    call(&world, tick).await;
    let at = world.now();
    world.change("all/db", |state| {
        let message = "CannotPullContainerError: not found".to_owned();
        state.troubles = vec![Trouble { at, message }];
    });
    let status = call(&world, json!({"group": "dev", "action": "tick"})).await;
    assert_eq!(
        status["errors"],
        json!([{
            "code": "NotBecomingReady",
            "service": "all/db",
            "message": "CannotPullContainerError: not found",
        }])
    );
    settle(&world).await;
    assert_eq!(phase(&world, "dev"), Phase::Awake);
}

/// Groups `g00` to `g11`, each of which needs the next.
#[tokio::test]
async fn a_long_chain_wakes_as_far_as_a_turn_goes_and_the_next_looks_go_on() {
    let names: Vec<String> = (0..12).map(|number| format!("g{number:02}")).collect();
    let mut world = World::default();
    for (number, name) in names.iter().enumerate() {
        let need = names.get(number + 1).map(|next| format!("{next}/{next}"));
        let need = need.as_ref().map(|need| ("dormouse:needs", need.as_str()));
        let all: Vec<_> = need.into_iter().chain([TIMED]).collect();
        world = world.and(&[&format!("all/{name}")], &tags(name, &all), 0);
    }
    let mut last = &wake(&world, "g00").await;
    let mut depth = 0;
    while let Some(next) = last.needed.first() {
        (last, depth) = (next, depth + 1);
    }
    assert_eq!((depth, last.problems[0].code), (8, Code::NeedsTooDeep));
    assert!(last.problems[0].message.contains("`g09`"), "{:?}", last.problems);
    for _ in 0..4 {
        settle(&world).await;
    }
    for name in &names {
        assert_eq!(phase(&world, name), Phase::Awake, "{name}");
    }
}
