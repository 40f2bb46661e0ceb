//! Services that need each other, in one group and across groups.

use std::time::Duration;

use end_to_end::{Service, Stack, Updates, eventually};
use serde_json::{Value, json};

use crate::sleeping::{asleep, tick};
use crate::waking::{counts, ready};

const SOON: Duration = Duration::from_secs(60);

/// Makes the functions read all tags now, as they do for a name that they do not know.
async fn discover(stack: &Stack) {
    let answer = stack.wake("GET", "/nosuchgroup/").send().await;
    assert_eq!(answer.status, 404);
}

async fn sleep(stack: &Stack, group: &str) -> Value {
    let sleep = json!({"group": group, "action": "sleep"});
    let answer = stack.invoke("AutoSleepFunctionName", &sleep).await;
    answer.expect("an answer")
}

/// The stages of a group's services by name.
fn stage<'a>(status: &'a Value, service: &str) -> &'a Value {
    let services = status["services"].as_array().expect("services");
    let ours = services.iter().find(|ours| ours["name"] == service);
    &ours.expect("the service")["stage"]
}

/// That all these got this count once, and one of each pair before the other.
async fn in_order(stack: &Stack, updates: &Updates, count: u64, pairs: [(&str, &str); 5]) {
    for (first, then) in pairs {
        let mut moments = Vec::new();
        for name in [first, then] {
            let updates = updates.of(stack, name).await;
            let ours: Vec<_> = updates.iter().filter(|update| update.count == count).collect();
            assert_eq!(ours.len(), 1, "{name}: {updates:?}");
            moments.push(ours[0].at);
        }
        assert!(moments[0] < moments[1], "{first} before {then}: {moments:?}");
    }
}

#[tokio::test]
async fn a_diamond_wakes_in_order_with_nobody_watching_and_falls_asleep_in_reverse() {
    let stack = Stack::connect();
    let group = "ordered";
    let [a, b, c, d, e] = ["ordered-a", "ordered-b", "ordered-c", "ordered-d", "ordered-e"];
    for (name, needs) in [
        (a, None),
        (b, Some(a)),
        (c, Some(a)),
        (d, Some("ordered-b ordered-c")),
        (e, Some(d)),
    ] {
        let mut service = Service::new(group).named(name).sleeps_after("10m");
        if let Some(needs) = needs {
            service = service.tag("needs", needs);
        }
        service.create(&stack).await;
    }
    discover(&stack).await;
    let updates = Updates::from_now(&stack).await;
    let woken = stack.wake("POST", "/ordered/-/wake").send().await.json();
    for (name, waits_for) in [(b, a), (c, a), (d, b), (e, d)] {
        assert_eq!(
            stage(&woken, name),
            &json!(format!("waiting-for:{waits_for}")),
            "{woken}"
        );
    }
    // Not even its status is asked for: its timer and the changes of its tasks move it on.
    eventually("the last one is started", 2 * SOON, || async {
        let last = updates.of(&stack, e).await;
        (!last.is_empty()).then_some(())
    })
    .await;
    ready(&stack, group).await;
    in_order(&stack, &updates, 1, [(a, b), (a, c), (b, d), (c, d), (d, e)]).await;

    let updates = Updates::from_now(&stack).await;
    let answer = sleep(&stack, group).await;
    assert_eq!(answer["phase"], "falling-asleep", "{answer}");
    asleep(&stack, group, 3 * SOON).await;
    in_order(&stack, &updates, 0, [(e, d), (d, c), (d, b), (c, a), (b, a)]).await;
}

#[tokio::test]
async fn a_database_that_groups_share_is_up_while_one_of_them_is() {
    let stack = Stack::connect();
    let shared = "sharing-db";
    let database = Service::new(shared)
        .named("sharing-database")
        .tag("idle-after", "5s")
        .tag("grace", "0s")
        .create(&stack)
        .await;
    for group in ["sharing-one", "sharing-two"] {
        let needing = Service::new(group).sleeps_after("10m");
        let needing = needing.tag("needs", "sharing-db/sharing-database");
        needing.create(&stack).await;
    }
    discover(&stack).await;
    let woken = stack.wake("POST", "/sharing-one/-/wake").send().await.json();
    assert_eq!(
        stage(&woken, "sharing-one-web"),
        "waiting-for:sharing-db/sharing-database",
        "{woken}"
    );
    stack.wake("POST", "/sharing-two/-/wake").send().await;
    ready(&stack, "sharing-one").await;
    ready(&stack, "sharing-two").await;
    let status = ready(&stack, shared).await;
    assert_eq!(status["cause"], "needed", "{status}");
    assert_eq!(counts(&stack, &database).await, [json!(1)]);

    sleep(&stack, "sharing-one").await;
    asleep(&stack, "sharing-one", SOON).await;
    // Its own idle time is over.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let held = tick(&stack, shared).await;
    assert_eq!(
        (&held["phase"], &held["decision_reason"]),
        (&json!("awake"), &json!("needed-by")),
        "{held}"
    );
    let refused = sleep(&stack, shared).await;
    assert_eq!(
        (&refused["phase"], &refused["decision_reason"]),
        (&json!("awake"), &json!("needed-by")),
        "{refused}"
    );
    assert_eq!(counts(&stack, &database).await, [json!(1)]);

    sleep(&stack, "sharing-two").await;
    asleep(&stack, "sharing-two", SOON).await;
    let status = asleep(&stack, shared, 3 * SOON).await;
    assert_eq!(status["reason"], "idle", "{status}");
    assert_eq!(counts(&stack, &database).await, [json!(1), json!(0)]);
}

#[tokio::test]
async fn a_circle_is_named_and_the_other_services_of_the_group_are_managed() {
    let stack = Stack::connect();
    let group = "circled";
    for (name, needs) in [("circled-a", "circled-b"), ("circled-b", "circled-a")] {
        let service = Service::new(group).named(name).sleeps_after("10m");
        service.tag("needs", needs).create(&stack).await;
    }
    let other = Service::new(group).named("circled-c").sleeps_after("10m");
    let other = other.create(&stack).await;
    discover(&stack).await;
    let woken = stack.wake("POST", "/circled/-/wake").send().await.json();
    let errors = woken["errors"].as_array().expect("errors");
    for (service, circle) in [
        ("circled-a", "circled-a needs circled-b needs circled-a"),
        ("circled-b", "circled-b needs circled-a needs circled-b"),
    ] {
        let named = errors.iter().any(|error| {
            let message = error["message"].as_str().unwrap_or_default();
            let service = format!("service `circled/{service}`, tag `dormouse:needs`");
            error["code"] == "InvalidTag" && message.contains(&service) && message.contains(circle)
        });
        assert!(named, "{service}: {woken}");
    }
    ready(&stack, group).await;
    assert_eq!(counts(&stack, &other).await, [json!(1)]);
    for name in ["circled-a", "circled-b"] {
        assert_eq!(
            counts(&stack, name).await,
            [] as [Value; 0],
            "{name} is not managed"
        );
    }
}
