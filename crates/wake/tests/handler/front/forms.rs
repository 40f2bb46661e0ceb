//! Forms that are sent to an app that sleeps.

use super::*;

#[tokio::test]
async fn who_sent_a_form_is_told_that_it_was_not_delivered_and_how_to_send_it_again() {
    let world = led_away().await;
    let page = ask(&world, &event("alb-form-post.json")).await;
    assert_eq!(
        (status_of(&page), header(&page, "x-dormouse-not-delivered")),
        (503, "true")
    );
    let html = html(&page);
    for part in [
        "What you sent was not delivered",
        "reload this page",
        "<button class=\"button\" id=\"again\" type=\"button\" hidden>Send it again</button>",
        "data-again=\"It is ready. Please send it again.\"",
        "data-poll=\"1, undelivered\"",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    // Loaded by itself it would be asked for again without what was sent.
    assert!(
        !html.contains("http-equiv") && !html.contains("leads on by itself") && !html.contains("href=\"\""),
        "{html}"
    );
    assert!(!html.contains("tea"), "nothing of it is kept: {html}");
    assert_eq!(world.changes(), WOKEN);
    assert!(!format!("{:?} {:?}", world.record("dev"), world.whys("dev")).contains("tea"));
}

#[tokio::test]
async fn its_page_goes_on_saying_so() {
    let world = led_away().await;
    ask(&world, &event("alb-form-post.json")).await;
    let part = ask(&world, &poll(", undelivered")).await;
    assert_eq!(status_of(&part), 200);
    assert!(
        html(&part).contains("What you sent was not delivered") && html(&part).contains("id=\"again\""),
        "{part}"
    );
    let other = ask(&world, &poll("")).await;
    assert!(!html(&other).contains("What you sent"), "{other}");
}

#[tokio::test]
async fn it_is_said_in_the_visitors_language() {
    for (language, said) in [
        ("en", "What you sent was not delivered"),
        ("de", "Was Sie gesendet haben, ist nicht angekommen"),
        ("fr", "Votre envoi n’est pas arrivé"),
        ("es", "Lo que envió no se ha entregado"),
        ("pl", "To, co wysłano, nie dotarło"),
        ("ja", "送信された内容は届いていません"),
    ] {
        let event = with_header(event("alb-form-post.json"), "accept-language", language);
        let page = ask(&led_away().await, &event).await;
        assert!(html(&page).contains(said), "{language}: {page}");
    }
}

#[tokio::test]
async fn it_is_said_also_where_something_went_wrong() {
    let broken = led_away().await;
    broken.break_("DescribeServices", Code::Throttled);
    for world in [broken, asleep()] {
        let page = ask(&world, &event("alb-form-post.json")).await;
        assert_eq!(
            (status_of(&page), header(&page, "x-dormouse-not-delivered")),
            (503, "true")
        );
        assert!(
            html(&page).contains("What you sent was not delivered") && !html(&page).contains("href=\"\""),
            "{page}"
        );
    }
}

#[tokio::test]
async fn what_a_bot_sends_is_not_delivered_either_and_wakes_nothing() {
    let world = led_away().await;
    let event = with_header(
        event("alb-form-post.json"),
        "user-agent",
        "sqlmap/1.7.2#stable (https://sqlmap.org)",
    );
    let refusal = ask(&world, &event).await;
    assert_eq!(
        (status_of(&refusal), header(&refusal, "x-dormouse-not-delivered")),
        (503, "true")
    );
    assert_eq!(status_json(&refusal)["phase"], "asleep");
    assert_eq!(world.changes(), [""; 0]);
}
