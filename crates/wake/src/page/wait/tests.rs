//! What the wait page shows of a status made by hand.

use dormouse_core::branding::{Branding, Logo};
use serde_json::{Value, json};

use super::*;
use crate::page::texts;

const NONCE: &str = "11111111222233334444555555555555";

/// A waking group of these services, with `change` merged in.
fn status(services: Value, change: Value) -> Status {
    let mut status = json!({
        "group": "dev", "phase": "waking", "generation": 3, "ready": false, "url": null, "elapsed_seconds": 35,
        "woken_by": "198.51.100.23", "eta_seconds": 40, "eta_at_most_seconds": 70, "wakes_known": 5, "progress": 0.42,
        "retry_after_seconds": 2, "reason": "still-waking", "detail": "not all services are ready yet", "cause": "http",
        "mode": "act", "override_until": null, "services": services, "errors": [],
    });
    for (name, value) in change.as_object().expect("an object") {
        status[name] = value.clone();
    }
    serde_json::from_value(status).expect("a status")
}

fn service(name: &str, stage: &str, detail: Option<&str>) -> Value {
    json!({
        "cluster": "dev", "name": name, "desired": 1, "running": 0, "pending": 1, "ready": stage == "ready",
        "stage": stage, "detail": detail, "eta_seconds": 40, "eta_at_most_seconds": 70, "steps": [],
    })
}

fn failing(names: &[String], message: &str) -> Status {
    let services = names
        .iter()
        .map(|name| service(name, "failing", Some(message)))
        .collect();
    let errors = names.iter().map(
        |name| json!({"code": "NotBecomingReady", "service": format!("dev/{name}"), "message": message}),
    );
    status(services, json!({"errors": errors.collect::<Vec<_>>()}))
}

fn html(answer: &Answer) -> String {
    answer.body.clone()
}

/// As a visitor who reads this language sees it.
fn page(status: &Status, language: &str) -> String {
    let branding = Branding::default();
    html(&waiting(
        &Viewer::of(Some(language), &branding, NONCE),
        status,
        "/reports/42",
    ))
}

fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[test]
fn time_left_is_told_by_the_median_and_the_90th_percentile() {
    let shown = |change: Value| {
        plain(&page(
            &status(json!([service("web", "pending", None)]), change),
            "en",
        ))
    };
    assert!(shown(json!({})).contains("<p>About 40 s left, usually at most 1 min 10 s.</p>"));
    assert!(shown(json!({})).contains("35 s so far. Earlier wakes known: 5."));
    // Far beyond all earlier wakes nothing is said about the end.
    let over = shown(json!({"eta_seconds": null, "eta_at_most_seconds": null}));
    assert!(
        over.contains("This takes longer than usual.") && !over.contains("No history"),
        "{over}"
    );
    let odd = shown(json!({"eta_seconds": 90, "eta_at_most_seconds": 70}));
    assert!(
        odd.contains("About 1 min 30 s left, usually at most 1 min 30 s."),
        "never less than the median"
    );
}

#[test]
fn the_first_wake_ever_says_honestly_that_there_is_no_history() {
    let first = json!({"eta_seconds": null, "eta_at_most_seconds": null, "wakes_known": 0});
    let mut web = service("web", "pending", None);
    (web["eta_seconds"], web["eta_at_most_seconds"]) = (Value::Null, Value::Null);
    let page = page(&status(json!([web]), first), "en");
    assert!(page.contains("No history yet"), "{page}");
    assert!(
        !page.contains("About ") && !page.contains("Earlier wakes"),
        "{page}"
    );
}

