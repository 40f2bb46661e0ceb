//! Checks of state machines (Amazon States Language) that AWS makes only at deployment, or never.
//!
//! Rules: every transition leads to a state that exists, every state is reachable and an end is reachable from it, and
//! every Task has a bound in time, retries and a way out, for errors that can come (`errors`).

mod errors;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// What is wrong with a state machine; empty when nothing is.
pub(crate) fn problems(machine: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check_machine(machine, "", &mut found);
    found
}

/// Names of the `${...}` placeholders that the deployment fills in.
pub(crate) fn placeholders(definition: &str) -> BTreeSet<String> {
    definition
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn check_machine(machine: &Value, within: &str, found: &mut Vec<String>) {
    let Some(states) = machine["States"].as_object().filter(|states| !states.is_empty()) else {
        found.push(format!(
            "{within}States: must be an object with at least one state"
        ));
        return;
    };
    let mut reached = BTreeSet::new();
    let mut open = Vec::new();
    match machine["StartAt"].as_str() {
        Some(start) if states.contains_key(start) => open.push(start),
        Some(start) => found.push(format!("{within}StartAt: there is no state {start}")),
        None => found.push(format!("{within}StartAt: must name a state")),
    }
    let next: BTreeMap<&str, Vec<&str>> = states
        .iter()
        .map(|(name, state)| (name.as_str(), check_state(name, state, states, within, found)))
        .collect();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(next.get(name).into_iter().flatten());
        }
    }
    for name in states.keys().filter(|name| !reached.contains(name.as_str())) {
        found.push(format!("{within}{name}: no transition leads here"));
    }
    for name in endless(states, &next) {
        found.push(format!("{within}{name}: no path from here ends"));
    }
}

/// The states from which no end can be reached.
fn endless<'a>(states: &'a Map<String, Value>, next: &BTreeMap<&str, Vec<&str>>) -> Vec<&'a str> {
    let ends = |state: &Value| state["End"] == true || state["Type"] == "Succeed" || state["Type"] == "Fail";
    let mut ending: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = ending.len();
        for (name, state) in states {
            let leads_to_one = next
                .get(name.as_str())
                .into_iter()
                .flatten()
                .any(|next| ending.contains(next));
            if ends(state) || leads_to_one {
                ending.insert(name);
            }
        }
        if ending.len() == before {
            break;
        }
    }
    let names = states.keys().map(String::as_str);
    names.filter(|name| !ending.contains(name)).collect()
}

/// Checks one state; returns the existing states that it leads to.
fn check_state<'a>(
    name: &str,
    state: &'a Value,
    states: &Map<String, Value>,
    within: &str,
    found: &mut Vec<String>,
) -> Vec<&'a str> {
    let at = format!("{within}{name}");
    let kind = state["Type"].as_str().unwrap_or_default();
    let mut targets = Vec::new();
    let mut lead = |field: String, target: &'a Value, found: &mut Vec<String>| match target.as_str() {
        Some(target) if states.contains_key(target) => targets.push(target),
        Some(target) => found.push(format!("{at}: {field} leads to {target}, which is no state")),
        None => found.push(format!("{at}: {field} must name a state")),
    };

    match kind {
        "Choice" => {
            for (index, choice) in list(state, "Choices").iter().enumerate() {
                lead(format!("Choices[{index}].Next"), &choice["Next"], found);
            }
            // Without it an input that fits no choice fails the execution.
            lead("Default".to_owned(), &state["Default"], found);
        }
        "Task" | "Parallel" | "Map" | "Wait" | "Pass" => match (state.get("Next"), state["End"].as_bool()) {
            (Some(next), None) => lead("Next".to_owned(), next, found),
            (None, Some(true)) => {}
            _ => found.push(format!("{at}: must have either Next or \"End\": true")),
        },
        "Succeed" | "Fail" => {}
        other => found.push(format!("{at}: Type {other:?} is no type of state")),
    }
    for (index, catch) in list(state, "Catch").iter().enumerate() {
        lead(format!("Catch[{index}].Next"), &catch["Next"], found);
    }

    if kind == "Task" {
        for (field, why) in [
            ("TimeoutSeconds", "else it may wait for ever"),
            ("Retry", "else one throttled call is a failure"),
            ("Catch", "else an error ends the execution"),
        ] {
            // The way out itself needs none: an execution that fails in it can be redriven there.
            if field == "Catch" && is_caught(name, states) {
                continue;
            }
            if state[field].is_null() || state[field].as_array().is_some_and(Vec::is_empty) {
                found.push(format!("{at}: a Task must have {field}, {why}"));
            }
        }
        found.extend(errors::problems(&at, state));
        for (index, retry) in list(state, "Retry").iter().enumerate() {
            if retry["JitterStrategy"].is_null() {
                found.push(format!(
                    "{at}: Retry[{index}] must have a JitterStrategy, else all retry at once"
                ));
            }
        }
    }
    for (index, branch) in list(state, "Branches").iter().enumerate() {
        check_machine(branch, &format!("{at}.Branches[{index}]."), found);
    }
    if let Some(processor) = state.get("ItemProcessor") {
        check_machine(processor, &format!("{at}.ItemProcessor."), found);
    }
    targets
}

