//! Which actions the policies of each function allow, whatever the stack's parameters are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::everywhere::{statements, strings};

/// A function's role, by its name in the template, and its policies' actions.
#[derive(Debug, PartialEq)]
pub(super) struct Function {
    pub(super) role: String,
    pub(super) actions: BTreeSet<String>,
}

/// All functions of a transformed template, by the names of their binaries.
pub(super) fn functions(template: &Value) -> Result<BTreeMap<String, Function>> {
    let resources = template["Resources"].as_object().context("no resources")?;
    let mut functions = BTreeMap::new();
    for (id, resource) in resources {
        if resource["Type"] != "AWS::Lambda::Function" {
            continue;
        }
        let role = resource["Properties"]["Role"]["Fn::GetAtt"][0].as_str();
        let role = role.with_context(|| format!("{id} has no role of this template"))?;
        let actions = actions(resources, role)?;
        functions.insert(
            kebab(id.strip_suffix("Function").unwrap_or(id)),
            Function {
                role: role.to_owned(),
                actions,
            },
        );
    }
    if functions.is_empty() {
        bail!("the template has no functions");
    }
    Ok(functions)
}

fn actions(resources: &serde_json::Map<String, Value>, role: &str) -> Result<BTreeSet<String>> {
    let properties = &resources
        .get(role)
        .with_context(|| format!("there is no {role}"))?["Properties"];
    let mut documents: Vec<&Value> = properties["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|policy| &policy["PolicyDocument"])
        .collect();
    let mut policies = BTreeSet::new();
    references(&properties["ManagedPolicyArns"], &mut policies);
    for (id, resource) in resources {
        if resource["Type"] == "AWS::IAM::ManagedPolicy" {
            let mut roles = BTreeSet::new();
            references(&resource["Properties"]["Roles"], &mut roles);
            if roles.contains(role) || policies.contains(id.as_str()) {
                documents.push(&resource["Properties"]["PolicyDocument"]);
            }
        }
    }
    let actions = documents.into_iter().flat_map(statements);
    Ok(actions
        .flat_map(|statement| strings(&statement["Action"]))
        .map(str::to_owned)
        .collect())
}

/// The names in all `Ref`s, also those behind a condition. Policies of AWS's own have none: `vpc` checks the only one.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, below) in fields {
                match below.as_str() {
                    Some(name) if key == "Ref" => {
                        found.insert(name);
                    }
                    _ => references(below, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// `AutoSleep` as `auto-sleep`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(action: &str) -> Value {
        json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "arn"},
            {"Effect": "Deny", "Action": ["x:Denied"], "Resource": "arn"}]})
    }

    #[test]
    fn a_function_may_do_what_its_own_its_attached_and_its_conditional_policies_allow() {
        let managed = |action: &str, roles: Value| {
            json!({"Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": policy(action), "Roles": roles}})
        };
        let template = json!({"Resources": {
            "AutoSleepFunction": {"Type": "AWS::Lambda::Function",
                "Properties": {"Role": {"Fn::GetAtt": ["AutoSleepRole", "Arn"]}}},
            "AutoSleepRole": {"Type": "AWS::IAM::Role", "Properties": {
                "Policies": [{"PolicyDocument": policy("x:Own")}],
                "ManagedPolicyArns": [{"Fn::If": ["Has", {"Ref": "Conditional"}, {"Ref": "AWS::NoValue"}]}]}},
            "Conditional": managed("x:Conditional", json!(null)),
            "Attached": managed("x:Attached", json!([{"Ref": "AutoSleepRole"}])),
            "OfOthers": managed("x:Others", json!([{"Ref": "WakeRole"}])),
        }});
        let functions = functions(&template).expect("functions");
        let actions: Vec<&str> = functions["auto-sleep"]
            .actions
            .iter()
            .map(String::as_str)
            .collect();
        assert_eq!(actions, ["x:Attached", "x:Conditional", "x:Own"]);
        assert_eq!(functions["auto-sleep"].role, "AutoSleepRole");
    }
}
