//! Mutants that no test needs to notice, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::results::{Outcome, Results};
use crate::listed;
use crate::repo::Repo;

/// `mutants/survivors.json`: file and change, without line and column, which move, and the reason.
#[derive(Debug)]
pub(super) struct Survivors(BTreeMap<String, String>);

impl Survivors {
    /// The committed list.
    pub(super) fn of(repo: &Repo) -> Result<Self> {
        let path = repo.root.join("crates/xtask/mutants/survivors.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::read(&text).context("crates/xtask/mutants/survivors.json")
    }

    fn read(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text).context("it is not JSON")?;
        let mut all = BTreeMap::new();
        for entry in json.as_array().context("it must be a list")? {
            let reason = listed::text(entry, "reason")?;
            for name in listed::texts(entry, "mutants")? {
                if all.insert(name.to_owned(), reason.to_owned()).is_some() {
                    bail!("{name} is there twice");
                }
            }
        }
        Ok(Self(all))
    }

    /// Survivors without a reason, and reasons without a survivor.
    pub(super) fn problems(&self, results: &Results) -> Vec<String> {
        let missed: BTreeSet<String> = results.of(Outcome::Missed).map(|name| lasting(name)).collect();
        let mut problems: Vec<String> = results
            .of(Outcome::Missed)
            .filter(|name| !self.0.contains_key(&lasting(name)))
            .map(|name| format!("no test notices: {name}"))
            .collect();
        let idle = self.0.keys().filter(|name| {
            let file = name.split(':').next().unwrap_or(name);
            results.has_tried(file) && !missed.contains(*name)
        });
        problems.extend(idle.map(|name| format!("survivors.json names what does not survive: {name}")));
        problems
    }
}

/// A name without the line and column: `file: change`.
fn lasting(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(change)) => format!("{file}:{change}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_needs_a_reason_and_a_reason_a_survivor() {
        let folder = std::env::temp_dir().join(format!("dormouse-survivors-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("missed.txt"),
            "crates/core/src/a.rs:10:2: replace + with - in f\ncrates/core/src/a.rs:11:2: replace g -> bool with true\n",
        )
        .unwrap();
        let mut results = Results::default();
        results.add(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let list = r#"[{"reason": "the same", "mutants": [
            "crates/core/src/a.rs: replace + with - in f",
            "crates/core/src/a.rs: replace gone",
            "crates/core/src/untried.rs: replace x"]}]"#;
        assert_eq!(
            Survivors::read(list).unwrap().problems(&results),
            [
                "no test notices: crates/core/src/a.rs:11:2: replace g -> bool with true",
                "survivors.json names what does not survive: crates/core/src/a.rs: replace gone"
            ]
        );
    }

    #[test]
    fn a_list_without_reasons_is_refused() {
        for wrong in [
            "{}",
            r#"[{"mutants": ["a"]}]"#,
            r#"[{"reason": " ", "mutants": ["a"]}]"#,
            r#"[{"reason": "x", "mutants": []}]"#,
            r#"[{"reason": "x", "mutants": ["a", "a"]}]"#,
        ] {
            assert!(Survivors::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_committed_list_can_be_read() {
        let text = include_str!("../../mutants/survivors.json");
        Survivors::read(text).unwrap();
    }
}
