//! From awake to asleep and back at one address.

use dormouse_core::front::Forward;
use dormouse_core::observation::Health;

use super::*;

const APP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/0123456789abcdef";

/// Tasks start or stop, and the load balancer finds that those that run are healthy.
fn run_tasks(world: &World) {
    world.run_tasks();
    world.change("dev/web", |state| {
        state.target_groups = vec![APP.to_owned()];
        for task in &mut state.tasks {
            task.targets = vec![Health::Healthy];
        }
    });
}

async fn tick(world: &World) -> Value {
    world.advance(10);
    answer(world, json!({"group": "dev", "action": "tick"})).await
}

#[tokio::test]
async fn while_it_sleeps_its_address_wakes_it_and_leads_into_it_once_it_is_ready() {
    let tags = [("dormouse:group", "dev"), ("dormouse:front", "on")];
    let world = World::with(&["dev/web"], &tags, 1);
    run_tasks(&world);
    let place = posted("dev").place;
    world.puts_door("rule/1", Forward::to(APP), place);
    answer(&world, json!({"group": "dev", "action": "wake"})).await;
    tick(&world).await;
    answer(&world, json!({"group": "dev", "action": "sleep"})).await;
    for _ in 0..12 {
        tick(&world).await;
        run_tasks(&world);
    }
    assert_eq!(world.record("dev").expect("a record").phase, Phase::Asleep);
    assert!(world.leads("rule/1").leads_to(WAKE_TARGET_GROUP));
    world.forget_changes();

    assert_eq!(status_of(&ask(&world, &event("alb-browser.json")).await), 503);
    assert_eq!(world.desired("dev/web"), 1);
    assert!(
        world.leads("rule/1").leads_to(WAKE_TARGET_GROUP),
        "not before it is ready"
    );
    run_tasks(&world);
    for _ in 0..5 {
        world.advance(2);
        ask(&world, &poll("")).await;
    }
    assert!(
        world.leads("rule/1").is_as(&Forward::to(APP)),
        "as its owner made it"
    );
    let late = ask(&world, &event("alb-browser.json")).await;
    assert_eq!((status_of(&late), header(&late, "retry-after")), (503, "1"));
}
