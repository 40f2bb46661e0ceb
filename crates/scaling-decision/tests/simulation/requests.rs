//! What the function is asked, and what it refuses.

use dormouse_testkit::event;
use serde_json::{Value, json};

use crate::account::Account;
use crate::scene::BALANCED;

fn refused(account: &Account, event: Value) -> String {
    let (code, message) = account.call_function(event).expect_err("a refusal");
    assert_eq!(code, "InvalidRequest", "{message}");
    message
}

/// The schedule ticks for every group, and a direct call for one.
#[test]
fn ticks_tell_what_was_decided_about_each_service_and_why() {
    for tick in [event("eventbridge-scheduled.json"), event("direct-tick.json")] {
        let sim = BALANCED.open();
        let answer = sim.account.call_function(tick).expect("a tick");
        let services = answer["services"].as_array().expect("services");
        assert_eq!(services.len(), 1, "{answer}");
        let told = |field: &str| services[0][field].clone();
        assert_eq!(
            (
                told("group"),
                told("service"),
                told("decision"),
                told("from"),
                told("to")
            ),
            (
                json!("dev"),
                json!("dev/web"),
                json!("scale-in"),
                json!(6),
                json!(3)
            )
        );
        assert_eq!(told("reason")["code"], "below-for-stable-window");
    }
}

/// A release without a scale-in has nothing to give back.
#[test]
fn a_step_of_a_scale_in_that_is_over_does_nothing() {
    let sim = BALANCED.open();
    let answer = sim.account.call_function(event("scale-in-step.json"));
    assert_eq!(answer.expect("an answer"), json!({"outcome": "released"}));
    sim.must_be_clean();
}

#[test]
fn what_is_neither_a_tick_nor_a_step_is_refused_with_what_is_wrong() {
    let sim = BALANCED.open();
    for foreign in [
        event("direct-wake.json"),
        event("sns-alarm.json"),
        json!({}),
        json!(null),
    ] {
        let why = refused(&sim.account, foreign);
        assert!(why.contains("`tick`, `sample` or `scale-in`"), "{why}");
    }
    let mut step = event("scale-in-step.json");
    step["service"] = json!("web");
    assert!(refused(&sim.account, step).contains("service `web`: must be"));
}

/// Who starts one by hand on a service that must not scale in, or that has no more than what is to be left, is told so.
#[test]
fn a_claim_by_hand_says_why_it_is_not_given() {
    let sim = BALANCED.open();
    let mut claim = event("scale-in-step.json");
    claim["step"] = json!("claim");
    claim["to"] = json!(6);
    let (code, message) = sim.account.call_function(claim.clone()).expect_err("no claim");
    assert_eq!(code, "NoFreeTask");
    assert!(message.contains("has 6 tasks and is to keep 6"), "{message}");
    claim["to"] = json!(4);
    claim["service"] = json!("dev/other");
    let (code, message) = sim.account.call_function(claim).expect_err("no claim");
    assert_eq!(code, "UnknownGroup");
    assert!(
        message.contains("`dev/other` is not one of group `dev`"),
        "{message}"
    );
}
