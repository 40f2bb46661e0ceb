//! What the template allows too broadly, to whomever: actions with wildcards, and every resource without a reason.

use std::collections::BTreeSet;

use serde_json::Value;

use super::list::List;

/// The problems of all roles and policies, and entries of the list that explain nothing any more.
pub(crate) fn problems(template: &Value, list: &List) -> Vec<String> {
    let mut found = Vec::new();
    let mut explained = BTreeSet::new();
    for (name, statement) in allowed(template) {
        if !statement["NotAction"].is_null() || !statement["NotResource"].is_null() {
            found.push(format!(
                "template.yaml: {name} allows all but something; it must name what it allows"
            ));
        }
        let everywhere = strings(&statement["Resource"]).contains(&"*");
        for action in strings(&statement["Action"]) {
            if action.contains(['*', '?']) {
                found.push(format!(
                    "template.yaml: {name} allows {action}; it must name each action"
                ));
            } else if everywhere && !list.everywhere.contains_key(action) {
                found.push(format!(
                    "template.yaml: {name} allows {action} on every resource; limit it, or say in list.json why AWS \
                     cannot"
                ));
            } else if everywhere {
                explained.insert(action);
            }
        }
    }
    let idle = list.everywhere.keys();
    found.extend(
        idle.filter(|action| !explained.contains(action.as_str()))
            .map(|action| format!("list.json: nothing allows {action} on every resource any more")),
    );
    found
}

/// All statements of roles and policies that allow, with the names of these.
fn allowed(template: &Value) -> Vec<(&str, &Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let policies = resources.filter(|(_, resource)| {
        resource["Type"] == "AWS::IAM::Role" || resource["Type"] == "AWS::IAM::ManagedPolicy"
    });
    policies
        .flat_map(|(name, resource)| {
            let properties = &resource["Properties"];
            let inline = properties["Policies"].as_array().into_iter().flatten();
            let documents = inline
                .map(|policy| &policy["PolicyDocument"])
                .chain([&properties["PolicyDocument"]]);
            documents
                .flat_map(statements)
                .map(move |statement| (name.as_str(), statement))
        })
        .collect()
}

/// The statements of a policy document that allow.
pub(super) fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    let statements = document["Statement"].as_array().into_iter().flatten();
    statements.filter(|statement| statement["Effect"] == "Allow")
}

/// A string, or the strings of a list.
pub(super) fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(action: &str, resource: &str, listed: &[&str]) -> Vec<String> {
        let template = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [
            {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": [action], "Resource": resource}]}},
        ]}}}});
        let mut list = List::default();
        for action in listed {
            list.everywhere
                .insert((*action).to_owned(), "It has no resources.".to_owned());
        }
        problems(&template, &list)
    }

    #[test]
    fn every_resource_needs_a_reason() {
        let arn = "arn:aws:ecs:r:a:service/c/s";
        assert_eq!(found("ecs:UpdateService", arn, &[]), [""; 0]);
        let unexplained = found("ecs:UpdateService", "*", &[]);
        assert!(
            unexplained.len() == 1
                && unexplained[0].contains("Role allows ecs:UpdateService on every resource"),
            "{unexplained:?}"
        );
        assert_eq!(found("tag:GetResources", "*", &["tag:GetResources"]), [""; 0]);
    }

    #[test]
    fn a_wildcard_in_an_action_fails_wherever_it_is_allowed() {
        for action in ["*", "ecs:*", "ecs:Describe*", "ecs:UpdateServic?"] {
            let found = found(action, "arn:aws:ecs:r:a:service/c/s", &[]);
            assert!(
                found.len() == 1 && found[0].contains("must name each action"),
                "{action}: {found:?}"
            );
        }
    }

    #[test]
    fn a_reason_that_explains_nothing_any_more_fails() {
        let found = found("ecs:UpdateService", "arn", &["tag:GetResources"]);
        assert!(
            found.len() == 1 && found[0].contains("nothing allows tag:GetResources"),
            "{found:?}"
        );
    }

    #[test]
    fn all_but_something_is_too_much() {
        let template = json!({"Resources": {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "arn"}]},
        }}}});
        assert!(problems(&template, &List::default())[0].contains("Policy allows all but"));
    }
}
