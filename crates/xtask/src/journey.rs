//! What a visitor of a sleeping service sees, step by step, each step within a bound.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::aws::Ecs;
use crate::http::{self, Response};
use crate::interrupt;
use crate::progress::say;
use crate::timeline::Timeline;

const GROUP: &str = "demo";
const CLUSTER: &str = "demo";
const SERVICE: &str = "hello";

/// Path and query that must survive the redirect.
const PATH: &str = "/hello?x=1";

/// How often the status is asked for: often enough to see short stages.
const POLL: Duration = Duration::from_millis(200);

/// Longest that a real task takes from nothing to healthy, with room.
const WAKE: Duration = Duration::from_secs(240);

/// Real time that does not shrink with the speed: the idle time, and a tick that came first.
const SLEEP: Duration = Duration::from_secs(120);

/// The headers of a person's browser that opens a page.
const BROWSER: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) xtask demo"),
];

/// One service, from asleep to asleep.
pub(crate) struct Journey {
    wake_url: String,
    sim: String,
    speed: f64,
    pub(crate) timeline: Timeline,
}

impl Journey {
    pub(crate) fn new(wake_url: &str, sim: &str, speed: f64) -> Self {
        Self {
            wake_url: wake_url.trim_end_matches('/').to_owned(),
            sim: sim.to_owned(),
            speed,
            timeline: Timeline::new(),
        }
    }

    /// Where a person wakes the service.
    pub(crate) fn address(&self) -> String {
        format!("{}/{GROUP}", self.wake_url)
    }

    pub(crate) fn run(&mut self) -> Result<()> {
        self.create_service()
            .context("cannot create the demo's service")?;
        self.timeline = Timeline::new();
        self.ask()?;
        self.await_ready()?;
        self.enter()?;
        self.await_asleep()
    }

    fn create_service(&self) -> Result<()> {
        let ecs = Ecs { endpoint: &self.sim };
        ecs.call("CreateCluster", &json!({ "clusterName": CLUSTER }))?;
        let definition = json!({
            "family": SERVICE,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [{
                "name": "web",
                "image": "public.ecr.aws/dormouse/hello:1",
                "essential": true,
                "portMappings": [{ "containerPort": 8080, "protocol": "tcp" }],
            }],
        });
        ecs.call("RegisterTaskDefinition", &definition)?;
        let tags = [
            ("dormouse:group", GROUP),
            ("dormouse:signals", "none"),
            ("dormouse:idle-after", "15s"),
            ("dormouse:grace", "5s"),
            ("dormouse:port", "8080"),
        ]
        .map(|(key, value)| json!({ "key": key, "value": value }));
        let service = json!({
            "cluster": CLUSTER,
            "serviceName": SERVICE,
            "taskDefinition": SERVICE,
            "desiredCount": 0,
            "launchType": "FARGATE",
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": ["subnet-0123456789abcdef0"],
                "securityGroups": ["sg-0123456789abcdef0"],
                "assignPublicIp": "ENABLED",
            }},
            "tags": tags,
        });
        ecs.call("CreateService", &service)?;
        say(&format!(
            "created the service {CLUSTER}/{SERVICE} with no tasks, tagged dormouse:group={GROUP}"
        ));
        Ok(())
    }

    /// Opens the address, as a person would, and gets the wait page.
    fn ask(&mut self) -> Result<()> {
        self.timeline.mark("asked");
        let page = self.open()?;
        let html = page
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        if page.status != 200 || !html {
            bail!("the first visit must get the wait page, not {}", brief(&page));
        }
        self.timeline.mark("wait page");
        Ok(())
    }

    /// Follows the status until the group is ready.
    fn await_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let within = Duration::from_secs(30) + WAKE.div_f64(self.speed);
        loop {
            let status = self.status()?;
            let service = &status["services"][0];
            if status["ready"] == true {
                self.timeline.mark("ready");
                return Ok(());
            }
            match service["stage"].as_str() {
                Some("failing") => bail!("the service is failing: {status:#}"),
                Some(stage) if stage != "asleep" && stage != "ready" => self.timeline.mark(stage),
                _ => {}
            }
            pause(begun, within, "ready", &status)?;
        }
    }

    /// Opens the address again, follows the redirect, and gets the app's own page.
    fn enter(&mut self) -> Result<()> {
        let answer = self.open()?;
        let location = answer.header("location").unwrap_or_default().to_owned();
        if answer.status != 307 || !location.ends_with(PATH) {
            bail!(
                "a visit when ready must be sent to the app's {PATH}, not {} to {location:?}",
                brief(&answer)
            );
        }
        self.timeline.mark("redirect");
        let page = http::get(&location, &BROWSER)?;
        if page.status != 200 {
            bail!("the app at {location} answers {}", brief(&page));
        }
        self.timeline.mark("app's page, then idle");
        say(&format!("redirected to {location}, which answered 200"));
        Ok(())
    }

    /// Watches, without touching it, until the service runs nothing any more.
    fn await_asleep(&mut self) -> Result<()> {
        let begun = Instant::now();
        let within = SLEEP + WAKE.div_f64(self.speed);
        loop {
            let status = self.status()?;
            match status["phase"].as_str() {
                Some("falling-asleep") => self.timeline.mark("falling asleep"),
                Some("asleep") => break,
                _ => {}
            }
            pause(begun, within, "asleep", &status)?;
        }
        self.timeline.mark("asleep");
        let request = json!({ "cluster": CLUSTER, "services": [SERVICE] });
        loop {
            let answer = Ecs { endpoint: &self.sim }.call("DescribeServices", &request)?;
            let service = &answer["services"][0];
            if service["desiredCount"] != 0 {
                bail!(
                    "the group is said to be asleep, but ECS is asked for {} tasks",
                    service["desiredCount"]
                );
            }
            if service["runningCount"] == 0 && service["pendingCount"] == 0 {
                self.timeline.mark("nothing runs");
                return Ok(());
            }
            pause(begun, within, "without tasks", &status_of_counts(service))?;
        }
    }

    fn open(&self) -> Result<Response> {
        http::get(&format!("{}{PATH}", self.address()), &BROWSER)
    }

    fn status(&self) -> Result<Value> {
        let url = format!("{}/-/status", self.address());
        let answer = http::get(&url, &[("accept", "application/json")])?;
        if answer.status != 200 {
            bail!("GET {url} answers {}", brief(&answer));
        }
        answer.json()
    }
}

/// Waits for the next look, or says what did not happen in time.
fn pause(begun: Instant, within: Duration, what: &str, status: &Value) -> Result<()> {
    if begun.elapsed() > within {
        bail!("the group is not {what} after {} s: {status:#}", within.as_secs());
    }
    interrupt::check()?;
    sleep(POLL);
    Ok(())
}

/// What ECS counts, for an error message.
fn status_of_counts(service: &Value) -> Value {
    json!({ "running": service["runningCount"], "pending": service["pendingCount"] })
}

/// An answer in one line.
fn brief(answer: &Response) -> String {
    let text: String = answer.text().split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(300).collect();
    format!("{} {short}", answer.status)
}
