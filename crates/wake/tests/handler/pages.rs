//! Pages that people see: the wait page from request to answer, and the page of all groups.

use super::*;

async fn answer_with(world: &World, variables: &[(&str, &str)], event: Value) -> Value {
    let request = event.clone();
    let id = "11111111-2222-3333-4444-555555555555";
    let answer = wake::handle(world, &config(variables), event, id)
        .await
        .expect("an answer");
    openapi::assert_documented(&request, &answer);
    answer
}

fn html(answer: &Value) -> &str {
    assert_eq!(
        answer["headers"]["content-type"], "text/html; charset=utf-8",
        "{answer}"
    );
    answer["body"].as_str().expect("html")
}

/// Nothing of what was tried became markup, and the policy would have stopped it.
fn harmless(answer: &Value, tried: &str) {
    let html = html(answer);
    assert!(!html.contains(tried), "{tried}: {html}");
    let policy = answer["headers"]["content-security-policy"]
        .as_str()
        .expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(
        policy.contains("script-src 'nonce-11111111222233334444555555555555'"),
        "{policy}"
    );
}

const EVIL: &str = "<script>alert(1)</script>";

#[tokio::test]
async fn the_changing_part_never_wakes_and_moves_a_waking_group_on() {
    let world = asleep();
    let part = answer(&world, event("http-api-page.json")).await;
    assert_eq!(status_of(&part), 200);
    assert!(
        html(&part).starts_with("<main ") && html(&part).contains("data-state=\"asleep\""),
        "{part}"
    );
    assert_eq!(world.changes(), [""; 0]);
    answer(&world, event("http-api-browser.json")).await;
    let part = answer(&world, event("http-api-page.json")).await;
    assert!(html(&part).contains("data-state=\"waking\"") && html(&part).contains("data-generation=\"1\""));
    world.run_tasks();
    let part = answer(&world, event("http-api-page.json")).await;
    assert!(html(&part).contains("data-state=\"ready\""), "{part}");
    assert_eq!(
        world.record("dev").expect("a record").phase,
        Phase::Awake,
        "moved on"
    );
}

#[tokio::test]
async fn the_page_speaks_the_visitors_language() {
    for (accepted, lang, said) in [
        ("de-DE,de;q=0.9,en;q=0.5", "de", "Wacht auf: dev"),
        ("fr", "fr", "Réveil en cours: dev"),
        ("es-MX", "es", "Despertando: dev"),
        ("pl,en;q=0.1", "pl", "Budzi się: dev"),
        ("ja-JP", "ja", "起動中: dev"),
        ("en-GB,en;q=0.9", "en", "Waking up: dev"),
        ("nl", "en", "Waking up: dev"),
    ] {
        let mut event = event("http-api-browser.json");
        event["headers"]["accept-language"] = json!(accepted);
        let page = answer(&asleep(), event).await;
        let html = html(&page);
        assert!(
            html.contains(&format!("<html lang=\"{lang}\">")) && html.contains(said),
            "{accepted}: {html}"
        );
    }
}

#[tokio::test]
async fn what_dormouse_says_of_a_service_is_translated_and_what_aws_says_is_not() {
    let world = asleep();
    let line = std::time::Duration::from_secs(12);
    world.wakes_stand_in_line(&[line, line]);
    let german = |name| {
        let mut event = event(name);
        event["headers"]["accept-language"] = json!("de");
        event
    };
    let page = answer(&world, german("http-api-browser.json")).await;
    assert!(
        html(&page).contains("lang=\"de\">wartet, bis er an der Reihe ist"),
        "{page}"
    );
    answer(&world, event("http-api-status.json")).await;
    world.run_tasks();
    world.change("dev/web", |state| state.tasks[0].probe = Some(Probe::Status(503)));
    let part = answer(&world, german("http-api-page.json")).await;
    assert!(
        html(&part).contains("lang=\"en\">the ready path answers 503"),
        "{part}"
    );
    answer(&world, json!({"group": "dev", "action": "sleep"})).await;
    let part = answer(&world, german("http-api-page.json")).await;
    assert!(
        html(&part).contains("lang=\"de\">seine Tasks enden gerade"),
        "{part}"
    );
}

