//! Headless Chromium, driven over WebDriver (W3C Recommendation "WebDriver", section 6) by chromedriver.
//!
//! It is a dozen calls of JSON over loopback. The client crates that there are bring features into crates that the
//! functions are made of, and the SDK would be compiled again for them.

mod driver;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use crate::stack::Stack;
use driver::Driver;

/// Where `cargo xtask test` has put axe-core's script.
const AXE: &str = "DORMOUSE_AXE";
/// What axe checks: WCAG 2.2 at levels A and AA, and its own best practices (axe-core, "API", section "axe-core tags").
const RULES: [&str; 6] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

/// How the person's browser is set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether dark colours are preferred.
    pub dark: bool,
    /// Whether pages may run scripts.
    pub javascript: bool,
    /// Width of the window in CSS pixels; a phone's is emulated.
    pub width: u32,
    /// The language asked for, e.g. `de`.
    pub language: &'static str,
}

/// A desktop in light colours that asks for English.
impl Default for Settings {
    fn default() -> Self {
        Self {
            dark: false,
            javascript: true,
            width: 1024,
            language: "en",
        }
    }
}

/// A picture of what is shown.
#[derive(Clone, Copy, Debug)]
pub struct Screen(pub &'static str);

/// A browser with one tab. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    screens: PathBuf,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// If Chromium or its driver is not installed; `cargo xtask test` installs them.
    pub async fn start(settings: Settings) -> Self {
        let driver = Driver::start(settings.language).await;
        let browser = Self {
            driver,
            screens: Stack::directory().join("screens"),
        };
        std::fs::create_dir_all(&browser.screens).expect("a directory for pictures");
        let scheme = if settings.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.cdp("Emulation.setEmulatedMedia", media).await;
        let metrics = json!({"width": settings.width, "height": 740, "deviceScaleFactor": 1, "mobile": settings.width < 600});
        browser.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let scripts = json!({"value": !settings.javascript});
        browser.cdp("Emulation.setScriptExecutionDisabled", scripts).await;
        browser
    }

    /// Opens a path of the wake address.
    pub async fn open(&self, stack: &Stack, path: &str) {
        let address = stack.output("WakeUrl").trim_end_matches('/');
        self.open_address(&format!("{address}{path}")).await;
    }

    /// Opens any address.
    pub async fn open_address(&self, address: &str) {
        self.driver.call("POST", "url", json!({"url": address})).await;
    }

    /// The address that is shown.
    pub async fn address(&self) -> String {
        let url = self.driver.call("GET", "url", Value::Null).await;
        url.as_str().expect("an address").to_owned()
    }

    /// What the body of a function gives in the page. `None` if the page changed meanwhile.
    pub async fn try_ask(&self, script: &str) -> Option<Value> {
        let body = json!({"script": script, "args": []});
        self.driver.try_call("POST", "execute/sync", body).await.ok()
    }

    /// As [`Browser::try_ask`], of a page that stays.
    ///
    /// # Panics
    /// If the script fails.
    pub async fn ask(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.driver.call("POST", "execute/sync", body).await
    }

    /// Presses the first element that the selector finds.
    pub async fn press(&self, selector: &str) {
        let query = json!({"using": "css selector", "value": selector});
        let found = self.driver.call("POST", "element", query).await;
        let element = found
            .as_object()
            .and_then(|reference| reference.values().next())
            .and_then(Value::as_str);
        let path = format!("element/{}/click", element.expect("an element"));
        self.driver.call("POST", &path, json!({})).await;
    }

    /// Keeps a picture in `screens`, beside the stack's outputs.
    pub async fn picture(&self, screen: Screen) {
        let png = self.driver.call("GET", "screenshot", Value::Null).await;
        let png = base64::engine::general_purpose::STANDARD
            .decode(png.as_str().expect("base64"))
            .expect("base64");
        let path = self.screens.join(format!("{}.png", screen.0));
        std::fs::write(&path, png).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// What axe-core finds wrong with the page, each as rule, place and why; empty if nothing.
    ///
    /// # Panics
    /// If axe-core is not installed; `cargo xtask test` installs it.
    pub async fn accessibility_problems(&self) -> Vec<String> {
        let path = std::env::var(AXE).unwrap_or_else(|_| {
            panic!("{AXE} must name axe-core's axe.min.js: run `cargo xtask test`, which installs it")
        });
        let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        // What WebDriver runs is not subject to the page's content security policy.
        self.driver
            .call("POST", "execute/sync", json!({"script": axe, "args": []}))
            .await;
        let run = "const done = arguments[arguments.length - 1]; \
            axe.run(document, {runOnly: arguments[0]}).then(done, (error) => done({error: String(error)}));";
        let body = json!({"script": run, "args": [RULES]});
        let result = self.driver.call("POST", "execute/async", body).await;
        assert!(
            result["passes"].as_array().is_some_and(|rules| rules.len() > 10),
            "axe looked at something: {result}"
        );
        let violations = result["violations"].as_array().expect("violations");
        let of = |violation: &Value| {
            let nodes = violation["nodes"].as_array().cloned().unwrap_or_default();
            let nodes = nodes.iter().map(|node| {
                let (html, why) = (&node["html"], &node["failureSummary"]);
                format!("{}: {html}: {why}", violation["id"])
            });
            nodes.collect::<Vec<_>>()
        };
        violations.iter().flat_map(of).collect()
    }

    async fn cdp(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        self.driver.call("POST", "goog/cdp/execute", body).await;
    }

    /// Waits until the script gives `true`, in whatever page is shown then.
    ///
    /// # Panics
    /// When the time is over.
    pub async fn until(&self, what: &str, limit: Duration, script: &str) {
        crate::eventually(what, limit, || async {
            (self.try_ask(script).await == Some(Value::Bool(true))).then_some(())
        })
        .await;
    }
}
