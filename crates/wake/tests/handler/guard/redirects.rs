//! No open redirect: whatever is asked, and by whatever name, a redirect leads to the group's own address.

use super::*;

const APP: &str = "http://198.51.100.1:8080";

/// The host and port that a browser goes to from a Location (WHATWG URL, "special authority": a backslash is a slash).
fn authority(location: &str) -> String {
    let location = location.replace('\\', "/");
    let rest = location
        .strip_prefix("http://")
        .expect("an absolute address of our scheme");
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn odd_paths_and_queries_never_change_the_host() {
    let world = awake().await;
    for path in [
        "/dev//evil.example",
        "/dev///evil.example",
        "/dev/\\evil.example",
        "/dev/\\/evil.example",
        "/dev/%2F%2Fevil.example",
        "/dev/%5Cevil.example",
        "/dev/@evil.example",
        "/dev/:80@evil.example",
        "/dev/.evil.example",
        "/dev/https://evil.example",
        "/dev/\r\nLocation: https://evil.example",
        "/dev/%0d%0aLocation:%20https://evil.example",
        "/dev/\thttps://evil.example",
        "/dev/?@evil.example",
        "/dev/#@evil.example",
        "//dev//evil.example",
        "///dev/..//evil.example",
    ] {
        for query in [
            "",
            "next=//evil.example",
            "@evil.example",
            "\r\nLocation: https://evil.example",
            "#@evil.example",
        ] {
            let redirect = answer(&world, with_query(get(path, "text/html"), query)).await;
            assert_eq!(status_of(&redirect), 307, "{path:?}");
            let location = redirect["headers"]["location"].as_str().expect("a location");
            assert_eq!(
                authority(location),
                "198.51.100.1:8080",
                "{path:?} {query:?}: {location}"
            );
            assert!(location.starts_with(&format!("{APP}/")), "{location}");
            assert!(
                location.bytes().all(|byte| byte.is_ascii_graphic()),
                "{location:?}"
            );
        }
    }
}

#[tokio::test]
async fn whatever_host_a_visitor_names_he_is_sent_to_the_groups_own() {
    let world = awake().await;
    for name in [
        "host",
        "x-forwarded-host",
        "forwarded",
        "x-original-url",
        "x-rewrite-url",
        "origin",
        "referer",
    ] {
        let redirect = answer(
            &world,
            with_header(event("http-api-browser.json"), name, "evil.example"),
        )
        .await;
        let location = redirect["headers"]["location"].as_str().expect("a location");
        assert_eq!(authority(location), "198.51.100.1:8080", "{name}: {location}");
    }
}

#[tokio::test]
async fn an_owners_address_with_a_user_or_a_trick_is_a_bad_tag_and_leads_nowhere() {
    for url in [
        "https://dev.example.com@evil.example",
        "https://dev.example.com:pw@evil.example/",
        "https://dev.example.com\\@evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "https://evil.example?",
        "https://evil.example#",
    ] {
        let world = awake().await;
        world.tag("dev/web", "dormouse:url", url);
        let config = config(&[]);
        dormouse_core::engine::discover(&world, &config.listed, &config.defaults)
            .await
            .expect("groups");
        let redirect = answer(&world, event("http-api-browser.json")).await;
        let location = redirect["headers"]["location"].as_str().expect("a location");
        assert_eq!(authority(location), "198.51.100.1:8080", "{url}: {location}");
    }
}

#[tokio::test]
async fn pages_of_refusals_escape_what_was_sent_and_run_nothing() {
    let world = awake().await;
    let markup = "wait=<img src=x onerror=alert(1)>";
    let page = answer(&world, with_query(event("http-api-browser.json"), markup)).await;
    assert_eq!(status_of(&page), 400);
    let html = page["body"].as_str().expect("html");
    assert!(html.contains("onerror") && !html.contains("<img"), "{html}");
    for page in [page, answer(&world, get("/nosuch", "text/html")).await] {
        let policy = page["headers"]["content-security-policy"]
            .as_str()
            .expect("a policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn every_answer_is_shielded() {
    let world = awake().await;
    for (event, status) in [
        (event("http-api-browser.json"), 307),
        (event("http-api-status.json"), 200),
        (event("http-api-sleep.json"), 403),
        (get("/nosuch", "text/html"), 404),
        (get("/nosuch", "*/*"), 404),
    ] {
        let answer = answer(&world, event).await;
        assert_eq!(status_of(&answer), status);
        let headers = &answer["headers"];
        assert_eq!(
            (
                &headers["cache-control"],
                &headers["x-content-type-options"],
                &headers["referrer-policy"]
            ),
            (&json!("no-store"), &json!("nosniff"), &json!("no-referrer"))
        );
    }
}
