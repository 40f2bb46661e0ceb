//! The OpenAPI document against the code's own types. Every HTTP answer of the other tests is held against it as well.

use std::collections::BTreeSet;

use dormouse_core::front::{self, DoorId};
use dormouse_core::intent::Cause;
use dormouse_core::reading::Signal;
use dormouse_core::reason::Reason;
use dormouse_core::scaling;
use dormouse_core::settings::Mode;
use dormouse_core::status::{Stage, Status, StepName, StepState};
use dormouse_core::why::{Count, Entry, Said, What};
use dormouse_testkit::openapi::{Document, Exchange};
use serde::de::DeserializeOwned;

use super::*;

/// Fails if the document does not say this about the answer to this event of API Gateway.
pub(crate) fn assert_documented(event: &Value, answer: &Value) {
    let headers = answer["headers"].as_object().expect("headers");
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned()))
        .collect();
    let objections = Document::read().objections(&Exchange {
        method: event["requestContext"]["http"]["method"]
            .as_str()
            .expect("a method"),
        path: event["rawPath"].as_str().expect("a path"),
        status: answer["statusCode"].as_u64().expect("a status") as u16,
        headers: &headers,
        body: answer["body"].as_str().expect("a body"),
    });
    assert!(objections.is_empty(), "{objections:#?}");
}

/// The values that serde writes for an enum. What it says about one that is none names them all, so none is forgotten.
fn values<T: DeserializeOwned>(nonsense: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(nonsense).err().expect("it is none");
    let text = error.to_string();
    let (_, expected) = text.split_once("expected ").expect("what was expected");
    let quoted = expected.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

fn documented(schema: &str) -> BTreeSet<String> {
    let document = Document::read();
    document.values(schema).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_documents_lists_are_those_of_the_code() {
    let tagged = || json!({"code": "?"});
    assert_eq!(documented("Phase"), values::<Phase>(json!("?")));
    assert_eq!(documented("Mode"), values::<Mode>(json!("?")));
    assert_eq!(documented("Cause"), values::<Cause>(json!("?")));
    assert_eq!(documented("Signal"), values::<Signal>(json!("?")));
    assert_eq!(documented("StepName"), values::<StepName>(json!("?")));
    assert_eq!(documented("StepState"), values::<StepState>(json!("?")));
    assert_eq!(documented("Reason"), values::<Reason>(tagged()));
    assert_eq!(
        documented("ScalingReason"),
        values::<scaling::reason::Reason>(tagged())
    );
    let mut codes = values::<Code>(json!("?"));
    // What is no error of the core: the route itself, and the template.
    codes.extend(["MethodNotAllowed", "Page"].map(str::to_owned));
    assert_eq!(documented("ErrorCode"), codes);
}

#[test]
fn every_stage_and_nothing_else_is_documented() {
    let document = Document::read();
    let need = |text| dormouse_core::needs::Need::parse(text).expect("a need");
    for stage in [
        Stage::Asleep,
        Stage::WaitingFor(need("db")),
        Stage::WaitingFor(need("shared/db")),
        Stage::Provisioning,
        Stage::Pending,
        Stage::Starting,
        Stage::Ready,
        Stage::Failing,
    ] {
        assert_eq!(document.mismatches("Stage", &json!(stage)), [""; 0], "{stage}");
    }
    for nonsense in ["waking", "waiting-for:", "waiting-for:a/b/c"] {
        assert!(
            !document.mismatches("Stage", &json!(nonsense)).is_empty(),
            "{nonsense}"
        );
    }
}

#[test]
fn every_change_of_a_rule_is_documented() {
    let document = Document::read();
    let changes = &document.json()["components"]["schemas"]["RuleEntry"]["properties"]["change"]["enum"];
    let changes: BTreeSet<String> = serde_json::from_value(changes.clone()).expect("texts");
    assert_eq!(changes, values::<front::What>(json!("?")));
}

#[test]
fn every_kind_of_entry_is_documented() {
    let document = Document::read();
    let service = dormouse_core::ids::ServiceId::new("dev", "web");
    let (from, to) = (Phase::Awake, Phase::FallingAsleep);
    for what in [
        What::Phase { from, to },
        What::Would { from, to },
        What::Refused { phase: from },
        What::Rule {
            rule: DoorId(
                "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/1/2/3".to_owned(),
            ),
            change: front::What::PutBack,
        },
        What::Count {
            service: service.clone(),
            from: 2,
            to: 4,
        },
    ] {
        let entry = Entry {
            at: asleep().now(),
            group: dormouse_core::ids::GroupName::default_group(),
            generation: dormouse_core::ids::Generation(3),
            cause: Cause::Tick,
            by: Some("Ada".to_owned()),
            reason: match what {
                What::Rule { .. } => "rule-changed-outside".to_owned(),
                _ => "idle".to_owned(),
            },
            what,
            detail: "every signal was quiet for 30m".to_owned(),
            override_until: Some(asleep().now()),
            counts: vec![Count {
                service: service.clone(),
                from: None,
                to: 0,
            }],
            readings: vec![Said {
                signal: Signal::Requests,
                service: service.clone(),
                reading: "quiet".to_owned(),
            }],
        };
        assert_eq!(document.mismatches("Entry", &json!(entry)), [""; 0]);
    }
}

/// The example is a status that the code's own type reads and writes alike, so it shows every field, and no other.
#[test]
fn the_example_of_a_status_is_one() {
    let document = Document::read();
    let responses = &document.json()["components"]["responses"];
    let example = &responses["Status"]["content"]["application/json"]["example"];
    assert_eq!(document.mismatches("Status", example), [""; 0]);
    let status: Status = serde_json::from_value(example.clone()).expect("a status");
    assert_eq!(&json!(status), example);
    assert!(!status.services.is_empty() && !status.services[0].steps.is_empty());
}

#[test]
fn a_field_that_is_missing_or_new_is_noticed() {
    let document = Document::read();
    let responses = &document.json()["components"]["responses"];
    let example = &responses["Status"]["content"]["application/json"]["example"];
    for field in example.as_object().expect("fields").keys() {
        let mut without = example.clone();
        without.as_object_mut().expect("fields").remove(field);
        assert!(!document.mismatches("Status", &without).is_empty(), "{field}");
    }
    let mut with = example.clone();
    with["services"][0]["news"] = json!(1);
    assert!(!document.mismatches("Status", &with).is_empty());
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let answer = answer(&asleep(), get("/-/openapi.json", "*/*")).await;
    assert_eq!(
        (status_of(&answer), &answer["headers"]["content-type"]),
        (200, &json!("application/json"))
    );
    assert_eq!(&body(&answer), Document::read().json());
}

#[tokio::test]
async fn a_method_that_is_not_documented_is_405_with_those_that_are() {
    for (path, method, allowed) in [
        ("/-/groups", "DELETE", "GET, HEAD"),
        ("/-/openapi.json", "POST", "GET, HEAD"),
        ("/dev/-/status", "POST", "GET, HEAD"),
        ("/dev/-/why", "PUT", "GET, HEAD"),
        ("/dev/-/wake", "GET", "POST"),
        ("/dev/-/sleep", "GET", "POST"),
        ("/dev", "OPTIONS", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ] {
        let mut event = get(path, "*/*");
        event["requestContext"]["http"]["method"] = json!(method);
        let refusal = answer(&asleep(), event).await;
        assert_eq!(
            (status_of(&refusal), &refusal["headers"]["allow"]),
            (405, &json!(allowed)),
            "{method} {path}"
        );
    }
}
