//! The command line, as people and scripts run it.

use serde_json::Value;
use tokio::process::Command;

use crate::stack::Stack;

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// The standard output as JSON.
    ///
    /// # Panics
    /// If it is not one document.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Stack {
    /// Runs `dormouse` with nothing but this stack's variables. The build of the workspace puts it beside the folder of
    /// the test's own executable.
    ///
    /// # Panics
    /// If it was not built.
    pub async fn dormouse(&self, args: &[&str]) -> Run {
        let test = std::env::current_exe().expect("the test's executable");
        let folder = test.parent().and_then(|deps| deps.parent()).expect("a folder");
        let program = folder.join("dormouse");
        let output = Command::new(&program)
            .args(args)
            .env_clear()
            .envs(self.variables())
            // Only a stack that is guarded has a key.
            .envs(std::env::var("DORMOUSE_LINK_KEY").map(|key| ("DORMOUSE_LINK_KEY", key)))
            .output()
            .await;
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
