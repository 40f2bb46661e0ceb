//! What the crates of others bring: licences, sources, banned and idle dependencies (`cargo xtask test`), and known
//! vulnerabilities (`cargo xtask advisories`, because the database lies where a build machine may not reach it).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::cargo_tools::{self, DENY, MACHETE};
use crate::progress::{say, step};
use crate::repo::Repo;
use crate::{interrupt, parts};

const HELP: &str = "\
cargo xtask advisories [--db <path>]

Compares Cargo.lock with the advisories of RustSec about vulnerable, unsound and unmaintained crates (cargo-deny). The
database is fetched from https://github.com/rustsec/advisory-db, or is the git repository <path>, a clone of that. It
fails if there is no database.
";

/// Where cargo-deny looks for RustSec's database below its `db-path`: a name made of its address.
const DATABASE: &str = "advisory-db-3157b0e258782691";

/// Licences, sources and banned crates by `deny.toml`, and dependencies that nothing uses.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    cargo_tools::install(repo, &[DENY, MACHETE])?;
    step("cargo deny check licenses bans sources", || {
        let mut deny = DENY.command(repo);
        deny.args(["--locked", "check", "--deny", "license-exception-not-encountered"])
            .args(["--hide-inclusion-graph", "licenses", "bans", "sources"]);
        parts::run("cargo deny", deny, None)
    })?;
    step("cargo machete", || {
        let mut machete = MACHETE.command(repo);
        machete.args(["--skip-target-dir", "."]);
        parts::run("cargo machete", machete, None)
    })
}

/// `cargo xtask advisories`.
pub(crate) fn advisories(args: Vec<OsString>) -> Result<ExitCode> {
    let database = match parse(args)? {
        Asked::Help => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Asked::Run { database } => database,
    };
    interrupt::listen()?;
    let repo = Repo::find()?;
    cargo_tools::install(&repo, &[DENY])?;
    // Apart, or what was given once would be taken for what is fetched.
    let kind = if database.is_some() { "given" } else { "fetched" };
    let databases = repo.target().join("tools/advisories").join(kind);
    if let Some(from) = &database {
        step("clone the advisories", || clone(from, &databases.join(DATABASE)))?;
    }
    let config = repo.target().join("tools/deny-advisories.toml");
    let text = std::fs::read_to_string(repo.root.join("deny.toml")).context("cannot read deny.toml")?;
    std::fs::write(&config, with_databases(&text, &databases)?)
        .with_context(|| format!("cannot write {}", config.display()))?;
    let mut deny = DENY.command(&repo);
    if database.is_some() {
        deny.arg("--offline");
    }
    deny.args(["--locked", "--config"])
        .arg(&config)
        .args(["check", "advisories"]);
    parts::run("cargo deny check advisories", deny, None)?;
    let date = newest(&databases.join(DATABASE))?;
    say(&format!(
        "no advisory of RustSec's database, as of {date}, concerns Cargo.lock"
    ));
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, PartialEq)]
enum Asked {
    Help,
    Run { database: Option<PathBuf> },
}

fn parse(args: Vec<OsString>) -> Result<Asked> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let mut database = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("db") => database = Some(PathBuf::from(parser.value()?)),
            Long("help") | Short('h') => return Ok(Asked::Help),
            other => return Err(other.unexpected()).context("see `cargo xtask advisories --help`"),
        }
    }
    Ok(Asked::Run { database })
}

fn clone(from: &Path, to: &Path) -> Result<()> {
    let from = from
        .canonicalize()
        .with_context(|| format!("there is no database {}", from.display()))?;
    // Of an earlier run, perhaps an older one.
    let _ = std::fs::remove_dir_all(to);
    let mut git = Command::new("git");
    git.args(["clone", "--quiet"]).arg(from).arg(to);
    parts::run("git clone", git, None)?;
    let advisories = to.join("crates");
    if !advisories.is_dir() {
        bail!(
            "there is no {}: that is no database of advisories",
            advisories.display()
        );
    }
    Ok(())
}

/// When the newest advisory was recorded, as a date.
fn newest(database: &Path) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(database)
        .args(["show", "--no-patch", "--format=%cs", "HEAD"])
        .output()
        .context("cannot run git")?;
    let date = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if date.is_empty() {
        bail!("there is no database in {}", database.display());
    }
    Ok(date)
}

/// The configuration with the place of the databases.
fn with_databases(config: &str, databases: &Path) -> Result<String> {
    const SECTION: &str = "[advisories]\n";
    let (before, after) = config
        .split_once(SECTION)
        .context("deny.toml has no section [advisories]")?;
    let place = serde_json::Value::from(databases.to_string_lossy().into_owned());
    Ok(format!("{before}{SECTION}db-path = {place}\n{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Asked, String> {
        parse(words.iter().map(OsString::from).collect()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_database_is_fetched_or_given() {
        assert_eq!(parse_words(&[]), Ok(Asked::Run { database: None }));
        let database = Some(PathBuf::from("/x/db"));
        assert_eq!(parse_words(&["--db", "/x/db"]), Ok(Asked::Run { database }));
        assert_eq!(parse_words(&["--help"]), Ok(Asked::Help));
        assert!(parse_words(&["--db"]).is_err());
        assert!(parse_words(&["db"]).is_err_and(|error| error.contains("--help")));
    }

    #[test]
    fn without_a_database_it_fails() {
        let nowhere = std::env::temp_dir().join("dormouse-no-such-database");
        let error = clone(&nowhere, &nowhere).expect_err("no database");
        assert!(error.to_string().contains("there is no database"), "{error}");
        assert!(newest(&nowhere).is_err());
    }

    #[test]
    fn the_place_of_databases_stands_in_its_section() {
        let text = include_str!("../../../deny.toml");
        let config = with_databases(text, Path::new("/x/y")).expect("a section");
        assert!(config.contains("[advisories]\ndb-path = \"/x/y\"\n"), "{config}");
    }
}