#[test]
fn each_service_tells_its_steps_with_their_times() {
    let mut web = service("web", "pending", Some("pulling the image"));
    web["steps"] = json!([
        {"step": "needs", "state": "done", "seconds": 4, "usual_seconds": 5, "at_most_seconds": 8},
        {"step": "provisioning", "state": "done", "seconds": 12, "usual_seconds": 11, "at_most_seconds": 20},
        {"step": "pulling", "state": "now", "seconds": 8, "usual_seconds": 20, "at_most_seconds": 90},
        {"step": "starting", "state": "ahead", "seconds": null, "usual_seconds": 3, "at_most_seconds": 5},
        {"step": "checking", "state": "ahead", "seconds": null, "usual_seconds": null, "at_most_seconds": null},
    ]);
    let waits = service(
        "api",
        "waiting-for:db",
        Some("db is not ready: no task has been started yet"),
    );
    let ready = service("db", "ready", None);
    let page = plain(&page(&status(json!([web, waits, ready]), json!({})), "en"));
    for part in [
        "<li class=\"done\">starting what it needs 4 s</li>",
        "<li class=\"done\">finding a place to run 12 s</li>",
        "<li class=\"now\" aria-current=\"step\">pulling the image 8 s (usually 20 s, at most 1 min 30 s)</li>",
        "<li class=\"ahead\">starting (usually 3 s, at most 5 s)</li>",
        "<li class=\"ahead\">health checks</li>",
        "<span class=\"stage \">pulling the image</span><b>web</b><span class=\"detail\">About 40 s left, usually at most 1 min 10 s.</span>",
        "<span class=\"stage \">waits for db</span><b>api</b>",
        "<span class=\"stage ready\">ready</span><b>db</b></li>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("lang=\"en\">pulling the image"), "said once");
}

#[test]
fn the_headline_names_the_stage_of_the_slowest_service() {
    for (stage, said) in [
        ("asleep", "Finding a place to run."),
        ("waiting-for:db", "Starting what it needs."),
        ("provisioning", "Finding a place to run."),
        ("pending", "Pulling the image."),
        ("starting", "Starting the containers."),
    ] {
        let services = json!([service("db", "ready", None), service("web", stage, None)]);
        let page = page(&status(services, json!({})), "en");
        let headline = format!("<p id=\"headline\" role=\"status\">{said}</p>");
        assert!(page.contains(&headline), "{stage}: {page}");
    }
    let mut web = service("web", "starting", None);
    web["steps"] =
        json!([{"step": "checking", "state": "now", "seconds": 1, "usual_seconds": 2, "at_most_seconds": 3}]);
    let page = page(&status(json!([web]), json!({})), "en");
    assert!(
        page.contains("Waiting for its health checks") && page.contains(">health checks</span>"),
        "{page}"
    );
}

#[test]
fn the_bar_has_its_width_without_script_or_inline_style_and_is_full_only_when_ready() {
    let of = |progress: f64, ready| {
        let services = json!([service("web", "pending", None)]);
        page(
            &status(services, json!({"progress": progress, "ready": ready})),
            "en",
        )
    };
    let page = of(0.42, false);
    assert!(page.contains("role=\"progressbar\" aria-label=\"Progress\" aria-valuemin=\"0\" aria-valuemax=\"100\" aria-valuenow=\"42\""));
    assert!(
        plain(&page).contains("aria-valuetext=\"42 %. About 40 s left, usually at most 1 min 10 s\""),
        "{page}"
    );
    assert!(
        page.contains("<rect width=\"42%\"") && page.contains("data-percent=\"42\""),
        "{page}"
    );
    assert!(!page.contains("style=\""), "{page}");
    for progress in [0.999, 1.0, 7.0] {
        assert!(of(progress, false).contains("aria-valuenow=\"99\""));
    }
    assert!(of(-1.0, false).contains("aria-valuenow=\"0\""));
    let ready = of(1.0, true);
    assert!(
        ready.contains("aria-valuenow=\"100\"") && ready.contains("data-state=\"ready\""),
        "{ready}"
    );
}

#[test]
fn a_failing_group_says_what_ecs_says_what_to_do_what_is_next_and_offers_to_try_again() {
    let words = "CannotPullContainerError: <img src=x onerror=alert(1)> & \"no such image\"";
    let shown = page(&failing(&["web".to_owned(), "api".to_owned()], words), "en");
    let escaped =
        "CannotPullContainerError: &#60;img src=x onerror=alert(1)&#62; &#38; &#34;no such image&#34;";
    assert_eq!(
        shown.matches(escaped).count(),
        2,
        "in each row, as AWS says it: {shown}"
    );
    assert!(!shown.contains("<img"), "{shown}");
    assert!(
        shown.contains("<h2>What you can do</h2><p><b>api, web</b>: Check that the image and its tag exist"),
        "{shown}"
    );
    assert_eq!(shown.matches("Check that the image").count(), 1, "said once");
    assert!(
        shown.contains("ECS starts another task by itself")
            && plain(&shown).contains("This page looks again in 2 s.")
    );
    assert!(!shown.contains("Dormouse asks ECS again"));
    assert!(
        shown.contains("<a class=\"button\" href=\"\">Try again now</a>"),
        "path and query stay: {shown}"
    );
    assert!(
        shown.contains("<title>Needs attention: dev</title>") && shown.contains("data-state=\"failing\""),
        "{shown}"
    );
}

