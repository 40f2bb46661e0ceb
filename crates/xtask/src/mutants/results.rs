//! What became of each mutant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A test failed.
    Caught,
    /// A test did not end, which would be noticed too.
    Timeout,
    /// It does not compile.
    Unviable,
    /// No test noticed.
    Missed,
}

/// Each with the name of cargo-mutants' list of those.
const LISTS: [(&str, Outcome); 4] = [
    ("caught", Outcome::Caught),
    ("timeout", Outcome::Timeout),
    ("unviable", Outcome::Unviable),
    ("missed", Outcome::Missed),
];

/// Mutants by cargo-mutants' names for them (`file:line:column: change`), over several runs.
#[derive(Debug, Default)]
pub(super) struct Results(BTreeMap<String, Outcome>);

impl Results {
    /// What [`Results::write`] wrote, if anything.
    pub(super) fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let lists: BTreeMap<String, Vec<String>> = serde_json::from_str(&text)
            .with_context(|| format!("{} is not as it was written", file.display()))?;
        let mut results = Self::default();
        for (list, names) in lists {
            let Some((_, outcome)) = LISTS.iter().find(|(name, _)| *name == list) else {
                bail!("{}: what is {list:?}?", file.display());
            };
            results.0.extend(names.into_iter().map(|name| (name, *outcome)));
        }
        Ok(results)
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let lists: BTreeMap<&str, Vec<&String>> = LISTS
            .iter()
            .map(|(list, outcome)| (*list, self.of(*outcome).collect()))
            .collect();
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let text = serde_json::to_string_pretty(&lists).context("names are texts")?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }

    /// Adds what the run in `folder` has shown so far. What it tried again counts as it says.
    pub(super) fn add(&mut self, folder: &Path) -> Result<()> {
        for (list, outcome) in LISTS {
            let file = folder.join(format!("{list}.txt"));
            if file.exists() {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                self.0.extend(text.lines().map(|name| (name.to_owned(), outcome)));
            }
        }
        Ok(())
    }

    /// Forgets all but these.
    pub(super) fn retain(&mut self, names: &BTreeSet<String>) {
        self.0.retain(|name, _| names.contains(name));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of those that ended so.
    pub(super) fn of(&self, outcome: Outcome) -> impl Iterator<Item = &String> {
        self.0
            .iter()
            .filter_map(move |(name, own)| (*own == outcome).then_some(name))
    }

    /// Whether any mutant of a file was tried.
    pub(super) fn has_tried(&self, file: &str) -> bool {
        self.0.keys().any(|name| name.split(':').next() == Some(file))
    }

    /// The score of each folder of core, and of all.
    pub(super) fn table(&self) -> String {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut all = Row::default();
        for (name, outcome) in &self.0 {
            let row = rows.entry(part(name)).or_default();
            row.count(*outcome);
            all.count(*outcome);
        }
        let mut text = format!(
            "{:<14} {:>7} {:>9} {:>7} {:>7} {:>9} {:>7}\n",
            "part", "mutants", "noticed", "hung", "missed", "unviable", "score"
        );
        for (part, row) in rows.iter().map(|(part, row)| (part.as_str(), row)) {
            row.line(part, &mut text);
        }
        all.line("all", &mut text);
        text
    }
}

/// The folder or file right below core's `src`.
fn part(name: &str) -> String {
    let file = name.split(':').next().unwrap_or(name);
    let below = file.strip_prefix("crates/core/src/").unwrap_or(file);
    let first = below.split('/').next().unwrap_or(below);
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

#[derive(Default)]
struct Row {
    caught: usize,
    timeout: usize,
    unviable: usize,
    missed: usize,
}

impl Row {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Caught => self.caught += 1,
            Outcome::Timeout => self.timeout += 1,
            Outcome::Unviable => self.unviable += 1,
            Outcome::Missed => self.missed += 1,
        }
    }

    fn line(&self, part: &str, text: &mut String) {
        let noticed = self.caught + self.timeout;
        let viable = noticed + self.missed;
        // A thousandth less is not 100 %.
        let score = match noticed * 1000 / viable.max(1) {
            _ if viable == 0 => "-".to_owned(),
            mills => format!("{}.{} %", mills / 10, mills % 10),
        };
        let _ = writeln!(
            text,
            "{part:<14} {:>7} {:>9} {:>7} {:>7} {:>9} {score:>7}",
            viable + self.unviable,
            self.caught,
            self.timeout,
            self.missed,
            self.unviable
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("dormouse-mutants-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_later_run_counts_and_what_it_left_out_stays() {
        let folder = folder("later");
        let file = folder.join("results.json");
        std::fs::write(folder.join("caught.txt"), "crates/core/src/a/b.rs:1:2: one\n").unwrap();
        std::fs::write(
            folder.join("missed.txt"),
            "crates/core/src/a.rs:1:2: two\ncrates/core/src/c.rs:3:4: three\n",
        )
        .unwrap();
        let mut results = Results::default();
        results.add(&folder).unwrap();
        results.write(&file).unwrap();

        let mut results = Results::read(&file).unwrap();
        std::fs::write(folder.join("caught.txt"), "crates/core/src/a.rs:1:2: two\n").unwrap();
        std::fs::write(folder.join("missed.txt"), "").unwrap();
        std::fs::write(folder.join("unviable.txt"), "crates/core/src/c.rs:3:9: four\n").unwrap();
        results.add(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();

        let missed: Vec<_> = results.of(Outcome::Missed).collect();
        assert_eq!(missed, ["crates/core/src/c.rs:3:4: three"]);
        assert!(results.has_tried("crates/core/src/a.rs") && !results.has_tried("crates/core/src/b.rs"));
        assert_eq!(
            results.table(),
            "part           mutants   noticed    hung  missed  unviable   score\n\
             a                    2         2       0       0         0 100.0 %\n\
             c                    2         0       0       1         1   0.0 %\n\
             all                  4         2       0       1         1  66.6 %\n"
        );

        results.retain(&BTreeSet::from(["crates/core/src/a.rs:1:2: two".to_owned()]));
        assert!(
            results
                .table()
                .ends_with("all                  1         1       0       0         0 100.0 %\n")
        );
    }
}
