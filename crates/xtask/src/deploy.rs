//! `sam deploy` of the unchanged template to a local stack.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::aws;
use crate::parts;
use crate::repo::Repo;
use crate::stack::without_aws;
use crate::tools::Tools;

/// Name of the CloudFormation stack, as in samconfig.toml.
pub(crate) const STACK: &str = "dormouse";

/// Deploys the built template with these parameters (`Name=value`) besides its own; returns the stack's outputs.
pub(crate) fn deploy(
    repo: &Repo,
    tools: &Tools,
    template: &Path,
    env: &BTreeMap<&'static str, String>,
    endpoint: &str,
    parameters: &[String],
    log: &Path,
) -> Result<BTreeMap<String, String>> {
    let mut command = tools.sam();
    without_aws(&mut command);
    command
        .current_dir(&repo.root)
        .args(["deploy", "--config-env", "local", "--stack-name", STACK])
        // SAM looks for its settings beside the template, which here is the built one.
        .arg("--config-file")
        .arg(repo.root.join("samconfig.toml"))
        .arg("--template-file")
        .arg(template)
        // A wake here is late after 90 s: twice what Fargate takes at speed 1, and tests need not wait for more.
        .args([
            "--parameter-overrides",
            &format!("Architecture={}", repo.architecture()?),
            "WakeTimeout=90s",
        ])
        .args(parameters)
        .envs(env)
        // Looks at the stack each second instead of each fifth: deploying here takes one.
        .env("SAM_CLI_POLL_DELAY", "1");
    parts::run("sam deploy", command, Some(log))?;
    aws::stack_outputs(endpoint, STACK)
}
