//! What owners ask for: the settings of services and groups, already validated.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connections::Endpoint;
use crate::duration;
use crate::error::{Code, Error};
use crate::hours::{Change, Hours, Outlook};
use crate::ids::{GroupName, ServiceId};
use crate::logs::LogSource;
use crate::needs::Need;
use crate::reading::Signal;
use crate::scaling::bounds::Scaling;

/// Which signals decide about idleness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signals {
    /// Those that the service has the means for: `requests` behind a load balancer, `logs` with a log group,
    /// `connections` with an endpoint that counts them.
    Configured,
    /// None: sleep a fixed time after the last wake.
    FixedTimer,
    /// Those listed by the owner.
    Listed(BTreeSet<Signal>),
}

impl Signals {
    /// The rule that [`Signals::parse`] applies, for error messages.
    pub const RULE: &str = "must be `none` or some of `requests`, `logs`, `connections`, `cpu`, `sessions` and \
         `protection`, separated by spaces";

    /// Parses `none` or a list such as `requests logs`; `None` breaks [`Signals::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words == ["none"] {
            return Some(Self::FixedTimer);
        }
        let listed = words
            .iter()
            .map(|word| Signal::ALL.into_iter().find(|signal| signal.as_str() == *word))
            .collect::<Option<BTreeSet<_>>>()?;
        (!listed.is_empty()).then_some(Self::Listed(listed))
    }
}

/// Whether what is decided is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It is.
    #[default]
    Act,
    /// It is decided and reported, and nothing is changed.
    Observe,
}

impl Mode {
    /// The rule that [`Mode::parse`] applies, for error messages.
    pub const RULE: &str = "must be `act` or `observe`";

    /// Parses `act` or `observe`; `None` breaks [`Mode::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "act" => Some(Self::Act),
            "observe" => Some(Self::Observe),
            _ => None,
        }
    }
}

/// What a stack says for services that say nothing themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// How long every signal must be quiet before sleep.
    pub idle_after: Duration,
    /// Minimum time awake.
    pub grace: Duration,
    /// How long a wake may take before its page says that something is wrong.
    pub wake_timeout: Duration,
    /// Which signals decide.
    pub signals: Signals,
    /// A task whose CPU utilization stays at or below this many percent is idle.
    pub idle_cpu: u32,
    /// Whether what is decided is done.
    pub mode: Mode,
    /// How often a group may be woken over HTTP in a day of UTC; 0: as often as somebody comes.
    pub wakes_per_day: u32,
}

/// [`Defaults::idle_cpu`] where nobody says otherwise. Our choice: above what runtimes use while they wait.
pub const IDLE_CPU: u32 = 5;

impl Default for Defaults {
    fn default() -> Self {
        Self {
            idle_after: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(5 * 60),
            wake_timeout: Duration::from_secs(5 * 60),
            signals: Signals::Configured,
            idle_cpu: IDLE_CPU,
            mode: Mode::Act,
            wakes_per_day: 0,
        }
    }
}

/// The settings of one service, from its tags or the stack's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSettings {
    /// Which service.
    pub id: ServiceId,
    /// Tasks to wake it with; none: as before sleep, else 1.
    pub wake_count: Option<u32>,
    /// How long every signal must be quiet before sleep.
    #[serde(with = "duration::text")]
    pub idle_after: Duration,
    /// Minimum time awake.
    #[serde(with = "duration::text")]
    pub grace: Duration,
    /// Which signals decide about this service.
    pub signals: Signals,
    /// Where visitors find the app; none: the load balancer, else the task's public address.
    pub url: Option<AppUrl>,
    /// The app's port; none: the container's.
    pub port: Option<u16>,
    /// Path whose 2xx or 3xx answer means ready, where nothing else tells.
    pub ready_path: String,
    /// Where its log lines show use, if anywhere.
    #[serde(default)]
    pub logs: Option<LogSource>,
    /// Where its tasks count their connections, if anywhere.
    #[serde(default)]
    pub connections: Option<Endpoint>,
    /// CPU utilization, in percent, up to which a task is idle.
    #[serde(default = "idle_cpu")]
    pub idle_cpu: u32,
    /// How far it may scale while awake, and what asks for it.
    #[serde(default)]
    pub scaling: Scaling,
    /// Hours in which its group is kept awake, if any.
    #[serde(default)]
    pub awake: Option<Hours>,
    /// Whether what is decided is done; the services of a group have the same.
    #[serde(default)]
    pub mode: Mode,
    /// What must be ready before it is started, and is stopped only after it.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// How often its group may be woken over HTTP in a day of UTC; 0: as often as somebody comes; none: as the stack says.
    #[serde(default)]
    pub wakes_per_day: Option<u32>,
    /// Whether its load balancer leads to the wake function while it sleeps.
    #[serde(default)]
    pub front: bool,
}

/// The rule that [`parse_idle_cpu`] applies, for error messages.
pub const IDLE_CPU_RULE: &str = "must be a whole number of percent from 1 to 100";

