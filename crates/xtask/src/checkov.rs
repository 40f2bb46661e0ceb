//! checkov over the templates as CloudFormation gets them: `template.yaml` with SAM's transform done, and the examples.
//!
//! What it finds is mended, or skipped for a reason that `checkov/skipped.json` gives for the resources that it names. A
//! finding that is not there fails, and so does a skip that finds nothing any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::aws::REGION;
use crate::parts;
use crate::repo::Repo;
use crate::tools::Tools;

/// Does SAM's transform (the second argument is where it goes). Code is nowhere yet, so it gets a made-up place.
const TRANSFORM: &str = "
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

template = json.loads(json.dumps(yaml_parse(open(sys.argv[1]).read()), default=str))
for resource in template['Resources'].values():
    properties = resource.get('Properties', {})
    for place in {'CodeUri', 'DefinitionUri'} & properties.keys() | (
        {'CodeUri'} if resource['Type'] == 'AWS::Serverless::Function' else set()
    ):
        properties[place] = 's3://bucket/key'
json.dump(transform(template, {}, NoManagedPolicies()), open(sys.argv[2], 'w'), indent=1)
";

/// What is found: template, check and resource.
type Finding = (String, String, String);

/// Checks everything; `directory` is for the templates and the log.
pub(crate) fn run(repo: &Repo, tools: &Tools, directory: &Path) -> Result<()> {
    let skipped = std::fs::read_to_string(repo.root.join("crates/xtask/checkov/skipped.json"))
        .context("cannot read crates/xtask/checkov/skipped.json")?;
    let skips = read_skips(&skipped)?;
    let templates = directory.join("checkov");
    // Of an earlier run.
    let _ = std::fs::remove_dir_all(&templates);
    std::fs::create_dir_all(&templates).with_context(|| format!("cannot create {}", templates.display()))?;
    let log = directory.join("checkov.log");
    transform(repo, tools, &templates.join("template.json"), &log)?;
    for example in examples(&repo.root)? {
        let name = format!("{example}.yaml");
        std::fs::copy(
            repo.root.join("examples").join(&example).join("template.yaml"),
            templates.join(&name),
        )
        .with_context(|| format!("cannot copy the template of examples/{example}"))?;
    }
    let report = check(tools, &templates, &log)?;
    let found = findings(&report)?;
    let problems = compare(&found, &skips);
    if !problems.is_empty() {
        bail!("{} problems:\n  {}", problems.len(), problems.join("\n  "));
    }
    Ok(())
}

/// Writes `template.yaml` as CloudFormation gets it.
pub(crate) fn transform(repo: &Repo, tools: &Tools, to: &Path, log: &Path) -> Result<()> {
    let mut python = tools.sam_python();
    python
        .args(["-c", TRANSFORM])
        .arg(repo.root.join("template.yaml"))
        .arg(to)
        .env("AWS_DEFAULT_REGION", REGION);
    parts::run("SAM's transform", python, Some(log))
}

fn check(tools: &Tools, templates: &Path, log: &Path) -> Result<Value> {
    let mut checkov = tools.checkov();
    checkov
        .current_dir(templates)
        // It would ask its maker's servers for texts, which it does not need.
        .args([
            "--directory",
            ".",
            "--framework",
            "cloudformation",
            "--skip-download",
        ])
        .args(["--output", "json", "--soft-fail", "--quiet", "--compact"])
        .args(["--output-file-path", "."]);
    parts::run("checkov", checkov, Some(log))?;
    let report = templates.join("results_json.json");
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("checkov wrote no {}; see {}", report.display(), log.display()))?;
    serde_json::from_str(&text).context("checkov's report is not JSON")
}

