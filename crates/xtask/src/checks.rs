//! Checks of `template.yaml` and of the state machines that it deploys.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::aws::REGION;
use crate::privileges::{everywhere, list::List};
use crate::repo::Repo;
use crate::tools::Tools;
use crate::{asl, parts, vpc};

/// `sam validate --lint`, and the same linter over the examples.
pub(crate) fn lint(repo: &Repo, tools: &Tools, log: &Path) -> Result<()> {
    let mut examples = tools.cfn_lint();
    examples
        .current_dir(&repo.root)
        .args(["--regions", REGION, "--", "examples/*/template.yaml"]);
    parts::run("cfn-lint examples", examples, Some(log))?;
    let mut command = tools.sam();
    command
        .current_dir(&repo.root)
        .args(["validate", "--lint", "--config-env", "local"]);
    parts::run("sam validate --lint", command, Some(log))
}

/// Everything about the template and the state machines that SAM's own check does not see.
pub(crate) fn template(repo: &Repo, tools: &Tools) -> Result<()> {
    let template = read_template(repo, tools)?;
    let mut found = everywhere::problems(&template, &List::of(repo)?);
    found.extend(vpc::problems(
        &template,
        resources(&template, "AWS::Serverless::Function"),
    ));
    let mut used = BTreeSet::new();
    for (name, resource) in resources(&template, "AWS::Serverless::StateMachine") {
        let Some(file) = resource["Properties"]["DefinitionUri"].as_str() else {
            found.push(format!("template.yaml: {name} must have a DefinitionUri"));
            continue;
        };
        used.insert(file.to_owned());
        let path = repo.root.join(file);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {name}'s {}", path.display()))?;
        let machine: Value = serde_json::from_str(&text).with_context(|| format!("{file} is not JSON"))?;
        found.extend(
            asl::problems(&machine)
                .into_iter()
                .map(|problem| format!("{file}: {problem}")),
        );
        found.extend(substitutions(name, file, resource, &text));
    }
    for file in definitions(&repo.root)? {
        if !used.contains(&file) {
            found.push(format!("{file}: no state machine of template.yaml uses it"));
        }
    }
    if !found.is_empty() {
        bail!("{} problems:\n  {}", found.len(), found.join("\n  "));
    }
    Ok(())
}

/// The template as JSON; SAM's own reader knows CloudFormation's short tags.
fn read_template(repo: &Repo, tools: &Tools) -> Result<Value> {
    const READ: &str = "import json, sys; from samcli.yamlhelper import yaml_parse; \
                        json.dump(yaml_parse(open(sys.argv[1]).read()), sys.stdout, default=str)";
    let output = tools
        .sam_python()
        .args(["-c", READ])
        .arg(repo.root.join("template.yaml"))
        .output()
        .context("cannot run SAM's Python")?;
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "cannot read template.yaml: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Placeholders that are not filled in, and substitutions that nobody asked for.
fn substitutions(name: &str, file: &str, resource: &Value, text: &str) -> Vec<String> {
    let wanted = asl::placeholders(text);
    let given: BTreeSet<String> = resource["Properties"]["DefinitionSubstitutions"]
        .as_object()
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    let missing = wanted
        .difference(&given)
        .map(|one| format!("{file}: ${{{one}}} is not among the DefinitionSubstitutions of {name}"));
    let idle = given
        .difference(&wanted)
        .map(|one| format!("template.yaml: {name} substitutes {one}, which {file} does not use"));
    missing.chain(idle).collect()
}

fn resources<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    template["Resources"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), resource))
}

/// The state machine files of the checkout, as the template names them.
fn definitions(root: &Path) -> Result<Vec<String>> {
    let directory = root.join("statemachines");
    let entries =
        std::fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", directory.display()))?;
        names.push(format!("statemachines/{}", entry.file_name().to_string_lossy()));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_and_substitutions_must_match_both_ways() {
        let resource = json!({ "Properties": { "DefinitionSubstitutions": { "Given": 1, "Idle": 2 } } });
        let found = substitutions("Timer", "t.json", &resource, "${Given} ${Missing}");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("${Missing}") && found[1].contains("Idle"),
            "{found:?}"
        );
    }
}