#[test]
fn a_call_that_failed_is_said_to_be_repeated_by_dormouse() {
    let services = json!([service(
        "web",
        "failing",
        Some("AccessDenied: UpdateService dev/web: no")
    )]);
    let errors =
        json!([{"code": "AccessDenied", "service": "dev/web", "message": "UpdateService dev/web: no"}]);
    let shown = plain(&page(&status(services, json!({"errors": errors})), "en"));
    assert!(
        shown.contains("Dormouse asks ECS again every 10 s.") && shown.contains("A role may not do"),
        "{shown}"
    );
    assert!(!shown.contains("ECS starts another task"), "{shown}");
    assert_eq!(shown.matches("UpdateService dev/web: no").count(), 1, "{shown}");
}

#[test]
fn a_bad_tag_or_a_missing_timer_is_told_and_not_called_a_failure() {
    let errors = json!([
        {"code": "InvalidTag", "service": "dev/web", "message": "tag dormouse:idle-after, value `<b>soon</b>`: no"},
        {"code": "TimerNotStarted", "service": null, "message": "StartExecution: no"},
    ]);
    let services = json!([service("web", "pending", None)]);
    let shown = page(&status(services, json!({"errors": errors})), "en");
    assert!(
        shown.contains("data-state=\"waking\"") && shown.contains("StartExecution: no"),
        "{shown}"
    );
    assert!(
        shown.contains("`&#60;b&#62;soon&#60;/b&#62;`") && !shown.contains("<b>soon"),
        "{shown}"
    );
    assert!(shown.contains("Correct the tag"), "{shown}");
}

#[test]
fn groups_at_rest_have_a_fitting_page_with_a_button() {
    let services = || json!([service("web", "asleep", None)]);
    let rest = json!({"phase": "asleep", "progress": 0.0, "elapsed_seconds": null, "eta_seconds": null, "retry_after_seconds": 5});
    let with = |more: Value| {
        let mut change = rest.clone();
        for (name, value) in more.as_object().expect("an object") {
            change[name] = value.clone();
        }
        page(&status(services(), change), "en")
    };
    let asleep = with(json!({}));
    assert!(
        asleep.contains("It is asleep.") && asleep.contains("<a class=\"button\" href=\"\">Wake it up</a>"),
        "{asleep}"
    );
    assert!(
        !asleep.contains("role=\"progressbar\"") && asleep.contains("data-pause=\"30\""),
        "{asleep}"
    );
    let kept = with(json!({"override_until": "2027-01-15T10:00:00Z"}));
    assert!(
        kept.contains("Somebody keeps it asleep until 2027-01-15 10:00 UTC."),
        "{kept}"
    );
    let observed = with(json!({"mode": "observe"}));
    assert!(observed.contains("Only watched: dev"), "{observed}");
    let falling = with(json!({"phase": "falling-asleep"}));
    assert!(falling.contains("going back to sleep"), "{falling}");
    let silent = with(json!({"phase": "awake"}));
    assert!(silent.contains("does not answer at the moment"), "{silent}");
}

#[test]
fn whoever_wakes_nothing_by_coming_gets_a_form_that_does() {
    let branding = Branding::default();
    let viewer = Viewer::of(None, &branding, NONCE);
    let status = status(json!([]), json!({"phase": "asleep"}));
    let page = html(&resting(&viewer, &status, "/a/b", 503));
    assert!(
        page.contains(
            "<form method=\"post\" action=\"../-/wake\"><button class=\"button\">Wake it up</button>"
        ),
        "{page}"
    );
    assert!(
        !page.contains("<script") && !page.contains("http-equiv"),
        "it asks nothing by itself: {page}"
    );
}

#[test]
fn the_part_that_changes_is_that_of_the_whole_page() {
    let branding = Branding::default();
    let viewer = Viewer::of(Some("fr"), &branding, NONCE);
    let status = failing(
        &["web".to_owned()],
        "Essential container in task exited (app: exit code 1)",
    );
    let part = html(&changing_part(&viewer, &status));
    assert!(
        part.starts_with("<main ") && part.trim_end().ends_with("</main>"),
        "{part}"
    );
    assert!(html(&waiting(&viewer, &status, "/x")).contains(part.trim()));
    assert!(!part.contains("<script") && !part.contains("<style"), "{part}");
}

