//! Where things are: the checkout, its target directory, and the host that cargo builds for.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The checkout and what cargo says about the host.
pub(crate) struct Repo {
    /// Directory of the workspace's `Cargo.toml` and of `template.yaml`.
    pub(crate) root: PathBuf,
    /// Host triple, e.g. `x86_64-unknown-linux-gnu`.
    pub(crate) host: String,
    /// Where cargo builds: `target` in the checkout, unless `CARGO_TARGET_DIR` or cargo's configuration says otherwise.
    built: PathBuf,
}

impl Repo {
    /// Finds the checkout that the current directory is in.
    pub(crate) fn find() -> Result<Self> {
        let start = std::env::current_dir().context("no current directory")?;
        let root = start
            .ancestors()
            .find(|dir| dir.join("template.yaml").is_file() && dir.join("Cargo.toml").is_file())
            .with_context(|| {
                format!(
                    "no template.yaml beside a Cargo.toml in {} or above it",
                    start.display()
                )
            })?
            .to_path_buf();
        let host = host_triple(&root)?;
        let built = target_directory(&root)?;
        Ok(Self { root, host, built })
    }

    /// Directory for what xtask installs and writes; always in the checkout.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// Where cargo puts the binaries of the one profile and target that are used here.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.built.join(&self.host).join("release")
    }

    /// The host's processor in Lambda's words.
    pub(crate) fn architecture(&self) -> Result<&'static str> {
        architecture(&self.host)
    }
}

/// Lambda's name for the processor of a Rust target.
fn architecture(triple: &str) -> Result<&'static str> {
    match triple.split('-').next() {
        Some("x86_64") => Ok("x86_64"),
        Some("aarch64") => Ok("arm64"),
        _ => bail!("the host {triple} is neither x86_64 nor aarch64, the processors that Lambda offers"),
    }
}

fn target_directory(root: &Path) -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot run `cargo metadata`")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "`cargo metadata` gave no JSON:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let directory = metadata["target_directory"].as_str();
    directory
        .map(PathBuf::from)
        .context("`cargo metadata` names no target directory")
}

fn host_triple(root: &Path) -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(root)
        .output()
        .context("cannot run `rustc -vV`")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .with_context(|| {
            format!(
                "`rustc -vV` names no host:\n{text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::architecture;

    #[test]
    fn lambda_names_the_processor_of_a_target() {
        assert_eq!(architecture("x86_64-unknown-linux-gnu").ok(), Some("x86_64"));
        assert_eq!(architecture("aarch64-unknown-linux-gnu").ok(), Some("arm64"));
    }

    #[test]
    fn other_processors_are_refused_by_name() {
        let error = architecture("riscv64gc-unknown-linux-gnu").map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("riscv64gc-unknown-linux-gnu")));
    }
}
