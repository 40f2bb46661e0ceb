//! Bills of materials: which crates, in which versions, are in each function. CycloneDX JSON, the same for the same
//! Cargo.lock on every machine, so that they can be attached to a release and compared.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo_tools::{self, CYCLONEDX};
use crate::progress::step;
use crate::repo::Repo;
use crate::{interrupt, parts};

const HELP: &str = "\
cargo xtask sbom

Writes a bill of materials (CycloneDX 1.5, JSON) for each function to target/sbom/<function>.cdx.json, and prints their
paths: all crates that it is made from for Lambda's Arm processors, with version, licence and checksum. The functions
are programs of one package, so each bill names the crates of all. The same Cargo.lock gives the same files.
";

/// The functions, as the template names their binaries.
const FUNCTIONS: [&str; 5] = [
    "auto-sleep",
    "log-pattern-trigger",
    "scaling-decision",
    "session-metric-ingest",
    "wake",
];
/// The package that they are programs of.
const PACKAGE: &str = "dormouse-lambda";
/// What they run on unless somebody asks for something else.
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// `cargo xtask sbom`.
pub(crate) fn run(args: Vec<OsString>) -> Result<ExitCode> {
    match args.first().and_then(|first| first.to_str()) {
        None if args.is_empty() => {}
        Some("--help" | "-h") => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        _ => bail!("invalid argument {:?}; see `cargo xtask sbom --help`", args[0]),
    }
    interrupt::listen()?;
    let repo = Repo::find()?;
    for path in write(&repo, &repo.target().join("sbom"))? {
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes them, and compares them with what cargo says itself, and with a second time.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    cargo_tools::install(repo, &[CYCLONEDX])?;
    step("write bills of materials", || {
        let written = write(repo, &repo.target().join("sbom"))?;
        let again = write(repo, &repo.target().join("sbom-again"))?;
        let crates = tree(repo)?;
        for (path, again) in written.iter().zip(&again) {
            let text = read(path)?;
            if text != read(again)? {
                bail!("{} is not the same as {}", path.display(), again.display());
            }
            let missing = missing(&crates, &text)?;
            if !missing.is_empty() {
                bail!("{} does not name {}", path.display(), missing.join(", "));
            }
        }
        Ok(())
    })
}

/// Writes the bill of each function into a directory, in the order of [`FUNCTIONS`].
fn write(repo: &Repo, directory: &Path) -> Result<Vec<PathBuf>> {
    cargo_tools::install(repo, &[CYCLONEDX])?;
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let mut cyclonedx = CYCLONEDX.command(repo);
    cyclonedx
        .args([
            "cyclonedx",
            "--quiet",
            "--format",
            "json",
            "--spec-version",
            "1.5",
        ])
        .args(["--describe", "binaries", "--no-build-deps", "--target", TARGET])
        // Else the time is in it, and a number that is never the same.
        .env("SOURCE_DATE_EPOCH", "0");
    let made = parts::run("cargo cyclonedx", cyclonedx, None);
    // It can write only beside the manifests, and does so for every package with a binary.
    let files = beside_manifests(&repo.root)?;
    let result = made.and_then(|()| {
        let bill = |function: &&str| {
            let name = format!("{function}_bin.cdx.json");
            let file = files.iter().find(|file| file.ends_with(&name));
            let file = file.with_context(|| format!("cargo cyclonedx wrote no {name}"))?;
            let path = directory.join(format!("{function}.cdx.json"));
            let text = anywhere(&read(file)?, &repo.root);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(path)
        };
        FUNCTIONS.iter().map(bill).collect()
    });
    for file in files {
        let _ = std::fs::remove_file(file);
    }
    result
}

fn beside_manifests(root: &Path) -> Result<Vec<PathBuf>> {
    let crates = std::fs::read_dir(root.join("crates")).context("cannot read crates")?;
    let mut files = Vec::new();
    for package in crates {
        let package = package.context("cannot read crates")?.path();
        let entries =
            std::fs::read_dir(&package).with_context(|| format!("cannot read {}", package.display()))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        files.extend(paths.filter(|path| path.to_string_lossy().ends_with(".cdx.json")));
    }
    Ok(files)
}

/// The text without the place of this checkout.
fn anywhere(text: &str, root: &Path) -> String {
    text.replace(
        &format!("path+file://{}", root.display()),
        "path+file:///dormouse",
    )
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// All crates that cargo makes the functions from besides their own package, as `name version`.
fn tree(repo: &Repo) -> Result<BTreeSet<String>> {
    let mut command = Command::new("cargo");
    command
        .current_dir(&repo.root)
        .args([
            "tree",
            "--locked",
            "--package",
            PACKAGE,
            "--target",
            TARGET,
            "--edges",
            "normal",
        ])
        .args(["--prefix", "none", "--format", "{p}"]);
    let mut names = crates(&parts::text("cargo tree", command)?);
    names.retain(|name| !name.starts_with(PACKAGE));
    if names.len() < 50 {
        bail!("cargo tree names only {} crates of {PACKAGE}", names.len());
    }
    Ok(names)
}

/// Reads lines such as `serde v1.0.0 (proc-macro)`.
fn crates(listing: &str) -> BTreeSet<String> {
    let one = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split(' ').next()?))
    };
    listing.lines().filter_map(one).collect()
}

/// The crates that a bill does not name.
fn missing(crates: &BTreeSet<String>, bill: &str) -> Result<Vec<String>> {
    let bill: Value = serde_json::from_str(bill).context("a bill of materials is not JSON")?;
    let components = bill["components"]
        .as_array()
        .context("a bill of materials has no components")?;
    let named: BTreeSet<String> = components
        .iter()
        .chain([&bill["metadata"]["component"]])
        .filter_map(|component| {
            Some(format!(
                "{} {}",
                component["name"].as_str()?,
                component["version"].as_str()?
            ))
        })
        .collect();
    Ok(crates.difference(&named).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_a_bill_does_not_name_is_found() {
        let bill = r#"{"metadata": {"component": {"name": "wake", "version": "0.1.0"}},
            "components": [{"name": "serde", "version": "1.0.1"}, {"name": "http", "version": "1.0.0"}]}"#;
        let listing = "wake v0.1.0 (/x/crates/wake)\nserde v1.0.1\nserde v1.0.1 (*)\nhttp v0.2.0\nhttp v1.0.0 (proc-macro)\n";
        assert_eq!(missing(&crates(listing), bill).expect("a bill"), ["http 0.2.0"]);
    }

    #[test]
    fn a_bill_does_not_tell_where_it_was_made() {
        let text = anywhere(
            "\"path+file:///home/me/dormouse/crates/aws#1\"",
            Path::new("/home/me/dormouse"),
        );
        assert_eq!(text, "\"path+file:///dormouse/crates/aws#1\"");
    }

    /// Else a new function would have none.
    #[test]
    fn every_function_of_the_template_has_a_bill() {
        let template = include_str!("../../../template.yaml");
        let binaries = template.lines().filter_map(|line| line.split_once("{ Binary: "));
        let binaries: BTreeSet<&str> = binaries.filter_map(|(_, rest)| rest.split(' ').next()).collect();
        assert_eq!(binaries, BTreeSet::from(FUNCTIONS));
    }
}
