//! Why a group did what it did: who is told of at each door, and how the log is read.

use dormouse_core::intent::Cause;
use dormouse_core::reading::Reading;
use dormouse_core::why::{Entry, What};
use futures_util::future::join_all;

use super::*;

const VISITOR: &str = "198.51.100.23";

fn why(query: &[(&str, &str)]) -> Value {
    let mut event = event("http-api-why.json");
    event["queryStringParameters"] = query.iter().copied().collect();
    event
}

fn reasons(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().expect("entries");
    entries
        .iter()
        .filter_map(|entry| entry["reason"].as_str())
        .collect()
}

/// Asleep, awake, asleep again, with ten seconds from each to the next.
async fn there_and_back() -> World {
    let world = asleep();
    answer(&world, event("http-api-wake.json")).await;
    world.run_tasks();
    world.advance(10);
    answer(&world, event("http-api-status.json")).await;
    world.advance(10);
    let mut sleep = event("direct-sleep.json");
    sleep["by"] = json!("Ada");
    answer(&world, sleep).await;
    world.run_tasks();
    world.advance(10);
    answer(&world, event("http-api-status.json")).await;
    world
}

#[tokio::test]
async fn the_last_decisions_are_told_newest_first_with_who_asked_for_each() {
    let world = there_and_back().await;
    let answer = answer(&world, why(&[])).await;
    assert_eq!(
        (status_of(&answer), &answer["headers"]["cache-control"]),
        (200, &json!("no-store"))
    );
    let page = body(&answer);
    assert_eq!((&page["group"], &page["next"]), (&json!("dev"), &Value::Null));
    let brief: Vec<Value> = page["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|e| json!([e["from"], e["to"], e["reason"], e["cause"], e["by"]]))
        .collect();
    assert_eq!(
        json!(brief),
        json!([
            ["falling-asleep", "asleep", "sleep-asked", "direct", null],
            ["awake", "falling-asleep", "sleep-asked", "direct", "Ada"],
            ["waking", "awake", "became-ready", "http", null],
            ["asleep", "waking", "wake-asked", "http", VISITOR],
        ])
    );
}

#[tokio::test]
async fn the_log_is_read_a_page_at_a_time() {
    let world = there_and_back().await;
    let whole = body(&answer(&world, why(&[])).await);
    let mut read = Vec::new();
    let mut next = Value::Null;
    for _ in 0..4 {
        let mut query = vec![("limit", "1")];
        if let Some(before) = next.as_str() {
            query.push(("before", before));
        }
        let page = body(&answer(&world, why(&query)).await);
        read.extend(page["entries"].as_array().expect("entries").clone());
        next = page["next"].clone();
    }
    assert_eq!(
        (Value::Array(read), next),
        (whole["entries"].clone(), Value::Null)
    );
}

#[tokio::test]
async fn a_direct_call_is_told_the_same() {
    let world = there_and_back().await;
    let direct = answer(&world, event("direct-why.json")).await;
    let http = body(&answer(&world, event("http-api-why.json")).await);
    assert_eq!(direct, http);
    assert_eq!(reasons(&direct).len(), 4);
    let first = answer(&world, json!({"action": "why", "group": "dev", "limit": 3})).await;
    let rest = json!({"action": "why", "group": "dev", "before": first["next"]});
    assert_eq!(reasons(&answer(&world, rest).await), ["wake-asked"]);
}

#[tokio::test]
async fn asking_why_neither_wakes_nor_looks() {
    let world = asleep();
    answer(&world, event("direct-tick.json")).await;
    world.break_("DescribeServices", Code::AccessDenied);
    let (looks, writes) = (world.looks(), world.writes());
    let page = body(&answer(&world, why(&[])).await);
    assert_eq!((&page["entries"], &page["next"]), (&json!([]), &Value::Null));
    answer(&world, event("direct-list.json")).await;
    assert_eq!((world.looks(), world.writes()), (looks, writes));
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn a_question_that_breaks_a_rule_is_told_which() {
    let world = there_and_back().await;
    for (query, part) in [
        (
            [("limit", "0")],
            "field `limit`, value `0`: must be a whole number from 1 to 100",
        ),
        ([("limit", "101")], "`101`"),
        ([("limit", "many")], "`many`"),
        ([("before", "yesterday")], "field `before`, value `yesterday`"),
    ] {
        let refused = answer(&world, why(&query)).await;
        let error = body(&refused)["errors"][0].clone();
        assert_eq!(
            (status_of(&refused), &error["code"]),
            (400, &json!("InvalidRequest"))
        );
        assert!(
            error["message"].as_str().is_some_and(|text| text.contains(part)),
            "{error}"
        );
    }
    let mut unknown = why(&[]);
    unknown["rawPath"] = json!("/nosuch/-/why");
    assert_eq!(status_of(&answer(&world, unknown).await), 404);
    let unknown = json!({"action": "why", "group": "nosuch"});
    let error = wake::handle(&world, &config(&[]), unknown, "r").await;
    assert_eq!(error.expect_err("no group").code, Code::UnknownGroup);
    let mut post = why(&[]);
    post["requestContext"]["http"]["method"] = json!("POST");
    assert_eq!(status_of(&answer(&world, post).await), 405);
}

#[tokio::test]
async fn entries_are_told_for_thirty_days() {
    let world = there_and_back().await;
    let first = body(&answer(&world, why(&[("limit", "2")])).await);
    world.advance(30 * 24 * 3600 - 15);
    assert_eq!(
        reasons(&body(&answer(&world, why(&[])).await)),
        ["sleep-asked", "sleep-asked"],
        "those of the first ten seconds are gone"
    );
    world.advance(60);
    let before = first["next"].as_str().expect("a cursor");
    let gone = body(&answer(&world, why(&[("before", before)])).await);
    assert_eq!((&gone["entries"], &gone["next"]), (&json!([]), &Value::Null));
    assert_eq!(reasons(&body(&answer(&world, why(&[])).await)), [""; 0]);
}

#[tokio::test]
async fn every_door_says_who_stands_in_it() {
    for (name, cause, by) in [
        ("http-api-wake.json", Cause::Http, Some("198.51.100.23")),
        ("http-api-browser.json", Cause::Http, Some("198.51.100.23")),
        ("direct-wake.json", Cause::Direct, None),
        ("direct-keep-awake.json", Cause::Direct, None),
        ("eventbridge-call.json", Cause::Eventbridge, Some("my.pipeline")),
        (
            "codepipeline-job.json",
            Cause::Pipeline,
            event("codepipeline-job.json")["CodePipeline.job"]["id"].as_str(),
        ),
        ("sns-alarm.json", Cause::Alarm, Some("dev-is-asked-for")),
    ] {
        let by = by.map(str::to_owned);
        let group = if name == "sns-alarm.json" {
            "default"
        } else {
            "dev"
        };
        let world = World::with(&["dev/web"], &[("dormouse:group", group)], 0);
        answer(&world, event(name)).await;
        let entry: Entry = world.whys(group).pop().unwrap_or_else(|| panic!("{name}"));
        assert_eq!((entry.cause, entry.by), (cause, by), "{name}");
    }
    let world = asleep();
    let mut named = event("eventbridge-call.json");
    named["detail"]["by"] = json!("release 7");
    answer(&world, named).await;
    assert_eq!(world.whys("dev")[0].by.as_deref(), Some("release 7"));
}

#[tokio::test]
async fn many_who_ask_at_once_leave_one_entry_and_the_loser_none() {
    let world = asleep();
    join_all((0..8).map(|_| answer(&world, event("http-api-wake.json")))).await;
    let entries = world.whys("dev");
    assert_eq!(entries.len(), 1, "{entries:?}");
    world.run_tasks();
    answer(&world, event("http-api-status.json")).await;
    let sleep = |by: &str| json!({"group": "dev", "action": "sleep", "by": by});
    let sleeps = [sleep("Ada"), sleep("Bob")].map(|call| answer(&world, call));
    join_all(sleeps).await;
    let asked: Vec<_> = world
        .whys("dev")
        .into_iter()
        .filter_map(|entry| entry.by)
        .collect();
    assert_eq!(asked, ["198.51.100.23", "Ada"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_done_either() {
    let world = awake().await;
    world.break_("table", Code::Unavailable);
    let kept = world.whys("dev").len();
    let failed = wake::handle(&world, &config(&[]), event("direct-sleep.json"), "r").await;
    assert_eq!(failed.expect_err("no table").code, Code::Unavailable);
    assert_eq!((world.whys("dev").len(), world.changes()), (kept, Vec::new()));
}

#[tokio::test]
async fn a_sleep_that_is_refused_is_told_once_with_what_was_read() {
    let tags = &[("dormouse:group", "dev"), ("dormouse:signals", "cpu")];
    let world = World::with(&["dev/web"], tags, 0);
    answer(&world, event("http-api-wake.json")).await;
    world.run_tasks();
    answer(&world, event("http-api-status.json")).await;
    world.advance(3600);
    world.reads(Reading::Active(world.now()));
    for _ in 0..3 {
        answer(&world, event("direct-tick.json")).await;
        world.advance(60);
    }
    let refused: Vec<Entry> = world.whys("dev").into_iter().skip(2).collect();
    let [entry] = &refused[..] else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (
            &entry.what,
            entry.reason.as_str(),
            entry.readings[0].reading.as_str()
        ),
        (
            &What::Refused { phase: Phase::Awake },
            "in-use",
            "use at 2027-01-15T09:00:00Z"
        )
    );
}
