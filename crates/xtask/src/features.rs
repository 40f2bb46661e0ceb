//! One feature set for functions and tests.
//!
//! Tests may turn on features (through dev-dependencies) that the functions' builds do not have. In a
//! crate that the AWS SDK stands on, that means compiling the SDK twice, minutes instead of seconds, and
//! nobody notices which line did it. So it is an error, with the crate's name.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Result, bail};

use crate::parts;
use crate::repo::Repo;

/// The package whose dependencies are too dear to be compiled twice.
const DEAR: &str = "dormouse-aws";

/// Compares what cargo resolves with and without dev-dependencies.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let functions = tree(repo, &["--workspace", "--edges", "normal,build"])?;
    let tests = tree(repo, &["--workspace", "--edges", "normal,build,dev"])?;
    let dear = tree(repo, &["--package", DEAR, "--edges", "normal"])?
        .into_keys()
        .collect();
    let found = differences(&functions, &tests, &dear);
    if !found.is_empty() {
        bail!(
            "dev-dependencies change features below the AWS SDK, which is then compiled twice; name these \
             features in [workspace.dependencies] or turn them off:\n  {}",
            found.join("\n  ")
        );
    }
    Ok(())
}

/// Feature sets by package and version: more than one where build scripts use it differently.
type Features = BTreeMap<String, BTreeSet<String>>;

/// What cargo resolves for the one target that is built.
fn tree(repo: &Repo, what: &[&str]) -> Result<Features> {
    let mut command = Command::new("cargo");
    command
        .current_dir(&repo.root)
        .args([
            "tree", "--target", &repo.host, "--prefix", "none", "--format", "{p}\t{f}",
        ])
        .args(what);
    Ok(parse(&parts::text("cargo tree", command)?))
}

/// Reads `package<tab>features`; what was listed before ends with ` (*)`.
fn parse(listing: &str) -> Features {
    let mut features = Features::new();
    for (package, set) in listing.lines().filter_map(|line| line.split_once('\t')) {
        let set = set.trim_end_matches("(*)").trim_end();
        features
            .entry(package.to_owned())
            .or_default()
            .insert(set.to_owned());
    }
    features
}

fn differences(functions: &Features, tests: &Features, dear: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (package, sets) in functions.iter().filter(|(package, _)| dear.contains(*package)) {
        for other in tests
            .get(package)
            .into_iter()
            .flatten()
            .filter(|other| !sets.contains(*other))
        {
            found.push(format!(
                "{package}: tests have [{other}], functions only {sets:?}"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(pairs: &[(&str, &str)]) -> Features {
        pairs
            .iter()
            .map(|(package, set)| ((*package).to_owned(), BTreeSet::from([(*set).to_owned()])))
            .collect()
    }

    #[test]
    fn a_package_that_is_listed_again_is_the_same_package() {
        let listing = "tokio v1\trt\nbytes v1\t\ntokio v1\trt (*)\nbytes v1\t (*)\n";
        assert_eq!(parse(listing), features(&[("tokio v1", "rt"), ("bytes v1", "")]));
    }

    #[test]
    fn only_dear_crates_whose_features_differ_are_named() {
        let functions = features(&[("tokio v1", "rt"), ("regex v1", ""), ("http v1", "std")]);
        let tests = features(&[
            ("tokio v1", "rt,test-util"),
            ("regex v1", "unicode"),
            ("http v1", "std"),
            ("insta v1", ""),
        ]);
        let dear = ["tokio v1", "http v1"].map(str::to_owned).into();
        assert_eq!(
            differences(&functions, &tests, &dear),
            [r#"tokio v1: tests have [rt,test-util], functions only {"rt"}"#]
        );
    }
}
