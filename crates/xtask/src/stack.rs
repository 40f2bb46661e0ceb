//! The local stack: fargate-sim beside MiniStack, on free ports, with the template deployed.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::aws::{ACCOUNT, KEY, REGION};
use crate::faults::{Counts, Faults, Ports};
use crate::parts::Part;
use crate::privileges::trail;
use crate::progress::{say, step};
use crate::repo::Repo;
use crate::tools::Tools;
use crate::{builds, deploy, front, http, interrupt};

/// Either server is up in two seconds; this is for a machine that also compiles.
const START: Duration = Duration::from_secs(60);

/// A running stack. Dropping it stops everything that it started.
pub(crate) struct Stack {
    /// Stack outputs and environment, as written to `outputs.json`.
    pub(crate) description: Value,
    /// Path of that file.
    pub(crate) file: PathBuf,
    /// Address of fargate-sim.
    pub(crate) sim: String,
    directory: PathBuf,
    addresses: Addresses,
    /// The built template, and the parameters that it always has here.
    template: PathBuf,
    parameters: Vec<String>,
    log: PathBuf,
    /// The proxy between the functions and AWS, if there are faults.
    proxy: Option<Ports>,
    parts: Vec<Part>,
    _lock: File,
}

impl Stack {
    /// Builds, starts and deploys everything. `name` is the stack's own directory below
    /// `target/local` (empty: that one itself), so that stacks do not get into each other's way. With `faults` the
    /// functions, and nobody else, find a proxy where AWS should be.
    pub(crate) fn start(
        repo: &Repo,
        tools: &Tools,
        name: &str,
        speed: f64,
        faults: Option<Faults>,
    ) -> Result<Self> {
        let directory = repo.target().join("local").join(name);
        let logs = directory.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        let lock = lock(&directory)?;
        empty(&scratch(&directory))?;
        let template = step("sam build", || {
            builds::sam(repo, tools, &directory, &logs.join("sam-build.log"))
        })?;

        let [ministack, sim, stack_proxy, sim_proxy, control] = free_ports()?;
        let addresses = Addresses::at(ministack, sim);
        let proxy = faults.map(|_| Ports {
            stack: stack_proxy,
            sim: sim_proxy,
            control,
        });
        let seen_by_functions = match proxy {
            Some(proxy) => Addresses::at(proxy.stack, proxy.sim),
            None => addresses.clone(),
        };
        let parts = step("start fargate-sim and MiniStack", || {
            let mut parts = vec![
                Part::start(
                    "fargate-sim",
                    addresses.fargate_sim(repo, sim, speed),
                    Some(&logs.join("fargate-sim.log")),
                )?,
                Part::start(
                    "MiniStack",
                    seen_by_functions.ministack(repo, tools, ministack, &directory),
                    Some(&logs.join("ministack.log")),
                )?,
            ];
            await_health(&mut parts, &format!("{}/_sim/health", addresses.sim))?;
            await_health(&mut parts, &format!("{}/_ministack/ready", addresses.stack))?;
            if let (Some(proxy), Some(faults)) = (proxy, faults) {
                let command = proxy.proxy(repo, faults, ministack, sim);
                let log = logs.join("fault-proxy.log");
                parts.push(Part::start("fault-proxy", command, Some(&log))?);
                await_health(&mut parts, &proxy.counts_url())?;
            }
            Ok(parts)
        })?;

        let parameters = front::create(&addresses.stack, &addresses.sim)?;
        let mut stack = Self {
            description: json!({}),
            file: directory.join("outputs.json"),
            sim: addresses.sim.clone(),
            directory: directory.clone(),
            addresses,
            template,
            parameters,
            log: logs.join("sam-deploy.log"),
            proxy,
            parts,
            _lock: lock,
        };
        step("sam deploy", || stack.deploy(repo, tools, &[]))?;
        Ok(stack)
    }

    /// Deploys the template, with these parameters (`Name=value`) besides those that the stack always has.
    pub(crate) fn deploy(&mut self, repo: &Repo, tools: &Tools, more: &[&str]) -> Result<()> {
        let env = self.addresses.env();
        let more = more.iter().map(|parameter| (*parameter).to_owned());
        let parameters: Vec<String> = self.parameters.iter().cloned().chain(more).collect();
        let outputs = deploy::deploy(
            repo,
            tools,
            &self.template,
            &env,
            &self.addresses.stack,
            &parameters,
            &self.log,
        )?;
        self.description = json!({ "outputs": outputs, "env": env });
        std::fs::write(&self.file, format!("{:#}\n", self.description))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// The value of one of the stack's outputs.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.description["outputs"][name]
            .as_str()
            .with_context(|| format!("the stack has no output {name}"))
    }