#[test]
fn the_page_works_without_script_and_asks_by_itself_with_it() {
    let shown = page(
        &status(
            json!([service("web", "pending", None)]),
            json!({"retry_after_seconds": 7}),
        ),
        "en",
    );
    assert!(
        shown.contains("<noscript><meta http-equiv=\"refresh\" content=\"7\"></noscript>"),
        "{shown}"
    );
    assert!(
        shown.contains("data-page=\"../-/page\"") && shown.contains("data-pause=\"7\""),
        "{shown}"
    );
    assert!(shown.contains("prefers-reduced-motion") && shown.contains("prefers-color-scheme: dark"));
    assert!(
        shown.contains("<link rel=\"icon\" href=\"data:image/svg+xml,")
            && shown.contains("data-icon=\"data:image")
    );
    for outside in [
        "src=\"http",
        "href=\"http",
        "url(",
        "@import",
        " onload=",
        " onclick=",
    ] {
        assert!(!shown.contains(outside), "{outside}");
    }
}

/// As it is shown at the app's own address.
fn in_place(status: &Status, language: &str, place: Place) -> String {
    let branding = Branding::default();
    let viewer = Viewer::of(Some(language), &branding, NONCE).at(place);
    let page = waiting(&viewer, status, "/reports/42");
    assert_eq!(page.status, code::UNAVAILABLE);
    html(&page)
}

#[test]
fn in_place_the_page_asks_its_own_address_and_offers_nothing_of_the_wake_address() {
    let all = [
        status(json!([service("web", "pending", None)]), json!({})),
        status(
            json!([service("web", "asleep", None)]),
            json!({"phase": "asleep"}),
        ),
        failing(&["web".to_owned()], "x"),
    ];
    for status in all {
        for place in [Place::App, Place::Undelivered] {
            let shown = in_place(&status, "en", place);
            assert!(
                shown.contains("id=\"live\" data-page=\"\" data-poll=\"1"),
                "{shown}"
            );
            assert!(!shown.contains("/-/") && !shown.contains("<form"), "{shown}");
        }
        assert!(!page(&status, "en").contains("data-poll"));
    }
    let waking = status(json!([]), json!({}));
    let shown = in_place(&waking, "en", Place::App);
    assert!(shown.contains("http-equiv=\"refresh\" content=\"5\""), "{shown}");
}

