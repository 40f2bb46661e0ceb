//! Wakes by signed links, and by JSON web tokens.

use super::*;

const KEY: &str = "correct-horse-battery-staple";
const LINK: &[(&str, &str)] = &[("WAKE_AUTH", "link"), ("LINK_KEY", KEY)];

/// `printf 'dev\n1800003600' | openssl dgst -sha256 -hmac correct-horse-battery-staple`: good for the first hour of a test.
const SIGNATURE: &str = "ee15bab392e20a1fba56e345dd14d462cd9e3ca26dbef955bc017b86972025ed";

fn signed() -> String {
    format!("dormouse-expires=1800003600&dormouse-signature={SIGNATURE}")
}

#[tokio::test]
async fn a_signed_link_wakes_and_its_signature_does_not_go_on_to_the_app() {
    let world = asleep();
    let query = format!("tab=open&{}&q=a%20b", signed());
    let link = with_query(event("http-api-browser.json"), &query);
    assert_eq!(status_of(&answer_of(&world, LINK, link.clone()).await), 200);
    assert_eq!(world.desired("dev/web"), 1);
    world.run_tasks();
    let redirect = answer_of(&world, LINK, link).await;
    assert_eq!(
        (status_of(&redirect), &redirect["headers"]["location"]),
        (
            307,
            &json!("http://198.51.100.1:8080/reports/42?tab=open&q=a%20b")
        )
    );
    let known = format!("{:?} {:?}", world.record("dev"), world.whys("dev"));
    assert!(
        !known.contains(SIGNATURE) && !known.contains("dormouse-"),
        "{known}"
    );
}

#[tokio::test]
async fn without_a_good_signature_nothing_wakes_and_everybody_is_told() {
    let world = asleep();
    let wrong = signed().replace("1800003600", "1900003600");
    for query in ["", "tab=open", &wrong, "dormouse-expires=1800003600"] {
        let page = answer_of(&world, LINK, with_query(event("http-api-browser.json"), query)).await;
        assert_eq!(status_of(&page), 403, "{query}");
        let html = page["body"].as_str().expect("html");
        assert!(
            html.contains("signed links only") && !html.contains(SIGNATURE),
            "{html}"
        );
        assert_eq!(page["headers"]["content-type"], "text/html; charset=utf-8");
        for name in ["http-api-program.json", "http-api-wake.json"] {
            let refused = answer_of(&world, LINK, with_query(event(name), query)).await;
            assert_eq!(
                (status_of(&refused), error_of(&refused)),
                (403, json!("Forbidden")),
                "{name} {query}"
            );
        }
        let held = with_query(event("http-api-program.json"), &format!("{query}&wait=25"));
        let began = world.now();
        assert_eq!(status_of(&answer_of(&world, LINK, held).await), 403);
        assert_eq!(world.now(), began, "nobody waits for what does not come");
    }
    world.advance(3600);
    let late = answer_of(
        &world,
        LINK,
        with_query(event("http-api-program.json"), &signed()),
    )
    .await;
    assert_eq!(status_of(&late), 403);
    assert!(
        late["body"]
            .as_str()
            .is_some_and(|text| text.contains("has expired")),
        "{late}"
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_link_of_one_group_wakes_no_other() {
    let world = asleep().and(&["dev/api"], &[("dormouse:group", "other")], 0);
    let mut link = with_query(event("http-api-program.json"), &signed());
    link["rawPath"] = json!("/other/");
    assert_eq!(status_of(&answer_of(&world, LINK, link).await), 403);
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn who_has_no_link_is_led_into_an_app_that_is_up_and_sees_a_wake_through() {
    let world = asleep();
    let link = with_query(event("http-api-wake.json"), &signed());
    assert_eq!(status_of(&answer_of(&world, LINK, link).await), 202);
    let page = answer_of(&world, LINK, event("http-api-browser.json")).await;
    assert_eq!(status_of(&page), 200, "the wait page of a wake under way");
    world.run_tasks();
    let redirect = answer_of(&world, LINK, event("http-api-browser.json")).await;
    assert_eq!(status_of(&redirect), 307);
    assert_eq!(world.record("dev").expect("a record").phase, Phase::Awake);
}

#[tokio::test]
async fn the_status_stays_open_and_never_wakes() {
    let world = asleep();
    assert_eq!(
        status_of(&answer_of(&world, LINK, event("http-api-status.json")).await),
        200
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn with_an_authorizer_the_subject_is_who_woke_it_and_nobody_wakes_without() {
    let jwt: &[(&str, &str)] = &[("WAKE_AUTH", "jwt")];
    let world = asleep();
    for name in ["http-api-program.json", "http-api-wake.json"] {
        let refused = answer_of(&world, jwt, event(name)).await;
        assert_eq!(
            (status_of(&refused), error_of(&refused)),
            (401, json!("Unauthorized")),
            "{name}"
        );
        assert!(refused["headers"]["www-authenticate"].is_string());
    }
    assert_eq!(world.changes(), [""; 0]);
    let mut checked = event("http-api-program.json");
    checked["requestContext"]["authorizer"] = json!({"jwt": {"claims": {"sub": "ada"}, "scopes": null}});
    assert_eq!(status_of(&answer_of(&world, jwt, checked).await), 503);
    let record = world.record("dev").expect("a record");
    assert_eq!(
        (record.phase, record.woken_by.as_deref()),
        (Phase::Waking, Some("ada"))
    );
}