    /// What went wrong on purpose so far, if anything should.
    pub(crate) fn faults(&self) -> Result<Option<Counts>> {
        self.proxy.map(Ports::counts).transpose()
    }

    /// Writes down what the functions did so far and what IAM said; returns the file.
    pub(crate) fn keep_trail(&self) -> Result<PathBuf> {
        trail::keep(&self.directory, &self.addresses.stack, &self.sim)?;
        Ok(trail::file(&self.directory))
    }

    /// Stays until somebody asks to stop, or a part ends.
    pub(crate) fn stay(&mut self) -> Result<()> {
        while !interrupt::asked() {
            self.check()?;
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// An error if a part has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.parts.iter_mut().try_for_each(Part::check)
    }

    /// Stops everything.
    pub(crate) fn stop(mut self) {
        say("stopping the local stack ...");
        for part in &mut self.parts {
            part.stop();
        }
        // Nobody is there to be reached by it any more.
        let _ = std::fs::remove_file(&self.file);
    }
}

#[derive(Clone)]
struct Addresses {
    stack: String,
    sim: String,
}

impl Addresses {
    /// On these ports of this machine.
    fn at(stack: u16, sim: u16) -> Self {
        Self {
            stack: format!("http://127.0.0.1:{stack}"),
            sim: format!("http://127.0.0.1:{sim}"),
        }
    }

    /// The variables with which any AWS SDK or CLI reaches this stack.
    fn env(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_ENDPOINT_URL", self.stack.clone()),
            // What MiniStack does not model faithfully goes to fargate-sim. The names are the
            // services' ids in the SDKs.
            ("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", self.sim.clone()),
            ("AWS_ENDPOINT_URL_CODEPIPELINE", self.sim.clone()),
            ("AWS_ENDPOINT_URL_EC2", self.sim.clone()),
            ("AWS_ENDPOINT_URL_ECS", self.sim.clone()),
            ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", self.sim.clone()),
            ("AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API", self.sim.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ])
    }

    fn fargate_sim(&self, repo: &Repo, port: u16, speed: f64) -> Command {
        let mut command = Command::new(repo.binaries().join("fargate-sim"));
        command
            .arg("serve")
            .args(["--port", &port.to_string(), "--speed", &speed.to_string()])
            // Tasks listen on loopback addresses; each simulator takes a range of its own.
            .args(["--address-base", "auto"])
            .args(["--stack", &self.stack, "--account", ACCOUNT, "--region", REGION])
            // Everybody else is let do what IAM allows.
            .args(["--iam-owner", KEY]);
        without_aws(&mut command);
        command.envs(self.env());
        command
    }

    /// The functions are children of MiniStack and inherit its environment.
    fn ministack(&self, repo: &Repo, tools: &Tools, port: u16, directory: &Path) -> Command {
        let mut command = tools.stack_python();
        without_aws(&mut command);
        command
            .arg(repo.root.join("crates/xtask/python/stack.py"))
            .envs(self.env())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("MINISTACK_REGION", REGION)
            // Each function has its role's credentials, and may do what its policies allow. The key of `env` is the
            // account's root user.
            .env("AUTH", "true")
            .env("DORMOUSE_TRAIL", trail::ministack_file(directory))
            // Two doors with fixed ports that nobody here uses; two stacks would fight for them.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            // Lambda sets these from the function's LoggingConfig, MiniStack does not.
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
            .env("TMPDIR", scratch(directory));
        command
    }
}

/// Takes every AWS setting of the caller away, so that nothing can reach a real account.
pub(crate) fn without_aws(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
}

/// Waits for 200 from `url`, as long as all parts run.
fn await_health(parts: &mut [Part], url: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        parts.iter_mut().try_for_each(Part::check)?;
        interrupt::check()?;
        let answer = http::get(url, &[]);
        match answer {
            Ok(response) if response.status == 200 => return Ok(()),
            other if begun.elapsed() > START => match other {
                Ok(response) => bail!("{url} still answers {}: {}", response.status, response.text()),
                Err(error) => return Err(error.context(format!("no answer within {START:?}"))),
            },
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Ports that nobody listens on. Somebody may take one before its server starts, which then
/// says so and ends.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until the last is found, so that no two are the same.
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
        *port = listener.local_addr().context("no free port")?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Where MiniStack keeps what it needs while it runs.
fn scratch(directory: &Path) -> PathBuf {
    directory.join("tmp")
}

/// Makes a directory, without what an earlier stack left in it.
fn empty(directory: &Path) -> Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)
            .with_context(|| format!("cannot empty {}", directory.display()))?;
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))
}

/// Keeps a second stack out of this one's directory.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "a local stack runs already in {}; stop it first",
                directory.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