/// Whether errors of other states lead to this one.
fn is_caught(name: &str, states: &Map<String, Value>) -> bool {
    let mut others = states.iter().filter(|(other, _)| *other != name);
    others.any(|(_, state)| list(state, "Catch").iter().any(|catch| catch["Next"] == name))
}

fn list<'a>(state: &'a Value, field: &str) -> &'a [Value] {
    state[field].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(next: &str) -> Value {
        json!({
            "Type": "Task", "Resource": "r", "TimeoutSeconds": 60, "Next": next,
            "Retry": [{ "ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL" }],
            "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Done" }],
        })
    }

    #[test]
    fn a_sound_machine_has_no_problems() {
        let machine =
            json!({ "StartAt": "Work", "States": { "Work": task("Done"), "Done": { "Type": "Succeed" } } });
        assert_eq!(problems(&machine), Vec::<String>::new());
    }

    #[test]
    fn transitions_to_nowhere_are_found_wherever_they_stand() {
        let mut catching = task("Pick");
        catching["Catch"][0]["Next"] = json!("D");
        let machine = json!({ "StartAt": "Work", "States": {
            "Work": catching,
            "Pick": { "Type": "Choice", "Choices": [{ "Next": "A" }], "Default": "B" },
            "Rest": { "Type": "Wait", "Next": "C" },
        }});
        let found = problems(&machine).join("\n");
        for place in [
            "Rest: no path from here ends",
            "Pick: Choices[0].Next leads to A",
            "Pick: Default leads to B",
            "Rest: Next leads to C",
            "Work: Catch[0].Next leads to D",
            "Rest: no transition leads here",
        ] {
            assert!(found.contains(place), "{place} is not in:\n{found}");
        }
    }

    #[test]
    fn a_task_needs_a_timeout_retries_with_jitter_and_a_way_out() {
        let machine = json!({ "StartAt": "Work", "States": {
            "Work": { "Type": "Task", "Resource": "r", "End": true, "Catch": [], "Retry": [{ "ErrorEquals": ["States.ALL"] }] },
        }});
        let found = problems(&machine);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].contains("TimeoutSeconds") && found[1].contains("Catch"),
            "{found:?}"
        );
        assert!(found[2].contains("JitterStrategy"), "{found:?}");
    }

    #[test]
    fn the_state_that_errors_lead_to_needs_no_way_out_of_its_own() {
        let (mut work, mut mend) = (task("Mend"), task("Done"));
        work["Catch"][0]["Next"] = json!("Mend");
        mend["Catch"] = json!([]);
        let done = json!({ "Type": "Succeed" });
        let machine = json!({ "StartAt": "Work", "States": { "Work": work, "Mend": mend, "Done": done } });
        assert_eq!(problems(&machine), Vec::<String>::new());
    }

    #[test]
    fn states_that_lead_to_each_other_for_ever_are_found() {
        let machine = json!({ "StartAt": "A", "States": {
            "A": { "Type": "Choice", "Choices": [{ "Next": "Done" }], "Default": "B" },
            "B": { "Type": "Wait", "Seconds": 1, "Next": "C" },
            "C": { "Type": "Wait", "Seconds": 1, "Next": "B" },
            "Done": { "Type": "Succeed" },
        }});
        assert_eq!(
            problems(&machine),
            ["B: no path from here ends", "C: no path from here ends"]
        );
    }

    #[test]
    fn an_error_that_cannot_come_is_found_in_a_machine() {
        let mut work = task("Done");
        work["Catch"][0]["ErrorEquals"] = json!(["NoSuchCode"]);
        let machine = json!({ "StartAt": "Work", "States": { "Work": work, "Done": { "Type": "Succeed" } } });
        assert!(
            problems(&machine)[0].starts_with("Work: Catch[0]: NoSuchCode"),
            "{:?}",
            problems(&machine)
        );
    }

    #[test]
    fn nested_machines_are_checked_too() {
        let machine = json!({ "StartAt": "All", "States": {
            "All": { "Type": "Parallel", "End": true, "Branches": [{ "StartAt": "Gone", "States": { "A": { "Type": "Succeed" } } }] },
        }});
        assert!(
            problems(&machine)[0].starts_with("All.Branches[0].StartAt"),
            "{:?}",
            problems(&machine)
        );
    }

    #[test]
    fn a_state_that_neither_ends_nor_goes_on_is_found() {
        let machine = json!({ "StartAt": "Rest", "States": { "Rest": { "Type": "Wait", "Seconds": 1 } } });
        assert!(
            problems(&machine)[0].contains("either Next or"),
            "{:?}",
            problems(&machine)
        );
    }

    #[test]
    fn placeholders_are_read_by_name() {
        let names = placeholders(r#"{"a": "${One}", "b": "x-${Two}-${One}", "c": "{% $states.input.x %}"}"#);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["One", "Two"]);
    }
}