/// The folders of `examples` that have a template.
fn examples(root: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(root.join("examples")).context("cannot read examples")?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.context("cannot read examples")?;
        if entry.path().join("template.yaml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// What the report says that failed.
fn findings(report: &Value) -> Result<BTreeMap<Finding, String>> {
    let summary = &report["summary"];
    let passed = summary["passed"].as_u64().unwrap_or_default();
    if passed == 0 || summary["parsing_errors"] != 0 {
        bail!("checkov did not get far: {summary}");
    }
    let failed = report["results"]["failed_checks"].as_array();
    let failed = failed.context("checkov's report has no list of what failed")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = |check: &Value| {
        let template = text(&check["file_path"]).trim_start_matches('/').to_owned();
        (
            (template, text(&check["check_id"]), text(&check["resource"])),
            text(&check["check_name"]),
        )
    };
    Ok(failed.iter().map(finding).collect())
}

/// What may fail, each with a reason.
fn read_skips(text: &str) -> Result<BTreeSet<Finding>> {
    let json: Value = serde_json::from_str(text).context("skipped.json is not JSON")?;
    let entries = json.as_array().context("skipped.json must be a list")?;
    let mut skips = BTreeSet::new();
    for entry in entries {
        let text = |field: &str| {
            let text = entry[field].as_str().filter(|text| !text.trim().is_empty());
            text.with_context(|| format!("skipped.json: {entry} must have the text `{field}`"))
        };
        let (template, check) = (text("template")?, text("check")?);
        text("reason")?;
        let resources = entry["resources"].as_array().filter(|all| !all.is_empty());
        for resource in
            resources.with_context(|| format!("skipped.json: {check} must have a list `resources`"))?
        {
            let resource = resource.as_str().unwrap_or_default();
            let skip = (template.to_owned(), check.to_owned(), resource.to_owned());
            if !skips.insert(skip) {
                bail!("skipped.json: {check} names {resource} twice");
            }
        }
    }
    Ok(skips)
}

fn compare(found: &BTreeMap<Finding, String>, skips: &BTreeSet<Finding>) -> Vec<String> {
    let new = found.iter().filter(|(finding, _)| !skips.contains(*finding));
    let new = new.map(|((template, check, resource), name)| {
        format!("{template}: {resource}: {check}, {name}; mend it, or skip it with a reason")
    });
    let idle = skips.iter().filter(|skip| !found.contains_key(*skip));
    let idle = idle.map(|(template, check, resource)| {
        format!("skipped.json: {check} finds nothing at {resource} of {template} any more")
    });
    new.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(failed: &[(&str, &str)]) -> Value {
        let failed = failed.iter().map(|(check, resource)| {
            json!({"check_id": check, "check_name": "Ensure it", "resource": resource, "file_path": "/template.json"})
        });
        json!({
            "summary": {"passed": 1, "parsing_errors": 0},
            "results": {"failed_checks": failed.collect::<Vec<_>>()},
        })
    }

    fn problems(failed: &[(&str, &str)], skips: &Value) -> Result<Vec<String>> {
        Ok(compare(
            &findings(&report(failed))?,
            &read_skips(&skips.to_string())?,
        ))
    }

    fn skip(resources: &[&str]) -> Value {
        json!([{"template": "template.json", "check": "CKV_1", "resources": resources, "reason": "It is dear."}])
    }

    #[test]
    fn what_is_skipped_for_a_reason_is_no_problem_and_all_else_is() {
        let two = [("CKV_1", "Queue.A"), ("CKV_1", "Queue.B")];
        assert_eq!(
            problems(&two, &skip(&["Queue.A", "Queue.B"])).expect("skips"),
            [""; 0]
        );
        let found = problems(&two, &skip(&["Queue.A"])).expect("skips");
        assert!(
            found.len() == 1 && found[0].starts_with("template.json: Queue.B: CKV_1"),
            "{found:?}"
        );
    }

    #[test]
    fn a_skip_that_finds_nothing_any_more_fails() {
        let found = problems(&[("CKV_1", "Queue.A")], &skip(&["Queue.A", "Queue.Gone"])).expect("skips");
        assert!(
            found.len() == 1 && found[0].contains("finds nothing at Queue.Gone"),
            "{found:?}"
        );
    }

    #[test]
    fn a_skip_without_a_reason_or_resources_fails() {
        for (field, value) in [
            ("reason", json!(" ")),
            ("reason", json!(null)),
            ("resources", json!([])),
        ] {
            let mut skips = skip(&["Queue.A"]);
            skips[0][field] = value;
            let error = problems(&[("CKV_1", "Queue.A")], &skips).expect_err("no skips");
            assert!(error.to_string().contains(field), "{error}");
        }
    }

    #[test]
    fn a_report_of_nothing_is_no_success() {
        let mut nothing = report(&[]);
        nothing["summary"]["passed"] = json!(0);
        assert!(findings(&nothing).is_err());
        let mut unread = report(&[]);
        unread["summary"]["parsing_errors"] = json!(1);
        assert!(findings(&unread).is_err());
    }
}