/// Parses an idle CPU utilization in percent; `None` breaks [`IDLE_CPU_RULE`].
#[must_use]
pub fn parse_idle_cpu(text: &str) -> Option<u32> {
    let percent = text.trim().parse().ok()?;
    (1..=100).contains(&percent).then_some(percent)
}

/// The rule that [`parse_wakes_per_day`] applies, for error messages.
pub const WAKES_PER_DAY_RULE: &str = "must be a whole number from 0 to 10000; 0 is no limit";

/// Parses a number of wakes a day; `None` breaks [`WAKES_PER_DAY_RULE`].
#[must_use]
pub fn parse_wakes_per_day(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|wakes| *wakes <= 10_000)
}

fn idle_cpu() -> u32 {
    IDLE_CPU
}

impl ServiceSettings {
    /// The settings of a service that says nothing itself.
    #[must_use]
    pub fn of(id: ServiceId, defaults: &Defaults) -> Self {
        Self {
            id,
            wake_count: None,
            idle_after: defaults.idle_after,
            grace: defaults.grace,
            signals: defaults.signals.clone(),
            url: None,
            port: None,
            ready_path: "/".to_owned(),
            logs: None,
            connections: None,
            idle_cpu: defaults.idle_cpu,
            scaling: Scaling::default(),
            awake: None,
            mode: defaults.mode,
            needs: Vec::new(),
            wakes_per_day: None,
            front: false,
        }
    }
}

/// The rule that [`parse_front`] applies, for error messages.
pub const FRONT_RULE: &str = "must be `on` or `off`";

/// Parses whether a load balancer leads to the wake function; `None` breaks [`FRONT_RULE`].
#[must_use]
pub fn parse_front(text: &str) -> Option<bool> {
    match text.trim() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// The address of an app, as its owner gave it: `http` or `https`, a host, perhaps a port and a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppUrl(String);

impl AppUrl {
    /// The rule that [`AppUrl::parse`] applies, for error messages.
    pub const RULE: &str =
        "must be an http:// or https:// address with a host and no user, query or fragment";

    /// Parses an address; `None` breaks [`AppUrl::RULE`]. A trailing `/` is dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        let path_char = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\');
        let good = !host.is_empty()
            && host.chars().all(host_char)
            && port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0))
            && path.chars().all(path_char);
        good.then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    /// The address of a host and port that ECS or a load balancer named.
    #[must_use]
    pub fn of(scheme: &str, host: &str, port: u16) -> Option<Self> {
        match (scheme, port) {
            ("http", 80) | ("https", 443) => Self::parse(&format!("{scheme}://{host}")),
            _ => Self::parse(&format!("{scheme}://{host}:{port}")),
        }
    }

    /// This address with a path (beginning with `/`, or empty) and a query (without `?`, or empty) added.
    #[must_use]
    pub fn join(&self, path: &str, query: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{slash}{path}{mark}{query}", self.0)
    }

    /// The address without a trailing `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AppUrl {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        Self::parse(&value).ok_or_else(|| format!("address `{value}`: {}", Self::RULE))
    }
}

impl From<AppUrl> for String {
    fn from(url: AppUrl) -> Self {
        url.0
    }
}

/// Something that an owner or operator should mend, with the service that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable code.
    pub code: Code,
    /// The service, if it is about one.
    pub service: Option<ServiceId>,
    /// Names the thing, the value and the rule, or what AWS said.
    pub message: String,
}

impl Problem {
    /// A problem of one service.
    #[must_use]
    pub fn of(service: &ServiceId, error: Error) -> Self {
        Self {
            code: error.code,
            service: Some(service.clone()),
            message: error.message,
        }
    }
}

/// The services that wake and sleep together, and what is wrong with their tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSettings {
    /// The group's name.
    pub name: GroupName,
    /// Its services, by cluster and name.
    pub services: Vec<ServiceSettings>,
    /// How long a wake may take before its page says that something is wrong.
    #[serde(with = "duration::text")]
    pub wake_timeout: Duration,
    /// Bad tags; their services stay at their last good settings.
    pub problems: Vec<Problem>,
    /// The groups that need a service of this one: it stays up while any of them is.
    #[serde(default)]
    pub needed_by: BTreeSet<GroupName>,
    /// [`GroupSettings::wakes_per_day`] where no service of the group says otherwise; 0: no limit.
    #[serde(default)]
    pub usual_wakes_per_day: u32,
}

impl GroupSettings {
    /// A group of these services, that never takes long to wake and has no bad tags.
    #[must_use]
    pub fn of(name: &GroupName, services: Vec<ServiceSettings>) -> Self {
        Self {
            name: name.clone(),
            services,
            wake_timeout: Duration::ZERO,
            problems: Vec::new(),
            needed_by: BTreeSet::new(),
            usual_wakes_per_day: 0,
        }
    }

