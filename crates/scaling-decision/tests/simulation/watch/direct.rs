//! Direct calls: one reading, and one pass.

use serde_json::{Value, json};

use super::scene::{BUSY, CALM};
use crate::account::Part;
use crate::sim::{Sim, minutes, seconds};

fn sample(sim: &Sim, service: &Value) -> Result<Value, String> {
    let event = json!({"action": "sample", "service": service});
    sim.account
        .call_function(event)
        .map_err(|(code, message)| format!("{code}: {message}"))
}

fn web(sim: &Sim) -> Value {
    sample(sim, &json!("dev/web")).expect("an answer")
}

#[test]
fn a_sample_tells_the_reading_and_what_would_be_decided_and_changes_nothing() {
    let sim = CALM.open();
    let before = (sim.account.record(), sim.account.calls().len());
    let calm = web(&sim);
    assert_eq!(
        calm,
        json!({
            "group": "dev", "service": "dev/web", "total": 150, "sampled_tasks": 2, "total_tasks": 2, "avg": 75.0,
            "standard_error": 0.0, "decision": "hold", "from": 2,
            "reason": {"code": "enough", "total": 150, "needed": 2},
            "message": "as many tasks as its 150 connections need, which is 2",
        })
    );
    sim.account.set_load(1900);
    let busy = web(&sim);
    assert_eq!(
        (&busy["decision"], &busy["from"], &busy["to"]),
        (&json!("scale-out"), &json!(2), &json!(6))
    );
    assert_eq!(
        busy["reason"],
        json!({"code": "target-above", "total": 1900, "target": 100, "wanted": 19})
    );
    assert_eq!(sim.account.record(), before.0);
    assert!(sim.account.counts_set().is_empty() && sim.account.table.borrow().leases.is_empty());
    let writes = [
        "save_record",
        "set_desired",
        "save_windows",
        "take_lease",
        "tell",
        "start_scale_in",
    ];
    let calls = sim.account.calls();
    assert!(calls[before.1..].iter().all(|call| !writes.contains(&call.port)));
}

#[test]
fn nobody_answers_a_sample_and_the_total_is_unknown() {
    let sim = CALM.open();
    sim.account.outage(Part::Apps, minutes(1));
    let answer = web(&sim);
    assert_eq!(
        (&answer["total"], &answer["avg"], &answer["sampled_tasks"]),
        (&Value::Null, &Value::Null, &json!(0))
    );
    assert_eq!(
        (&answer["decision"], &answer["reason"]["code"]),
        (&json!("hold"), &json!("connections-unknown"))
    );
}

#[test]
fn a_sample_of_what_cannot_be_read_is_refused() {
    let sim = CALM.open();
    for (service, why) in [
        (json!("dev/db"), "service `dev/db` is not managed"),
        (json!("web"), "service `web`"),
        (json!("a/b/c"), "service `a/b/c`"),
        (json!(7), "action `sample`"),
        (json!(null), "action `sample`"),
    ] {
        let error = sample(&sim, &service).expect_err("refused");
        assert!(
            error.starts_with("InvalidRequest: ") && error.contains(why),
            "{service}: {error}"
        );
    }
    sim.account.set_settings(|settings| settings.connections = None);
    let error = sample(&sim, &json!("dev/web")).expect_err("refused");
    assert!(error.contains("`dormouse:connections`"), "{error}");
    let error = sim
        .account
        .call_function(json!({"action": "sample"}))
        .expect_err("refused");
    assert_eq!(error.0, "InvalidRequest");
}

#[test]
fn a_tick_makes_one_pass_and_returns_at_once() {
    let sim = CALM.open();
    sim.account.set_load(350);
    let begun = sim.account.at();
    let answer = sim
        .account
        .call_function(json!({"action": "tick"}))
        .expect("an answer");
    assert!(sim.account.at().since(begun) < seconds(2));
    assert_eq!(
        (&answer["watch"]["passes"], &answer["services"][0]["to"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(sim.account.counts_set(), [(2, 4)]);
    assert!(sim.account.table.borrow().leases.is_empty());
}

/// A watch is under way at the same time: they do not do things twice.
#[test]
fn a_tick_beside_a_watch_does_nothing_twice() {
    for tenth in 0..40 {
        let mut sim = BUSY.open();
        sim.load_after(seconds(70), 850);
        sim.plan(
            seconds(70) + std::time::Duration::from_millis(100 * tenth),
            |sim| {
                sim.account
                    .call_function(json!({"action": "tick"}))
                    .expect("an answer");
            },
        );
        sim.run(minutes(4));
        assert_eq!(sim.account.counts_set(), [(6, 9)], "after {tenth} tenths");
        super::must_be_told_once(&sim);
        sim.must_be_clean();
    }
}

#[test]
fn an_event_without_anybody_to_watch_returns_at_once_and_takes_no_lease() {
    for (asleep, connections) in [(true, true), (false, false)] {
        let mut sim = CALM.open();
        if asleep {
            sim.account.sleep();
            sim.account.pass(minutes(2));
            sim.account.idle_tick();
            sim.account.idle_tick();
        }
        if !connections {
            sim.account
                .set_settings(|settings| settings.scaling.connections = None);
        }
        let begun = sim.account.at();
        sim.ticking = false;
        sim.schedule();
        sim.run(seconds(3));
        let ended = &sim.functions.ended[0];
        assert!(ended.at.since(begun) < seconds(1));
        assert_eq!(ended.answer.as_ref().expect("an answer")["watch"], Value::Null);
        assert!(sim.account.table.borrow().leases.is_empty());
        assert!(!sim.account.calls().iter().any(|call| call.port == "take_lease"));
    }
}