#[tokio::test]
async fn a_group_that_is_kept_asleep_says_until_when_in_the_visitors_language() {
    let world = awake().await;
    answer(&world, json!({"group": "dev", "action": "sleep", "for": "2h"})).await;
    let mut event = event("http-api-browser.json");
    event["headers"]["accept-language"] = json!("de");
    let page = answer(&world, event).await;
    assert_eq!(
        (status_of(&page), &page["headers"]["retry-after"]),
        (503, &json!("7200"))
    );
    assert!(
        html(&page).contains("Jemand lässt sie bis 2027-01-15 10:00 UTC schlafen."),
        "{page}"
    );
    assert!(
        html(&page).contains("kept asleep until 2027-01-15T10:00:00Z"),
        "{page}"
    );
    let mut part = self::event("http-api-page.json");
    part["headers"]["accept-language"] = json!("de");
    let part = answer(&world, part).await;
    assert!(
        html(&part).contains("Jemand lässt sie bis"),
        "its script shows the same: {part}"
    );
}

#[tokio::test]
async fn an_observed_group_says_that_nothing_was_woken() {
    let world = World::with(
        &["dev/web"],
        &[("dormouse:group", "dev"), ("dormouse:mode", "observe")],
        0,
    );
    let page = answer(&world, event("http-api-browser.json")).await;
    assert_eq!(status_of(&page), 503);
    assert!(
        html(&page).contains("This group is only watched: nothing was woken."),
        "{page}"
    );
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_passive_client_that_shows_pages_gets_one_with_a_button_and_wakes_nothing() {
    let world = asleep();
    let mut event = event("http-api-browser.json");
    event["headers"]["user-agent"] = json!("Mozilla/5.0 (compatible; SomeBot/1.0; bot/1)");
    let page = answer(&world, event).await;
    assert_eq!(status_of(&page), 503);
    assert!(
        html(&page).contains("<form method=\"post\" action=\"../-/wake\">"),
        "{page}"
    );
    assert_eq!(world.changes(), [""; 0]);
}

/// Browsers hold the redirects of a form against the page's `form-action 'self'`, and the app is at another origin.
#[tokio::test]
async fn a_form_for_a_group_that_is_ready_already_leads_on_without_a_redirect() {
    let world = awake().await;
    let mut form = event("http-api-wake.json");
    form["headers"]["accept"] = json!("text/html,application/xhtml+xml");
    let page = answer(&world, form).await;
    assert_eq!(status_of(&page), 200);
    let html = html(&page);
    assert!(
        html.contains("<meta http-equiv=\"refresh\" content=\"0; url=../../dev\">")
            && html.contains("href=\"../../dev\""),
        "{html}"
    );
}

#[tokio::test]
async fn a_form_wakes_and_leads_to_the_groups_page_and_nowhere_else() {
    let world = asleep();
    let mut form = event("http-api-wake.json");
    form["headers"]["accept"] = json!("text/html,application/xhtml+xml");
    form["headers"]["host"] = json!("evil.example");
    form["rawQueryString"] = json!("to=https://evil.example");
    let answered = answer(&world, form.clone()).await;
    assert_eq!(status_of(&answered), 303);
    // Relative to /dev/-/wake, under whatever prefix: /dev.
    assert_eq!(answered["headers"]["location"], "../../dev");
    assert_eq!(world.desired("dev/web"), 1);
    form["rawPath"] = json!("/nosuch/-/wake");
    let unknown = answer(&world, form).await;
    assert_eq!(status_of(&unknown), 404);
    assert!(html(&unknown).contains("No such group"), "{unknown}");
}

#[tokio::test]
async fn a_visitor_is_sent_to_the_groups_own_host_whatever_path_query_or_host_says() {
    for path in [
        "/dev//evil.example",
        "/dev/@evil.example",
        "/dev/\\evil.example",
        "/dev/https://evil.example",
    ] {
        let world = awake().await;
        let mut event = event("http-api-browser.json");
        event["rawPath"] = json!(path);
        event["rawQueryString"] = json!("url=//evil.example");
        event["headers"]["host"] = json!("evil.example");
        event["headers"]["x-forwarded-host"] = json!("evil.example");
        let redirect = answer(&world, event).await;
        let location = redirect["headers"]["location"].as_str().expect("a location");
        assert!(location.starts_with("http://198.51.100.1:8080/"), "{location}");
    }
}

#[tokio::test]
async fn all_groups_are_on_one_page_with_state_who_woke_them_and_a_button() {
    let world = World::with(&["dev/web"], &[("dormouse:group", "zeta")], 0).and(
        &["dev/api"],
        &[
            ("dormouse:group", "alpha"),
            ("dormouse:awake", "Daily 09:00-12:00"),
        ],
        0,
    );
    answer(&world, get("/zeta", "*/*")).await;
    world.run_tasks();
    answer(&world, get("/zeta/-/status", "*/*")).await;
    answer(&world, get("/alpha/-/status", "*/*")).await;
    answer(&world, json!({"action": "tick", "group": "alpha"})).await;
    let page = answer(&world, event("http-api-home.json")).await;
    assert_eq!(status_of(&page), 200);
    let html = html(&page);
    let (alpha, zeta) = (
        html.find("<h2>alpha</h2>").expect("alpha"),
        html.find("<h2>zeta</h2>").expect("zeta"),
    );
    assert!(alpha < zeta, "by name");
    let (alpha, zeta) = html.split_at(zeta);
    for part in [
        "<form method=\"post\" action=\"./alpha/-/wake\"><button class=\"button\">Wake alpha</button></form>",
        "<dt>Wakes</dt><dd><time datetime=\"2027-01-15T08:5",
        ">asleep</span>",
    ] {
        assert!(alpha.contains(part), "{part}\n{html}");
    }
    for part in [
        "<dt>Woken by</dt><dd>198.51.100.23</dd>",
        "<dt>Since</dt><dd><time datetime=\"2027-01-15T08:00:00Z\">2027-01-15 08:00 UTC</time></dd>",
        "<dt>Sleeps at the earliest</dt><dd><time datetime=\"2027-01-15T08:30:0",
        "href=\"./zeta\">Open",
    ] {
        assert!(zeta.contains(part), "{part}\n{html}");
    }
    assert!(
        html.contains("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>"),
        "{html}"
    );
    assert_eq!(html.matches("<h1").count(), 1);
    assert!(html.len() < 20_000);
}

#[tokio::test]
async fn without_groups_the_page_says_how_to_make_one() {
    let page = answer(&World::default(), event("http-api-home.json")).await;
    assert!(
        html(&page).contains("Give an ECS service the tag dormouse:group"),
        "{page}"
    );
}

#[tokio::test]
async fn the_groups_can_be_hidden() {
    let world = awake().await;
    for (path, accept) in [
        ("/", "text/html"),
        ("/", "*/*"),
        ("/-/groups", "*/*"),
        ("/-/groups", "text/html"),
    ] {
        let off = answer_with(&world, &[("GROUPS_PAGE", "off")], get(path, accept)).await;
        assert_eq!(status_of(&off), 404, "{path}");
        assert!(!off.to_string().contains("198.51"), "{off}");
        let on = answer_with(&world, &[("GROUPS_PAGE", "on")], get(path, accept)).await;
        assert_eq!(status_of(&on), 200, "{path}");
    }
    let mut post = get("/", "*/*");
    post["requestContext"]["http"]["method"] = json!("POST");
    assert_eq!(status_of(&answer(&world, post.clone()).await), 405);
    assert_eq!(
        status_of(&answer_with(&world, &[("GROUPS_PAGE", "off")], post).await),
        404
    );
}

#[tokio::test]
async fn markup_in_the_groups_name_or_path_comes_out_escaped() {
    for path in [
        format!("/{EVIL}"),
        format!("/dev/{EVIL}"),
        format!("/dev/-/{EVIL}"),
        format!("/\"'{EVIL}/-/page"),
    ] {
        let page = answer(&asleep(), get(&path, "text/html")).await;
        harmless(&page, EVIL);
    }
}

#[tokio::test]
async fn markup_in_the_query_comes_out_escaped() {
    let mut event = event("http-api-browser.json");
    event["rawQueryString"] = json!(format!("x={EVIL}"));
    harmless(&answer(&asleep(), event.clone()).await, EVIL);
    event["queryStringParameters"]["wait"] = json!(EVIL);
    let refused = answer(&asleep(), event).await;
    assert_eq!(status_of(&refused), 400);
    harmless(&refused, EVIL);
    assert!(
        html(&refused).contains("&#60;script&#62;alert(1)"),
        "said, and escaped: {refused}"
    );
}

#[tokio::test]
async fn markup_in_headers_comes_out_escaped() {
    for name in [
        "accept-language",
        "user-agent",
        "host",
        "referer",
        "x-forwarded-for",
        "x-forwarded-host",
        "cookie",
    ] {
        let mut event = event("http-api-browser.json");
        event["headers"][name] = json!(format!("de\"'>{EVIL}"));
        harmless(&answer(&asleep(), event).await, EVIL);
    }
}

#[tokio::test]
async fn markup_in_tag_values_comes_out_escaped() {
    for (tag, value) in [
        ("dormouse:idle-after", EVIL),
        ("dormouse:url", "https://x/\"><script>alert(1)</script>"),
        ("dormouse:url", "javascript:alert(1)//<script>alert(1)</script>"),
        ("dormouse:needs", EVIL),
    ] {
        let world = asleep();
        world.tag("dev/web", tag, value);
        let page = answer(&world, event("http-api-browser.json")).await;
        harmless(&page, EVIL);
        assert!(
            html(&page).contains("&#60;script&#62;alert(1)"),
            "{tag}: the bad value is shown: {page}"
        );
        harmless(&answer(&world, event("http-api-home.json")).await, EVIL);
        let part = answer(&world, event("http-api-page.json")).await;
        harmless(&part, EVIL);
    }
}

#[tokio::test]
async fn markup_in_the_words_of_ecs_comes_out_escaped() {
    let world = asleep();
    answer(&world, event("http-api-program.json")).await;
    world.advance(5);
    let at = world.now();
    world.change("dev/web", |state| {
        state.troubles = vec![Trouble {
            at,
            message: format!("CannotPullContainerError: \"'{EVIL}"),
        }];
    });
    for name in ["http-api-browser.json", "http-api-page.json"] {
        let page = answer(&world, event(name)).await;
        harmless(&page, EVIL);
        assert!(
            html(&page).contains("CannotPullContainerError: &#34;&#39;&#60;script&#62;"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn markup_in_the_name_of_who_woke_it_comes_out_escaped() {
    let world = asleep();
    answer(&world, json!({"group": "dev", "action": "wake", "by": EVIL})).await;
    let page = answer(&world, event("http-api-home.json")).await;
    harmless(&page, EVIL);
    assert!(html(&page).contains("<dd>&#60;script&#62;alert(1)"), "{page}");
}

#[tokio::test]
async fn markup_in_the_parameters_of_the_page_comes_out_escaped() {
    let variables = [
        ("PAGE_NAME", EVIL),
        ("PAGE_NOTE", "\"'><script>alert(1)</script>"),
    ];
    for name in [
        "http-api-browser.json",
        "http-api-home.json",
        "http-api-page.json",
    ] {
        harmless(&answer_with(&asleep(), &variables, event(name)).await, EVIL);
    }
}
