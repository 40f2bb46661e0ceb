//! Whose door a request came through, and who may wake there.

use super::*;

const KEY: &str = "correct-horse-battery-staple";
const LINK: &[(&str, &str)] = &[("WAKE_AUTH", "link"), ("LINK_KEY", KEY)];
const JWT: &[(&str, &str)] = &[("WAKE_AUTH", "jwt")];
/// `printf 'dev\n1800003600' | openssl dgst -sha256 -hmac correct-horse-battery-staple`: good for the first hour of a test.
const SIGNATURE: &str = "ee15bab392e20a1fba56e345dd14d462cd9e3ca26dbef955bc017b86972025ed";

fn signed(name: &str) -> Value {
    let mut event = event(name);
    event["queryStringParameters"] =
        json!({"dormouse-expires": "1800003600", "dormouse-signature": SIGNATURE, "tab": "open"});
    event
}

async fn authenticated() -> World {
    let mut door = posted("dev");
    door.place.authenticates = true;
    behind(asleep(), &door).await
}

#[tokio::test]
async fn each_address_wakes_its_own_group() {
    let world = asleep().and(&["dev/api"], &[("dormouse:group", "other")], 0);
    let mut other = posted("other");
    other.place.conditions = vec![
        Condition::Path(vec!["/api/*".to_owned()]),
        Condition::Header {
            name: "X-Tenant".to_owned(),
            values: vec!["b*".to_owned()],
        },
    ];
    other.place.priority = Some(5);
    let world = behind(behind(world, &posted("dev")).await, &other).await;
    let refusal = ask(&world, &event("alb-program.json")).await;
    assert_eq!(status_json(&refusal)["group"], "dev");
    let refusal = ask(&world, &with_header(event("alb-program.json"), "x-tenant", "Bee")).await;
    assert_eq!(status_json(&refusal)["group"], "other");
}

#[tokio::test]
async fn host_port_and_source_are_those_that_the_load_balancer_saw() {
    let mut door = posted("dev");
    door.place.port = 8443;
    door.place
        .conditions
        .push(Condition::Source(vec!["198.51.100.0/24".to_owned()]));
    let world = behind(asleep(), &door).await;
    let with_port = |port| with_header(event("alb-program.json"), "x-forwarded-port", port);
    let refusal = ask(
        &world,
        &with_header(with_port("8443"), "host", "SHOP.example.com:8443"),
    )
    .await;
    assert_eq!(status_json(&refusal)["group"], "dev");
    for nowhere in [
        with_port("443"),
        with_header(with_port("8443"), "host", "other.example:8443"),
        with_header(with_port("8443"), "x-forwarded-for", "198.51.100.23, 203.0.113.7"),
    ] {
        assert!(
            !ask(&world, &nowhere).await.to_string().contains("waking"),
            "{nowhere}"
        );
    }
}

#[tokio::test]
async fn an_address_that_leads_to_no_sleeping_group_says_so_and_to_come_again_in_a_moment() {
    let world = led_away().await;
    let mut elsewhere = event("alb-program.json");
    elsewhere["requestContext"]["elb"]["targetGroupArn"] = json!("arn:aws:elasticloadbalancing:another");
    for event in [
        elsewhere,
        with_header(event("alb-program.json"), "host", "other.example"),
    ] {
        let refusal = ask(&world, &event).await;
        assert_eq!((status_of(&refusal), header(&refusal, "retry-after")), (503, "1"));
        let message = body(&refusal)["errors"][0]["message"].clone();
        assert!(
            message
                .as_str()
                .is_some_and(|text| text.contains("no sleeping group is known")),
            "{message}"
        );
        let mut browser = event.clone();
        browser["headers"]["accept"] = json!("text/html");
        let page = ask(&world, &browser).await;
        assert_eq!((status_of(&page), header(&page, "retry-after")), (503, "1"));
        assert!(html(&page).contains("no sleeping group is known"), "{page}");
    }
    assert_eq!((world.looks(), world.changes().len()), (0, 0));
}

