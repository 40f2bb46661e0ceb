//! chromedriver, with one session.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::http::Request;

/// Nothing but the page: no first-run tour, no updates, no calls home. The sandbox needs privileges that containers
/// lack. Every `.localhost` name is this machine (RFC 6761, section 6.3).
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
];

/// A running driver. Dropping it ends it, and the browser with it.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    session: String,
}

impl Driver {
    pub(super) async fn start(language: &str) -> Self {
        // Drivers that start at the same moment may be given the same free port, and then one of them ends.
        let mut started = None;
        for _ in 0..5 {
            started = listening().await;
            if started.is_some() {
                break;
            }
        }
        let (process, port) = started.expect("chromedriver starts and names its port");
        let mut driver = Self {
            process,
            session: String::new(),
        };
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--accept-lang={language}"));
        let options = json!({"args": arguments, "prefs": {"intl.accept_languages": language}});
        let capabilities = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}});
        let sessions = format!("http://127.0.0.1:{port}/session");
        let session = ask("POST", &sessions, capabilities)
            .await
            .expect("a session of Chromium");
        driver.session = format!("{sessions}/{}", session["sessionId"].as_str().expect("an id"));
        driver
    }

    /// A command of the session that must work.
    pub(super) async fn call(&self, method: &'static str, command: &str, body: Value) -> Value {
        let answer = self.try_call(method, command, body).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// A command of the session.
    pub(super) async fn try_call(
        &self,
        method: &'static str,
        command: &str,
        body: Value,
    ) -> Result<Value, String> {
        ask(method, &format!("{}/{command}", self.session), body).await
    }
}

/// A driver that listens, and its port. `None` if it ended instead.
async fn listening() -> Option<(Child, String)> {
    // Port 0 is a free one, which it names when it is ready.
    let process = Command::new("chromedriver")
        .args(["--port=0", "--log-level=SEVERE"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut process = process.expect(
        "chromedriver must be on the PATH (Debian and Ubuntu: chromium-driver); `cargo xtask test` installs it",
    );
    let output = process.stdout.take().expect("its output");
    // On a thread that goes on reading, so that the driver never waits for a reader.
    let (send, port) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut send = Some(send);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let port = line
                .trim_end_matches('.')
                .rsplit_once("started successfully on port ");
            if let Some((_, port)) = port
                && let Some(send) = send.take()
            {
                let _ = send.send(port.to_owned());
            }
        }
    });
    match port.await {
        Ok(port) => Some((process, port)),
        Err(_) => {
            let _ = process.kill();
            let _ = process.wait();
            None
        }
    }
}

async fn ask(method: &'static str, url: &str, body: Value) -> Result<Value, String> {
    let request = Request::new(method, url).header("content-type", "application/json");
    let request = if method == "GET" {
        request
    } else {
        request.json(&body)
    };
    let answer = request.send().await;
    let value = answer.json()["value"].take();
    if answer.status == 200 {
        Ok(value)
    } else {
        Err(format!("{}: {}", value["error"], value["message"]))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The polite end closes the browser too, which a killed driver would leave behind.
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent: ureq::Agent = agent.into();
        let _ = agent.delete(&self.session).call();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
