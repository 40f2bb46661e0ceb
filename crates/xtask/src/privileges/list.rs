//! What is allowed although it is not used, or on every resource, or refused on purpose: each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::listed;
use crate::repo::Repo;

/// `privileges/list.json`.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// Functions and their actions that the local stack cannot exercise, with why they are needed.
    pub(super) unused: BTreeMap<(String, String), String>,
    /// Functions and their actions that the tests use only if a race goes one way, with which race that is.
    pub(super) rare: BTreeMap<(String, String), String>,
    /// Actions that know no resources, with AWS's word for it.
    pub(super) everywhere: BTreeMap<String, String>,
    /// Actions, and the end of the ARNs on which tests see them refused.
    pub(super) refused: BTreeSet<(String, String)>,
}

impl List {
    /// The committed list.
    pub(crate) fn of(repo: &Repo) -> Result<Self> {
        let path = repo.root.join("crates/xtask/privileges/list.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::read(&text).context("crates/xtask/privileges/list.json")
    }

    pub(super) fn read(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text).context("it is not JSON")?;
        let mut list = Self::default();
        for (name, part) in [("unused", &mut list.unused), ("rare", &mut list.rare)] {
            for entry in entries(&json, name)? {
                let reason = listed::text(entry, "reason")?;
                for function in listed::texts(entry, "functions")? {
                    for action in listed::texts(entry, "actions")? {
                        let key = (function.to_owned(), action.to_owned());
                        if part.insert(key, reason.to_owned()).is_some() {
                            bail!("{name}: {action} of {function} is there twice");
                        }
                    }
                }
            }
        }
        if let Some((function, action)) = list.rare.keys().find(|key| list.unused.contains_key(*key)) {
            bail!("{action} of {function} is both unused and rare");
        }
        for entry in entries(&json, "everywhere")? {
            let reason = listed::text(entry, "reason")?;
            listed::text(entry, "source")?;
            for action in listed::texts(entry, "actions")? {
                if list
                    .everywhere
                    .insert(action.to_owned(), reason.to_owned())
                    .is_some()
                {
                    bail!("everywhere: {action} is there twice");
                }
            }
        }
        for entry in entries(&json, "refused")? {
            listed::text(entry, "reason")?;
            let (action, end) = (listed::text(entry, "action")?, listed::text(entry, "resource")?);
            list.refused.insert((action.to_owned(), end.to_owned()));
        }
        Ok(list)
    }
}

fn entries<'a>(json: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    json[name]
        .as_array()
        .with_context(|| format!("it must have a list `{name}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list() -> Value {
        json!({
            "unused": [{"functions": ["wake"], "actions": ["logs:PutLogEvents"], "reason": "Lambda writes logs."}],
            "rare": [{"functions": ["wake"], "actions": ["dynamodb:GetItem"], "reason": "A race."}],
            "everywhere": [{"actions": ["tag:GetResources"], "reason": "It has no resources.", "source": "https://…"}],
            "refused": [{"action": "ecs:UpdateService", "resource": "service/a/b", "reason": "A test."}],
        })
    }

    #[test]
    fn every_entry_has_a_reason_and_what_is_everywhere_a_source() {
        assert!(List::read(&list().to_string()).is_ok());
        for (part, field) in [
            ("unused", "reason"),
            ("rare", "reason"),
            ("everywhere", "reason"),
            ("everywhere", "source"),
            ("refused", "reason"),
        ] {
            let mut list = list();
            list[part][0][field] = json!(" ");
            let error = List::read(&list.to_string()).expect_err("it is refused");
            assert!(error.to_string().contains(field), "{error}");
        }
    }

    #[test]
    fn nothing_is_listed_twice() {
        for (part, what) in [("unused", "twice"), ("rare", "both unused and rare")] {
            let mut list = list();
            let again = list["unused"][0].clone();
            list[part].as_array_mut().expect("a list").push(again);
            let error = List::read(&list.to_string()).expect_err("it is refused");
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}