#[test]
fn who_sent_something_is_told_what_became_of_it_in_every_language() {
    let waking = status(json!([service("web", "pending", None)]), json!({}));
    for texts in texts::ALL {
        let said = &texts.undelivered;
        let shown = in_place(&waking, texts.lang, Place::Undelivered);
        let button = format!(
            "<button class=\"button\" id=\"again\" type=\"button\" hidden>{}</button>",
            said.again
        );
        for part in [
            said.said,
            said.how,
            &button,
            &format!("data-again=\"{}\"", said.ready),
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert!(!shown.contains(texts.lead), "it leads nowhere by itself: {shown}");
        assert!(
            !shown.contains("http-equiv") && !shown.contains("href=\"\""),
            "{shown}"
        );
        assert_eq!(shown.matches("<h1").count(), 1);
    }
}

#[test]
fn who_wakes_nothing_by_coming_is_offered_nothing_in_place() {
    let branding = Branding::default();
    let viewer = Viewer::of(None, &branding, NONCE).at(Place::App);
    let status = status(json!([]), json!({"phase": "asleep"}));
    let page = html(&resting(&viewer, &status, "/a/b", 503));
    assert!(
        !page.contains("class=\"button\"") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn structure_is_what_assistive_technology_needs() {
    let shown = page(&failing(&["web".to_owned()], "x"), "en");
    for once in [
        "<h1",
        "<main",
        "</main>",
        "<html lang=\"en\">",
        "role=\"status\"",
        "<title>",
    ] {
        assert_eq!(shown.matches(once).count(), 1, "{once}");
    }
    let mut ids: Vec<&str> = shown
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique: {ids:?}");
}

#[test]
fn even_ten_services_that_fail_with_logo_and_note_stay_below_20_kb_in_every_language() {
    let kinds = [
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:latest: not found",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException",
        "Essential container in task exited (app: exit code 1)",
        "Essential container in task exited (app: exit code 137, OutOfMemoryError: Container killed due to memory usage)",
        "(service web) (task 0f1e) (port 8080) is unhealthy in (target-group arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1) due to (reason Health checks failed with these codes: [500])",
        "Task failed container health checks",
        "not ready within 5m: the ready path does not answer: connection refused",
        "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.",
        "Timeout waiting for network interface provisioning to complete.",
        "Essential container in task exited (app: exit code 0)",
    ];
    let names: Vec<String> = (0..10).map(|n| format!("service-with-a-long-name-{n}")).collect();
    let services = names
        .iter()
        .zip(kinds)
        .map(|(name, words)| service(name, "failing", Some(words)));
    let errors = names.iter().zip(kinds).map(|(name, words)| {
        json!({"code": "NotBecomingReady", "service": format!("dev/{name}"), "message": words})
    });
    let errors: Vec<Value> = errors.collect();
    let status = status(services.collect(), json!({"errors": errors}));
    let branding = Branding {
        name: Some("ü".repeat(60)),
        logo: Logo::parse(&format!("data:image/png;base64,{}", "A".repeat(2300))),
        note: Some("ü".repeat(300)),
        ..Branding::default()
    };
    for texts in texts::ALL {
        let page = html(&waiting(
            &Viewer::of(Some(texts.lang), &branding, NONCE),
            &status,
            "/",
        ));
        assert!(page.contains(&format!("<html lang=\"{}\">", texts.lang)));
        assert!(page.len() < 20_000, "{}: {} bytes", texts.lang, page.len());
        let viewer = Viewer::of(Some(texts.lang), &branding, NONCE).at(Place::Undelivered);
        let page = html(&waiting(&viewer, &status, "/"));
        assert!(page.len() < 20_000, "{}: {} bytes", texts.lang, page.len());
    }
}

#[test]
fn ten_services_with_all_their_steps_stay_below_20_kb_too() {
    let services = (0..10).map(|n| {
        let mut one = service(&format!("service-with-a-long-name-{n}"), "pending", Some("pulling the image"));
        let step = |step: &str, state: &str| {
            json!({"step": step, "state": state, "seconds": 71, "usual_seconds": 130, "at_most_seconds": 190})
        };
        one["steps"] = json!([
            step("needs", "done"), step("provisioning", "done"), step("pulling", "now"), step("starting", "ahead"),
            step("checking", "ahead"),
        ]);
        one
    });
    let status = status(services.collect(), json!({}));
    let branding = Branding {
        logo: Logo::parse(&format!("data:image/png;base64,{}", "A".repeat(2300))),
        ..Branding::default()
    };
    for texts in texts::ALL {
        let page = html(&waiting(
            &Viewer::of(Some(texts.lang), &branding, NONCE),
            &status,
            "/",
        ));
        assert!(page.len() < 20_000, "{}: {} bytes", texts.lang, page.len());
    }
}

#[test]
fn words_that_nobody_reads_to_their_end_are_cut_between_characters() {
    let shown = page(&failing(&["web".to_owned()], &"é".repeat(5000)), "en");
    assert!(shown.contains(&format!("{}…", "é".repeat(LONGEST_WORDS))) && shown.len() < 20_000);
}

#[test]
fn name_colour_logo_and_note_are_those_of_the_owner_and_are_escaped() {
    let read = |name: &str| match name {
        "PAGE_NAME" => Some("A & <b>B</b>"),
        "PAGE_COLOR" => Some("#ffd000"),
        "PAGE_LOGO" => Some("data:image/gif;base64,R0lGODlhAQABAAAAACw="),
        "PAGE_NOTE" => Some("Ask \"us\" <script>alert(1)</script>"),
        _ => None,
    };
    let branding = Branding::read(read).expect("a brand");
    let status = status(json!([]), json!({}));
    let page = html(&waiting(&Viewer::of(None, &branding, NONCE), &status, ""));
    for part in [
        "<span>A &#38; &#60;b&#62;B&#60;/b&#62;</span>",
        "<title>Waking up: dev – A &#38; &#60;b&#62;B&#60;/b&#62;</title>",
        "<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\" alt=\"\">",
        "<p>Ask &#34;us&#34; &#60;script&#62;alert(1)&#60;/script&#62;</p>",
        "--accent: #ffd000; } }",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert_eq!(
        page.matches("--accent: #ffd000").count(),
        1,
        "a darker shade in light"
    );
}
