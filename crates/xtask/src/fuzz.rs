//! Two minutes of requests that Schemathesis draws from docs/openapi.json, against the running stack: each answer must be
//! one that the document describes. What is checked and what is not is said in fuzz/schemathesis.toml.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::aws::Ecs;
use crate::parts;
use crate::progress::say;
use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;

/// Groups that exist, with the image and the public address of their tasks: one that becomes ready, one whose tasks never
/// run, and one whose tasks nobody reaches.
const GROUPS: [(&str, &str, &str); 3] = [
    ("fuzzed", "example/app:1", "ENABLED"),
    ("fuzzed-failing", "example/missing:1", "ENABLED"),
    ("fuzzed-private", "example/app:1", "DISABLED"),
];

/// Answers without which it did not get far: a page or JSON, the app, no such group, cannot become ready, not ready yet.
const MUST_HAVE: [&str; 5] = ["200", "307", "404", "502", "503"];

/// Creates the groups and fuzzes.
pub(crate) fn run(repo: &Repo, tools: &Tools, stack: &Stack, directory: &Path) -> Result<()> {
    for (group, image, public) in GROUPS {
        create(&stack.sim, group, image, public).with_context(|| format!("cannot create group {group}"))?;
    }
    // Its name is for the API to know, and not one that every resolver knows.
    let host = stack
        .output("WakeUrl")?
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let (_, port) = host.rsplit_once(':').context("WakeUrl has no port")?;
    let settings = repo.root.join("crates/xtask/fuzz");
    let answers = directory.join("fuzz-answers.json");
    // Of an earlier run.
    let _ = std::fs::remove_file(&answers);
    let mut fuzzer = tools.schemathesis();
    fuzzer
        .current_dir(directory)
        .arg("--config-file")
        .arg(settings.join("schemathesis.toml"))
        .arg("run")
        .arg(repo.root.join("docs/openapi.json"))
        .args(["--url", &format!("http://127.0.0.1:{port}")])
        .args(["--header", &format!("Host: {host}")])
        // Its own name is that of a scanner, which wakes nothing.
        .args(["--header", "User-Agent: api-test/1", "--no-color"])
        .env("SCHEMATHESIS_HOOKS", settings.join("hooks.py"))
        .env("DORMOUSE_FUZZ_GROUPS", GROUPS.map(|(group, ..)| group).join(" "))
        .env("DORMOUSE_FUZZ_ANSWERS", &answers)
        // No bytecode into the checkout.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    parts::run("schemathesis", fuzzer, None)?;
    let text = std::fs::read_to_string(&answers)
        .with_context(|| format!("the hooks wrote no {}", answers.display()))?;
    let counts: BTreeMap<String, u64> = serde_json::from_str(&text).context("counts of answers")?;
    say(&format!(
        "{} requests; answers by status: {text}",
        counts.values().sum::<u64>()
    ));
    match MUST_HAVE.iter().find(|status| !counts.contains_key(**status)) {
        Some(status) => bail!("no request was answered with {status}, so it did not get far"),
        None => Ok(()),
    }
}

fn create(sim: &str, group: &str, image: &str, public: &str) -> Result<()> {
    let ecs = Ecs { endpoint: sim };
    ecs.call("CreateCluster", &json!({ "clusterName": group }))?;
    let definition = json!({
        "family": group,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{
            "name": "web",
            "image": image,
            "essential": true,
            "portMappings": [{ "containerPort": 8080, "protocol": "tcp" }],
        }],
    });
    ecs.call("RegisterTaskDefinition", &definition)?;
    let tags = [
        ("dormouse:group", group),
        ("dormouse:signals", "none"),
        ("dormouse:idle-after", "10m"),
    ];
    let service = json!({
        "cluster": group,
        "serviceName": group,
        "taskDefinition": group,
        "desiredCount": 0,
        "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": {
            "subnets": ["subnet-0123456789abcdef0"],
            "assignPublicIp": public,
        }},
        "tags": tags.map(|(key, value)| json!({ "key": key, "value": value })),
    });
    ecs.call("CreateService", &service)?;
    Ok(())
}
