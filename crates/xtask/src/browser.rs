//! What the browser tests need: Chromium with its driver, of the system, and axe-core, the accessibility checker.
//!
//! Only what is missing is installed, so later runs work offline.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::parts;
use crate::progress::step;
use crate::repo::Repo;

/// Debian's packages with the program that each brings.
const PACKAGES: [(&str, &str); 2] = [("chromium", "chromium"), ("chromium-driver", "chromedriver")];

/// The version of axe-core, and the digest that npm checks it against.
const PACKAGE: &str = include_str!("../browser/package.json");
const LOCK: &str = include_str!("../browser/package-lock.json");

/// Installs what is missing; gives the path of axe-core's script.
pub(crate) fn install(repo: &Repo) -> Result<PathBuf> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, program)| !runs(program))
        .map(|(package, _)| *package)
        .collect();
    if !missing.is_empty() {
        step("install Chromium and its driver", || {
            apt(&missing).with_context(|| {
                format!(
                    "the browser tests need `chromium` and `chromedriver` on the PATH; install them (Debian: apt-get \
                     install {})",
                    missing.join(" ")
                )
            })
        })?;
    }
    axe(repo)
}

/// Whether a program is there.
fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn apt(packages: &[&str]) -> Result<()> {
    if !runs("apt-get") {
        bail!("there is no apt-get to install them with");
    }
    let id = Command::new("id").arg("-u").output().context("cannot run id")?;
    let root = id.stdout.trim_ascii() == b"0";
    let apt = |arguments: &[&str]| {
        // Without a terminal nobody could answer a question, of sudo either.
        let words = [
            &["sudo", "-n"][if root { 2 } else { 0 }..],
            &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"],
            arguments,
        ]
        .concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        parts::run("apt-get", command, None)
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    // Lists of packages may be missing or old.
    apt(&install).or_else(|_| {
        apt(&["update"])?;
        apt(&install)
    })
}

/// axe-core's script, installed by npm as its lock file says.
fn axe(repo: &Repo) -> Result<PathBuf> {
    let directory = repo.target().join("tools/browser");
    let script = directory.join("node_modules/axe-core/axe.min.js");
    let stamp = directory.join("stamp");
    if script.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|done| done == LOCK) {
        return Ok(script);
    }
    step("install axe-core", || {
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write("package.json", PACKAGE)?;
        write("package-lock.json", LOCK)?;
        let mut npm = Command::new("npm");
        npm.current_dir(&directory)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        parts::run("npm ci", npm, Some(&directory.join("npm.log")))
            .context("the browser tests need npm (Debian: npm), which installs axe-core")?;
        write("stamp", LOCK)
    })?;
    Ok(script)
}
