//! By signed links, with an admin's token, a brand, and without the list of groups.

use std::time::Duration;

use end_to_end::{Answer, Service, Stack, eventually};
use serde_json::json;

const SOON: Duration = Duration::from_secs(60);

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set, as `cargo xtask test` does"))
}

/// An admin's request.
async fn admin(stack: &Stack, path: &str, token: &str) -> Answer {
    let request = stack.wake("POST", path);
    request
        .header("authorization", &format!("Bearer {token}"))
        .send()
        .await
}

/// The path and query of a link that the command line signs.
async fn link(stack: &Stack, args: &[&str]) -> String {
    let url = stack.output("WakeUrl");
    let args = [&["link"], args, &["--for", "1h", "--url", url]].concat();
    let run = stack.dormouse(&args).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let link = run.stdout.trim().to_owned();
    link.strip_prefix(url.trim_end_matches('/'))
        .unwrap_or_else(|| panic!("{link} is not below {url}"))
        .to_owned()
}

#[tokio::test]
#[ignore = "needs the guarded stack, which `cargo xtask test` deploys for it"]
async fn only_who_has_a_link_wakes_and_only_who_has_the_token_puts_to_sleep() {
    let stack = Stack::connect();
    Service::new("guarded").sleeps_after("10m").create(&stack).await;

    let stranger = stack.wake("GET", "/guarded/a?b=c").browser().send().await;
    assert_eq!(stranger.status, 403, "{stranger:?}");
    let stranger = stack.wake("POST", "/guarded/-/wake").send().await;
    assert_eq!(stranger.status, 403, "{stranger:?}");
    assert_eq!(stack.status("guarded").await["phase"], "asleep");

    let guest = link(&stack, &["guarded", "--path", "/a?b=c"]).await;
    let other = guest.replacen("/guarded/", "/guarded-2/", 1);
    Service::new("guarded-2").sleeps_after("10m").create(&stack).await;
    let wrong = stack.wake("GET", &other).browser().send().await;
    assert_eq!(wrong.status, 403, "a link is for one group: {wrong:?}");

    let page = stack.wake("GET", &guest).browser().send().await;
    assert_eq!(page.status, 200, "{page:?}");
    for brand in ["Badgers", "Ask-the-badgers", "data:image/gif;base64,R0lGODlh"] {
        assert!(page.body.contains(brand), "{brand}: {}", page.body);
    }
    let redirect = eventually("the guest is led on", SOON, || async {
        let answer = stack.wake("GET", &guest).browser().send().await;
        (answer.status == 307).then_some(answer)
    })
    .await;
    let location = redirect.header("location").expect("a location");
    assert!(location.ends_with("/a?b=c"), "without the signature: {location}");

    let none = stack.wake("POST", "/guarded/-/sleep").send().await;
    assert_eq!(none.status, 401, "{none:?}");
    let wrong = admin(&stack, "/guarded/-/sleep", "another-token").await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!(stack.status("guarded").await["phase"], "awake");

    let token = variable("DORMOUSE_ADMIN_TOKEN");
    let slept = admin(&stack, "/guarded/-/sleep?for=1h", &token).await;
    assert_eq!(slept.status, 202, "{slept:?}");
    assert!(slept.json()["override_until"].is_string(), "{slept:?}");
    eventually("it is asleep", SOON, || async {
        (stack.status("guarded").await["phase"] == "asleep").then_some(())
    })
    .await;
    let kept = admin(&stack, "/guarded/-/keep-awake?for=1h", &token).await;
    assert_eq!(
        (kept.status, &kept.json()["phase"]),
        (202, &json!("waking")),
        "{kept:?}"
    );
}

#[tokio::test]
#[ignore = "needs the guarded stack, which `cargo xtask test` deploys for it"]
async fn the_list_of_groups_is_hidden() {
    let stack = Stack::connect();
    for path in ["/", "/-/groups"] {
        assert_eq!(stack.wake("GET", path).send().await.status, 404, "{path}");
    }
    assert_eq!(stack.wake("GET", "/-/openapi.json").send().await.status, 200);
}
