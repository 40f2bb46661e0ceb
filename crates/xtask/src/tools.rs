//! Python tools, installed once into `target/tools`: the local stack, SAM with cargo-lambda, the API fuzzer, and
//! checkov.
//!
//! A stamp beside each environment holds the requirements that it was made from. While they are the
//! same nothing is looked up and nothing is downloaded, so later runs work offline.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::parts;
use crate::progress::step;
use crate::repo::Repo;

/// Oldest Python that both tools run on.
const PYTHON: (u32, u32) = (3, 10);

/// A Python environment with its tools.
struct Environment {
    name: &'static str,
    what: &'static str,
    requirements: &'static str,
}

const STACK: Environment = Environment {
    name: "stack",
    what: "install MiniStack",
    requirements: include_str!("../python/stack.txt"),
};

const SAM: Environment = Environment {
    name: "sam",
    what: "install SAM and cargo-lambda",
    requirements: include_str!("../python/sam.txt"),
};

const API: Environment = Environment {
    name: "api",
    what: "install Schemathesis",
    requirements: include_str!("../python/api.txt"),
};

const TEMPLATES: Environment = Environment {
    name: "templates",
    what: "install checkov",
    requirements: include_str!("../python/templates.txt"),
};

/// The installed tools.
pub(crate) struct Tools {
    directory: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    pub(crate) fn install(repo: &Repo) -> Result<Self> {
        let directory = repo.target().join("tools");
        for environment in [STACK, SAM] {
            environment.install(&directory)?;
        }
        Ok(Self { directory })
    }

    /// Installs what only tests need, if it is missing.
    pub(crate) fn install_for_tests(&self) -> Result<()> {
        for environment in [API, TEMPLATES] {
            environment.install(&self.directory)?;
        }
        Ok(())
    }

    /// checkov, once it is installed.
    pub(crate) fn checkov(&self) -> Command {
        Command::new(self.directory.join("templates/bin/checkov"))
    }

    /// Schemathesis, once it is installed.
    pub(crate) fn schemathesis(&self) -> Command {
        Command::new(self.directory.join("api/bin/schemathesis"))
    }

    /// Python of MiniStack's environment.
    pub(crate) fn stack_python(&self) -> Command {
        Command::new(self.directory.join("stack/bin/python"))
    }

    /// Python of SAM's environment, which can read templates.
    pub(crate) fn sam_python(&self) -> Command {
        self.in_sam("python")
    }

    /// The linter that SAM brings, for templates that are not SAM's.
    pub(crate) fn cfn_lint(&self) -> Command {
        self.in_sam("cfn-lint")
    }

    /// SAM, with cargo-lambda on its path, silent towards the outside.
    pub(crate) fn sam(&self) -> Command {
        self.in_sam("sam")
    }

    fn in_sam(&self, program: &str) -> Command {
        let bin = self.directory.join("sam/bin");
        let mut command = Command::new(bin.join(program));
        command
            .env("PATH", with_first(&bin))
            .env("SAM_CLI_TELEMETRY", "0");
        // SAM keeps its settings there instead of in the user's home.
        command.env("__SAM_CLI_APP_DIR", self.directory.join("sam-settings"));
        command
    }
}

impl Environment {
    fn install(&self, directory: &Path) -> Result<()> {
        let home = directory.join(self.name);
        let stamp = directory.join(format!("{}.stamp", self.name));
        if std::fs::read_to_string(&stamp).is_ok_and(|done| done == self.requirements) {
            return Ok(());
        }
        step(self.what, || {
            check_python()?;
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
            let log = directory.join(format!("{}.log", self.name));
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv"]).arg(&home);
            parts::run("python3 -m venv", venv, Some(&log)).context(
                "cannot make a Python environment; install Python's venv and pip (Debian and Ubuntu: python3-venv)",
            )?;
            let wanted = directory.join(format!("{}.txt", self.name));
            std::fs::write(&wanted, self.requirements)
                .with_context(|| format!("cannot write {}", wanted.display()))?;
            let mut pip = Command::new(home.join("bin/python"));
            pip.args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&wanted);
            parts::run("pip install", pip, Some(&log))?;
            std::fs::write(&stamp, self.requirements)
                .with_context(|| format!("cannot write {}", stamp.display()))
        })
    }
}

/// An error unless there is a `python3` that is new enough.
fn check_python() -> Result<()> {
    let output = Command::new("python3")
        .args([
            "-c",
            "import sys; print(sys.version_info[0], sys.version_info[1])",
        ])
        .stdin(Stdio::null())
        .output()
        .context("cannot run python3; install Python 3 and put it on the PATH")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= PYTHON => Ok(()),
        (Some(Ok(major)), Some(Ok(minor))) => {
            bail!(
                "python3 is {major}.{minor}; the tools need at least {}.{}",
                PYTHON.0,
                PYTHON.1
            )
        }
        _ => bail!(
            "python3 does not say its version: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// The PATH with `directory` in front.
fn with_first(directory: &Path) -> OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let mut path = directory.as_os_str().to_owned();
    path.push(":");
    path.push(old);
    path
}
