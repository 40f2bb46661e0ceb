//! Tools that cargo compiles, installed once into `target/tools/cargo`: cargo-deny, cargo-machete,
//! cargo-mutants, cargo-cyclonedx and what runs the counts of instructions.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::parts;
use crate::progress::step;
use crate::repo::Repo;

/// A tool and its version.
#[derive(Clone, Copy)]
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
}

/// Licences, sources, banned crates, and advisories.
pub(crate) const DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
};

/// Dependencies that nothing uses.
pub(crate) const MACHETE: CargoTool = CargoTool {
    name: "cargo-machete",
    version: "0.9.2",
};

/// Changes of the code, one at a time, that tests should notice.
pub(crate) const MUTANTS: CargoTool = CargoTool {
    name: "cargo-mutants",
    version: "27.1.0",
};

/// Bills of materials.
pub(crate) const CYCLONEDX: CargoTool = CargoTool {
    name: "cargo-cyclonedx",
    version: "0.5.9",
};

/// Runs benches under callgrind. It must have the version of the crate `gungraun`.
pub(crate) const GUNGRAUN: CargoTool = CargoTool {
    name: "gungraun-runner",
    version: "0.20.0",
};

impl CargoTool {
    /// Where it is installed.
    pub(crate) fn file(self, repo: &Repo) -> PathBuf {
        home(repo).join("bin").join(self.name)
    }

    /// The installed tool, to be run in the checkout.
    pub(crate) fn command(self, repo: &Repo) -> Command {
        let mut command = Command::new(self.file(repo));
        command.current_dir(&repo.root);
        command
    }

    fn spec(self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    fn stamp(self, repo: &Repo) -> PathBuf {
        home(repo).join(format!("{}.stamp", self.spec()))
    }
}

/// Installs those of the tools that are missing. They share what they compile; without optimization and debug information,
/// because compiling takes much longer than they run.
pub(crate) fn install(repo: &Repo, tools: &[CargoTool]) -> Result<()> {
    let missing: Vec<CargoTool> = tools
        .iter()
        .copied()
        .filter(|tool| !tool.stamp(repo).is_file())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let specs: Vec<String> = missing.iter().map(|tool| tool.spec()).collect();
    step(&format!("install {}", specs.join(", ")), || {
        let home = home(repo);
        let build = home.join("build");
        std::fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        let mut cargo = Command::new("cargo");
        cargo
            // The toolchain of the checkout.
            .current_dir(&repo.root)
            .args(["install", "--locked", "--debug", "--force", "--root"])
            .arg(&home)
            .args(&specs)
            .env("CARGO_TARGET_DIR", &build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0");
        parts::run("cargo install", cargo, Some(&home.join("install.log")))?;
        let _ = std::fs::remove_dir_all(&build);
        for tool in missing {
            let stamp = tool.stamp(repo);
            std::fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
        }
        Ok(())
    })
}

fn home(repo: &Repo) -> PathBuf {
    repo.target().join("tools/cargo")
}
