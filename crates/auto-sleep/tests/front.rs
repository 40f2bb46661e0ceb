//! The app's own address, tick by tick.

use auto_sleep::handle;
use dormouse_core::error::Code;
use dormouse_core::front::{Forward, Place};
use dormouse_testkit::{WAKE_TARGET_GROUP, World, config, event};
use serde_json::{Value, json};

const APP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/dev/1/2/3";
const TAGS: [(&str, &str); 4] = [
    ("dormouse:group", "dev"),
    ("dormouse:front", "on"),
    ("dormouse:signals", "none"),
    ("dormouse:idle-after", "10m"),
];

async fn tick(world: &World) -> Value {
    let answer = handle(world, &config(&[]), event("eventbridge-scheduled.json"), "r").await;
    answer.unwrap_or_else(|error| panic!("{error}"))
}

fn place() -> Place {
    Place {
        host: "dev.elb.amazonaws.com".to_owned(),
        tls: false,
        port: 80,
        priority: Some(10),
        conditions: Vec::new(),
        authenticates: false,
    }
}

/// A world with an awake group behind a load balancer, whose idle time is over.
async fn idle() -> World {
    let world = World::with(&["dev/web"], &TAGS, 2);
    world.change("dev/web", |state| state.target_groups = vec![APP.to_owned()]);
    world.run_tasks();
    world.puts_door(RULE, Forward::to(APP), place());
    // Found awake, and its grace passes.
    tick(&world).await;
    tick(&world).await;
    world.advance(700);
    world.forget_changes();
    world
}

async fn asleep() -> World {
    let world = idle().await;
    tick(&world).await;
    world.advance(60);
    tick(&world).await;
    world.run_tasks();
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.record("dev").expect("a record").phase.as_str(), "asleep");
    world.forget_changes();
    world
}

fn leads_away(world: &World) -> bool {
    let forward = world.leads(RULE);
    forward.leads_to(WAKE_TARGET_GROUP) && !forward.leads_to(APP)
}

#[tokio::test]
async fn the_rule_is_led_away_one_tick_before_the_count_goes() {
    let world = idle().await;
    tick(&world).await;
    assert_eq!(
        (world.changes(), leads_away(&world)),
        (vec![format!("ModifyRule {RULE}")], true)
    );
    world.advance(60);
    tick(&world).await;
    assert_eq!(
        world.changes().last().map(String::as_str),
        Some("UpdateService dev/web=0")
    );
}

#[tokio::test]
async fn a_rule_that_may_not_be_changed_keeps_it_awake_and_says_why() {
    let world = idle().await;
    world.break_("ModifyRule", Code::AccessDenied);
    for _ in 0..4 {
        tick(&world).await;
        world.advance(60);
    }
    let record = world.record("dev").expect("a record");
    assert_eq!((record.phase.as_str(), world.desired("dev/web")), ("awake", 2));
    assert_eq!(record.reason.code(), "front-stuck");
    assert!(
        record.reason.to_string().contains("ModifyRule"),
        "{}",
        record.reason
    );
    assert_eq!(world.leads(RULE), Forward::to(APP));
}

#[tokio::test]
async fn a_rule_that_a_deploy_puts_back_leads_to_the_wake_function_within_a_tick() {
    let world = asleep().await;
    let looks = world.looks();
    tick(&world).await;
    assert_eq!(world.changes(), [""; 0]);
    world.puts_door(RULE, Forward::to(APP), place());
    world.advance(60);
    tick(&world).await;
    assert!(leads_away(&world));
    assert_eq!(world.looks() - looks, 0, "ECS is not asked for that");
    let told = world.whys("dev");
    let last = json!(told.last().expect("an entry"));
    assert_eq!(
        (&last["what"], &last["change"], &last["cause"]),
        (&json!("rule"), &json!("put-back"), &json!("outside"))
    );
}

#[tokio::test]
async fn without_any_tag_the_rule_ends_as_its_owner_made_it() {
    let world = asleep().await;
    world.retag(&[]);
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.leads(RULE), Forward::to(APP));
    world.advance(60);
    tick(&world).await;
    tick(&world).await;
    assert!(world.record("dev").expect("a record").front.is_empty());
    assert!(world.settings("dev").is_none(), "and the group is forgotten");
}

#[tokio::test]
async fn without_its_tag_a_sleeping_service_has_its_rule_back() {
    let world = asleep().await;
    world.tag("dev/web", "dormouse:front", "off");
    world.advance(60);
    tick(&world).await;
    assert_eq!(world.leads(RULE), Forward::to(APP));
}
