//! What the functions did: the decisions of IAM about their roles, as the two parts of the local stack wrote them down.
//!
//! MiniStack's own record of calls has no roles, so `python/stack.py` writes what its IAM decided, line by line, and
//! fargate-sim tells what it asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{aws, deploy, http};

/// An action of a role of the template, on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    /// The role's name in the template.
    pub(super) role: String,
    pub(super) action: String,
    pub(super) resource: String,
    /// Whether IAM allowed it.
    pub(super) allowed: bool,
}

/// Where the trail of a stack is kept.
pub(crate) fn file(directory: &Path) -> PathBuf {
    directory.join("trail.json")
}

/// Where MiniStack writes its part.
pub(crate) fn ministack_file(directory: &Path) -> PathBuf {
    directory.join("ministack-trail.jsonl")
}

/// Puts together what both parts of a running stack saw, by the names of the roles in its template.
pub(crate) fn keep(directory: &Path, stack: &str, sim: &str) -> Result<()> {
    let path = ministack_file(directory);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut told: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display())))
        .collect::<Result<_>>()?;
    let answer = http::get(&format!("{sim}/_sim/trail"), &[])?.json()?;
    told.extend(
        answer["uses"]
            .as_array()
            .context("no trail of fargate-sim")?
            .clone(),
    );
    let roles = aws::stack_resources(stack, deploy::STACK)?;
    let uses = uses(&told, &roles);
    let json: Vec<Value> = uses
        .iter()
        .map(|one| {
            json!({"role": one.role, "action": one.action, "resource": one.resource, "allowed": one.allowed})
        })
        .collect();
    let file = file(directory);
    std::fs::write(&file, format!("{:#}\n", Value::from(json)))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Those of the stack's own roles; `roles` are their names in the template, by the names that they have.
fn uses(told: &[Value], roles: &BTreeMap<String, String>) -> BTreeSet<Use> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |one: &Value| {
        let session = text(&one["principal"]);
        let (_, rest) = session.split_once(":assumed-role/")?;
        Some(Use {
            role: roles.get(rest.split('/').next()?)?.clone(),
            action: text(&one["action"]),
            resource: text(&one["resource"]),
            allowed: one["allowed"] == true,
        })
    };
    told.iter().filter_map(read).collect()
}

/// Reads what [`keep`] wrote.
pub(super) fn read(file: &Path) -> Result<Vec<Use>> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "cannot read {}; a whole `cargo xtask test` writes it",
            file.display()
        )
    })?;
    let json: Vec<Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is no list", file.display()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(json
        .iter()
        .map(|one| Use {
            role: text(&one["role"]),
            action: text(&one["action"]),
            resource: text(&one["resource"]),
            allowed: one["allowed"] == true,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_told_by_the_roles_of_the_template_each_once() {
        let told = |role: &str| {
            json!({"principal": format!("arn:aws:sts::0:assumed-role/{role}/dormouse-wake"),
                "action": "ecs:ListTasks", "resource": "*", "allowed": true})
        };
        let roles = BTreeMap::from([("dormouse-WakeRole-1X".to_owned(), "WakeRole".to_owned())]);
        let told = [
            told("dormouse-WakeRole-1X"),
            told("of-a-test"),
            told("dormouse-WakeRole-1X"),
        ];
        let expected = Use {
            role: "WakeRole".to_owned(),
            action: "ecs:ListTasks".to_owned(),
            resource: "*".to_owned(),
            allowed: true,
        };
        assert_eq!(uses(&told, &roles), BTreeSet::from([expected]));
    }
}