    /// How often the group may be woken over HTTP in a day of UTC: the fewest that a service of the group asks for, else
    /// what the stack says; none: as often as somebody comes.
    #[must_use]
    pub fn wakes_per_day(&self) -> Option<u32> {
        let asked: Vec<u32> = self.services.iter().filter_map(|s| s.wakes_per_day).collect();
        if asked.is_empty() {
            Some(self.usual_wakes_per_day).filter(|limit| *limit > 0)
        } else {
            asked.into_iter().filter(|limit| *limit > 0).min()
        }
    }

    /// Whether the group is only observed: nothing is changed.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.services.iter().any(|service| service.mode == Mode::Observe) {
            Mode::Observe
        } else {
            Mode::Act
        }
    }

    /// Every signal must be quiet for this long: the longest that a service of the group asks for.
    #[must_use]
    pub fn idle_after(&self) -> Duration {
        self.services
            .iter()
            .map(|s| s.idle_after)
            .max()
            .unwrap_or_default()
    }

    /// Minimum time awake: the longest that a service of the group asks for.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.services.iter().map(|s| s.grace).max().unwrap_or_default()
    }

    /// What the hours of its services say together, if one has some: the group is to be awake while any of them says so.
    /// Waking takes `lead`.
    #[must_use]
    pub fn outlook(&self, now: Timestamp, lead: Duration) -> Option<Outlook> {
        let hours = self.services.iter().filter_map(|service| service.awake.as_ref());
        let outlooks = hours.map(|hours| hours.outlook(now, lead));
        outlooks.reduce(|one, other| Outlook {
            awake: one.awake || other.awake,
            change: match (one.awake, other.awake) {
                (true, false) => one.change,
                (false, true) => other.change,
                // Of two that are awake, the one that ends last; it may not be the end yet, and is looked at again then.
                (true, true) => later(one.change, other.change),
                (false, false) => earlier(one.change, other.change),
            },
        })
    }

    /// The groups that have a service which one of this group needs.
    #[must_use]
    pub fn needed_groups(&self) -> BTreeSet<&GroupName> {
        let needs = self.services.iter().flat_map(|service| &service.needs);
        needs.filter_map(|need| need.group.as_ref()).collect()
    }

    /// Whether a service asks for a fixed time since the last wake.
    #[must_use]
    pub fn fixed_timer(&self) -> bool {
        self.services.iter().any(|s| s.signals == Signals::FixedTimer)
    }
}

/// Never is later than any moment.
fn later(one: Option<Change>, other: Option<Change>) -> Option<Change> {
    one.zip(other)
        .map(|(one, other)| if one.at > other.at { one } else { other })
}

fn earlier(one: Option<Change>, other: Option<Change>) -> Option<Change> {
    [one, other].into_iter().flatten().min_by_key(|change| change.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_host_whatever_path_a_visitor_sends() {
        let url = AppUrl::parse("https://dev.example.com:8443/base/").expect("an address");
        assert_eq!(
            url.join("/a/b", "x=1&y=%20"),
            "https://dev.example.com:8443/base/a/b?x=1&y=%20"
        );
        assert_eq!(url.join("", ""), "https://dev.example.com:8443/base/");
        assert_eq!(
            url.join("//evil.example", ""),
            "https://dev.example.com:8443/base//evil.example"
        );
        assert_eq!(
            url.join("@evil.example", ""),
            "https://dev.example.com:8443/base/@evil.example"
        );
    }

    #[test]
    fn an_address_is_http_with_a_host_and_nothing_that_misleads() {
        for good in [
            "http://a",
            "https://a.b:1/c",
            "http://[::1]:8080",
            "http://10.0.0.1:80",
        ] {
            assert!(AppUrl::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a.b",
            "ftp://a",
            "javascript:alert(1)",
            "http://",
            "http:///x",
            "http://u@h",
            "http://u:p@h",
            "http://a:0",
            "http://a:70000",
            "http://a/?q",
            "http://a/#f",
            "http://a b",
            "http://a/\"x",
        ] {
            assert!(AppUrl::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn settings_of_the_first_version_are_still_read() {
        let stored = serde_json::json!({
            "id": "dev/web", "wake_count": null, "idle_after": "30m", "grace": "5m", "signals": "configured",
            "url": null, "port": null, "ready_path": "/",
        });
        let settings: ServiceSettings = serde_json::from_value(stored).expect("settings");
        assert_eq!(
            settings,
            ServiceSettings::of(ServiceId::new("dev", "web"), &Defaults::default())
        );
    }

    #[test]
    fn signals_are_none_or_a_list_of_known_ones() {
        assert_eq!(Signals::parse("none"), Some(Signals::FixedTimer));
        assert_eq!(
            Signals::parse(" requests  requests "),
            Some(Signals::Listed(BTreeSet::from([Signal::Requests])))
        );
        assert_eq!(
            Signals::parse("protection sessions cpu connections logs requests"),
            Some(Signals::Listed(BTreeSet::from(Signal::ALL)))
        );
        for bad in ["", "none requests", "request", "requests,logs"] {
            assert_eq!(Signals::parse(bad), None, "{bad:?}");
        }
    }
}