#[tokio::test]
async fn a_door_that_was_just_led_back_is_still_known() {
    let mut door = posted("dev");
    door.left_at = Some(asleep().now());
    let world = behind(awake().await, &door).await;
    let refusal = ask(&world, &event("alb-program.json")).await;
    assert_eq!((status_of(&refusal), header(&refusal, "retry-after")), (503, "1"));
}

#[tokio::test]
async fn with_signed_links_only_they_wake() {
    let world = led_away().await;
    for name in ["alb-browser.json", "alb-program.json", "alb-form-post.json"] {
        let refused = ask_with(&world, LINK, &event(name)).await;
        assert_eq!(status_of(&refused), 403, "{name}");
        assert!(
            refused["body"]
                .as_str()
                .is_some_and(|text| text.contains("signed links only"))
        );
    }
    let began = world.now();
    let held = with_header(event("alb-program.json"), "prefer", "wait=25");
    assert_eq!(status_of(&ask_with(&world, LINK, &held).await), 403);
    assert_eq!((world.now(), world.changes().len()), (began, 0));
    assert_eq!(
        status_of(&ask_with(&world, LINK, &signed("alb-browser.json")).await),
        503
    );
    assert_eq!(world.changes(), WOKEN);
    world.run_tasks();
    let held = with_header(signed("alb-program.json"), "prefer", "wait=25");
    let redirect = ask_with(&world, LINK, &held).await;
    assert_eq!(
        (status_of(&redirect), header(&redirect, "location")),
        (307, "/api/v1/items?tab=open"),
        "the signature does not go on to the app"
    );
}

#[tokio::test]
async fn who_may_not_wake_is_not_sent_round_in_circles_either() {
    let world = still_led_away().await;
    let held = with_header(event("alb-program.json"), "prefer", "wait=25");
    let refusal = ask_with(&world, LINK, &held).await;
    assert_eq!((status_of(&refusal), header(&refusal, "retry-after")), (503, "1"));
}

#[tokio::test]
async fn with_tokens_nobody_wakes_in_place_unless_the_load_balancer_authenticates() {
    let world = led_away().await;
    let forged = with_header(event("alb-program.json"), "x-amzn-oidc-identity", "ada");
    let refused = ask_with(&world, JWT, &forged).await;
    assert_eq!(
        (status_of(&refused), &body(&refused)["errors"][0]["code"]),
        (403, &json!("Forbidden"))
    );
    assert!(
        refused["body"]
            .as_str()
            .is_some_and(|text| text.contains("put an action that authenticates in front")),
        "{refused}"
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn whom_the_load_balancer_has_authenticated_may_wake_whatever_the_mode() {
    for variables in [&[][..], LINK, JWT] {
        let world = authenticated().await;
        let event = with_header(event("alb-browser.json"), "x-amzn-oidc-identity", "ada");
        assert_eq!(status_of(&ask_with(&world, variables, &event).await), 503);
        let record = world.record("dev").expect("a record");
        assert_eq!(
            (record.phase, record.woken_by.as_deref()),
            (Phase::Waking, Some("ada")),
            "{variables:?}"
        );
        let bot = with_header(event, "user-agent", "Mozilla/5.0 (compatible; bot/1)");
        let world = authenticated().await;
        ask_with(&world, variables, &bot).await;
        assert_eq!(world.changes(), [""; 0]);
    }
}

#[tokio::test]
async fn nobody_is_believed_who_only_says_who_they_are() {
    let world = led_away().await;
    ask(
        &world,
        &with_header(event("alb-program.json"), "x-amzn-oidc-identity", "ada"),
    )
    .await;
    let record = world.record("dev").expect("a record");
    assert_eq!(record.woken_by.as_deref(), Some("198.51.100.23"));
    let world = led_away().await;
    ask(
        &world,
        &with_header(event("alb-program.json"), "x-forwarded-for", "<b>me</b>"),
    )
    .await;
    assert_eq!(world.record("dev").expect("a record").woken_by, None);
}
