//! The comparison itself.

use std::collections::{BTreeMap, BTreeSet};

use super::list::List;
use super::policies::Function;
use super::trail::Use;

/// A function's line of the table.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    pub(super) function: String,
    pub(super) allowed: usize,
    pub(super) used: usize,
    pub(super) listed: usize,
}

/// What the comparison found.
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    /// For people; none if all is well.
    pub(super) problems: Vec<String>,
}

pub(super) fn compare(functions: &BTreeMap<String, Function>, uses: &[Use], list: &List) -> Found {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    let mut needed = BTreeSet::new();
    for (name, function) in functions {
        let of_role = || uses.iter().filter(|one| one.role == function.role);
        for refused in of_role().filter(|one| !one.allowed && !on_purpose(one, list)) {
            problems.push(format!(
                "{name} was refused {} on {}; allow it, or have the function not ask",
                refused.action, refused.resource
            ));
        }
        let used: BTreeSet<&str> = of_role()
            .filter(|one| one.allowed)
            .map(|one| one.action.as_str())
            .collect();
        for action in &used {
            if !function.actions.contains(*action) {
                problems.push(format!("{name} used {action}, which no policy of it allows"));
            }
        }
        let mut row = Row {
            function: name.clone(),
            allowed: function.actions.len(),
            used: 0,
            listed: 0,
        };
        for action in &function.actions {
            let key = (name.clone(), action.clone());
            if used.contains(action.as_str()) {
                row.used += 1;
            } else if list.unused.contains_key(&key) {
                row.listed += 1;
                needed.insert(key);
            } else if list.rare.contains_key(&key) {
                row.listed += 1;
            } else {
                problems.push(format!(
                    "{name} may {action} and never did; take it away, or say in list.json why it is needed"
                ));
            }
        }
        rows.push(row);
    }
    let idle = list.unused.keys().filter(|key| !needed.contains(*key));
    problems.extend(idle.map(|(name, action)| {
        format!("list.json: unused: {action} of {name} was used, or is not allowed any more")
    }));
    let is_allowed = |(name, action): &&(String, String)| {
        let function = functions.get(name);
        function.is_some_and(|function| function.actions.contains(action))
    };
    let gone = list.rare.keys().filter(|key| !is_allowed(key));
    problems.extend(
        gone.map(|(name, action)| format!("list.json: rare: {action} of {name} is not allowed any more")),
    );
    let seen = |entry: &(String, String)| {
        uses.iter()
            .any(|one| !one.allowed && one.action == entry.0 && one.resource.ends_with(&entry.1))
    };
    let never = list.refused.iter().filter(|entry| !seen(entry));
    problems.extend(
        never.map(|(action, end)| format!("list.json: refused: {action} on {end} was never refused")),
    );
    Found { rows, problems }
}

/// Whether a test sees to it that this is refused.
fn on_purpose(one: &Use, list: &List) -> bool {
    list.refused
        .iter()
        .any(|(action, end)| one.action == *action && one.resource.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(actions: &[&str]) -> BTreeMap<String, Function> {
        let function = Function {
            role: "WakeRole".to_owned(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        };
        BTreeMap::from([("wake".to_owned(), function)])
    }

    fn used(action: &str, allowed: bool) -> Use {
        Use {
            role: "WakeRole".to_owned(),
            action: action.to_owned(),
            resource: "arn:aws:ecs:r:a:service/dev/web".to_owned(),
            allowed,
        }
    }

    fn listed(actions: &[&str]) -> List {
        let entry = |action: &&str| (("wake".to_owned(), (*action).to_owned()), "why".to_owned());
        List {
            unused: actions.iter().map(entry).collect(),
            ..List::default()
        }
    }

    #[test]
    fn what_is_used_or_listed_is_no_problem_and_is_counted() {
        let found = compare(
            &functions(&["ecs:UpdateService", "logs:PutLogEvents"]),
            &[used("ecs:UpdateService", true)],
            &listed(&["logs:PutLogEvents"]),
        );
        assert_eq!(found.problems, [""; 0]);
        let row = Row {
            function: "wake".to_owned(),
            allowed: 2,
            used: 1,
            listed: 1,
        };
        assert_eq!(found.rows, [row]);
    }

    #[test]
    fn what_is_missing_is_found() {
        let found = compare(
            &functions(&["ecs:UpdateService"]),
            &[used("ecs:UpdateService", true), used("ecs:StopTask", false)],
            &List::default(),
        );
        assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
        assert!(found.problems[0].contains("wake was refused ecs:StopTask"));
    }

    #[test]
    fn what_is_used_without_a_policy_that_allows_it_is_found() {
        let found = compare(&functions(&[]), &[used("ecs:StopTask", true)], &List::default());
        assert!(
            found.problems.len() == 1 && found.problems[0].contains("which no policy of it allows"),
            "{:?}",
            found.problems
        );
    }

    #[test]
    fn what_is_unused_is_found_and_others_do_not_use_it_in_its_place() {
        let by_another = Use {
            role: "AutoSleepRole".to_owned(),
            ..used("ecs:UpdateService", true)
        };
        let found = compare(
            &functions(&["ecs:UpdateService"]),
            &[by_another],
            &List::default(),
        );
        assert!(
            found.problems.len() == 1
                && found.problems[0].contains("wake may ecs:UpdateService and never did"),
            "{:?}",
            found.problems
        );
    }

    #[test]
    fn an_entry_of_the_list_that_is_not_needed_is_found() {
        for actions in [&["ecs:UpdateService"][..], &[]] {
            let uses: Vec<Use> = actions.iter().map(|action| used(action, true)).collect();
            let found = compare(&functions(actions), &uses, &listed(&["ecs:UpdateService"]));
            assert!(
                found.problems.len() == 1 && found.problems[0].starts_with("list.json: unused"),
                "{:?}",
                found.problems
            );
        }
    }

    #[test]
    fn what_is_used_now_and_then_may_be_used_or_not_and_must_be_allowed() {
        let list = List {
            rare: listed(&["ecs:UpdateService"]).unused,
            ..List::default()
        };
        let functions_that_may = functions(&["ecs:UpdateService"]);
        for uses in [&[][..], &[used("ecs:UpdateService", true)]] {
            assert_eq!(compare(&functions_that_may, uses, &list).problems, [""; 0]);
        }
        let found = compare(&functions(&[]), &[], &list);
        assert!(
            found.problems.len() == 1 && found.problems[0].starts_with("list.json: rare"),
            "{:?}",
            found.problems
        );
    }

    #[test]
    fn a_refusal_that_a_test_asks_for_must_come_and_is_no_problem() {
        let mut list = List::default();
        list.refused
            .insert(("ecs:UpdateService".to_owned(), "service/dev/web".to_owned()));
        let functions = functions(&["ecs:UpdateService"]);
        let both = [used("ecs:UpdateService", true), used("ecs:UpdateService", false)];
        assert_eq!(compare(&functions, &both, &list).problems, [""; 0]);
        let found = compare(&functions, &both[..1], &list);
        assert!(
            found.problems.len() == 1 && found.problems[0].contains("was never refused"),
            "{:?}",
            found.problems
        );
    }
}
