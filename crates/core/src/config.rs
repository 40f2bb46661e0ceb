//! The configuration of a function: read once from a map of environment variables.

use std::collections::HashMap;
use std::time::Duration;

use crate::branding::Branding;
use crate::duration;
use crate::error::{Code, Error};
use crate::guard::Guard;
use crate::ids::ServiceId;
use crate::logs::{LogGroupName, LogPattern, LogSource};
use crate::settings::{self, Defaults, Mode, ServiceSettings, Signals};

/// What every function is told by the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the table of records and settings.
    pub table: String,
    /// `IDLE_AFTER`, `GRACE`, `WAKE_TIMEOUT`, `SIGNALS`, `IDLE_CPU`, `MODE`, `WAKES_PER_DAY`: for services that say nothing themselves.
    pub defaults: Defaults,
    /// `CLUSTER` and `SERVICES`: services without tags that form the group `default`; `LOG_GROUP` and `LOG_PATTERN`
    /// are theirs.
    pub listed: Vec<ServiceSettings>,
    /// `SLEEP_TIMER_ARN`: the state machine to start at a wake; only the wake function has it.
    pub sleep_timer: Option<String>,
    /// `SCALE_IN_ARN`: the state machine that scales in; only scaling-decision has it.
    pub scale_in: Option<String>,
    /// `NOTIFICATION_TOPIC_ARN`: the topic that is told of changes; only scaling-decision has it.
    pub notifications: Option<String>,
    /// `TICK_SECONDS`: how often the connections of services are read that ask for it.
    pub tick: Duration,
    /// `IN_VPC`: whether the function is in the VPC of the tasks, and reaches them at their private addresses.
    pub in_vpc: bool,
    /// `SHARDS`: to how many invocations a tick of auto-sleep is dealt; 1: it does all itself.
    pub shards: u32,
    /// `TICK_QUEUE_URL`: the queue by which it deals; only auto-sleep has it, and only with several shards.
    pub tick_queue: Option<String>,
    /// `FRONT_TARGET_GROUPS`: the target groups of the wake function by their ARNs or names, one for each load balancer that
    /// leads to it; only functions that take turns have them.
    pub front_target_groups: Vec<String>,
    /// `DEAD_LETTER_QUEUE_URL`: where messages go that cannot be understood; only session-metric-ingest has it.
    pub dead_letters: Option<String>,
    /// `PAGE_NAME`, `PAGE_COLOR`, `PAGE_LOGO`, `PAGE_NOTE`: how the pages look; only the wake function has them.
    pub branding: Branding,
    /// `GROUPS_PAGE`: whether the list of all groups is answered; only the wake function has it.
    pub groups_page: bool,
    /// `ADMIN_AUTH`, `ADMIN_TOKEN_SHA256`, `WAKE_AUTH`, `LINK_KEY`: who may do what over HTTP; only the wake function has
    /// them.
    pub guard: Guard,
}

impl Config {
    /// Reads the variables. Empty ones count as absent.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming variable, value and rule.
    pub fn from_env(env: &HashMap<String, String>) -> Result<Self, Error> {
        let get = |name: &str| {
            env.get(name)
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
        };
        let fallback = Defaults::default();
        let idle_after = period(get("IDLE_AFTER"), "IDLE_AFTER", fallback.idle_after)?;
        if idle_after.is_zero() {
            return Err(invalid("IDLE_AFTER", "0s", "must be more than 0s"));
        }
        let signals = match get("SIGNALS") {
            None => fallback.signals,
            Some(text) => Signals::parse(text).ok_or_else(|| invalid("SIGNALS", text, Signals::RULE))?,
        };
        let defaults = Defaults {
            idle_after,
            grace: period(get("GRACE"), "GRACE", fallback.grace)?,
            wake_timeout: period(get("WAKE_TIMEOUT"), "WAKE_TIMEOUT", fallback.wake_timeout)?,
            signals,
            idle_cpu: idle_cpu(get("IDLE_CPU"), fallback.idle_cpu)?,
            mode: mode(get("MODE"))?,
            wakes_per_day: wakes_per_day(get("WAKES_PER_DAY"))?,
        };
        let logs = logs(get("LOG_GROUP"), get("LOG_PATTERN"))?;
        let listed = listed(get("CLUSTER"), get("SERVICES"))?
            .into_iter()
            .map(|id| ServiceSettings {
                logs: logs.clone(),
                ..ServiceSettings::of(id, &defaults)
            })
            .collect();
        Ok(Self {
            table: get("TABLE_NAME")
                .ok_or_else(|| missing("TABLE_NAME", "the name of the table"))?
                .to_owned(),
            defaults,
            listed,
            sleep_timer: get("SLEEP_TIMER_ARN").map(str::to_owned),
            scale_in: get("SCALE_IN_ARN").map(str::to_owned),
            notifications: get("NOTIFICATION_TOPIC_ARN").map(str::to_owned),
            tick: tick(get("TICK_SECONDS"))?,
            in_vpc: in_vpc(get("IN_VPC"))?,
            shards: shards(get("SHARDS"))?,
            tick_queue: get("TICK_QUEUE_URL").map(str::to_owned),
            front_target_groups: front_target_groups(get("FRONT_TARGET_GROUPS"))?,
            dead_letters: get("DEAD_LETTER_QUEUE_URL").map(str::to_owned),
            branding: Branding::read(get)?,
            groups_page: groups_page(get("GROUPS_PAGE"))?,
            guard: Guard::from_env(get)?,
        })
    }
}

fn period(value: Option<&str>, name: &str, default: Duration) -> Result<Duration, Error> {
    value.map_or(Ok(default), |text| {
        duration::parse(text).ok_or_else(|| invalid(name, text, duration::RULE))
    })
}

fn idle_cpu(value: Option<&str>, default: u32) -> Result<u32, Error> {
    value.map_or(Ok(default), |text| {
        settings::parse_idle_cpu(text).ok_or_else(|| invalid("IDLE_CPU", text, settings::IDLE_CPU_RULE))
    })
}

/// The seconds between two passes where nobody says otherwise. Two passes and the calls between fit into the 6 s that are the mark to beat.
const TICK_SECONDS: u64 = 3;

/// The minute is a multiple of each, so that passes are as far apart from one invocation to the next as within one, and
/// each is well below [`LONGEST_GAP`](crate::scaling::connections::LONGEST_GAP): else a lull would begin anew each minute.
const TICKS: [u64; 8] = [1, 2, 3, 4, 5, 6, 10, 12];

/// More shards would not be faster: together they read no more than one. Our choice.
const MOST_SHARDS: u32 = 32;

fn tick(value: Option<&str>) -> Result<Duration, Error> {
    let seconds = value.map_or(Some(TICK_SECONDS), |text| {
        text.parse().ok().filter(|seconds| TICKS.contains(seconds))
    });
    let rule = "must be 1, 2, 3, 4, 5, 6, 10 or 12 seconds";
    let seconds = seconds.ok_or_else(|| invalid("TICK_SECONDS", value.unwrap_or_default(), rule))?;
    Ok(Duration::from_secs(seconds))
}

fn shards(value: Option<&str>) -> Result<u32, Error> {
    value.map_or(Ok(1), |text| {
        let shards = text
            .parse()
            .ok()
            .filter(|shards| (1..=MOST_SHARDS).contains(shards));
        shards.ok_or_else(|| invalid("SHARDS", text, "must be a whole number from 1 to 32"))
    })
}

/// Empty places of the list are passed over: the template leaves them where it has nothing to name.
fn front_target_groups(value: Option<&str>) -> Result<Vec<String>, Error> {
    let names = value.unwrap_or_default().split(',').map(str::trim);
    let is_name = |name: &str| {
        let mut chars = name.chars();
        name.len() <= 32 && chars.all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let is_arn = |arn: &str| {
        let parts: Vec<&str> = arn.split(':').collect();
        matches!(parts[..], ["arn", _, "elasticloadbalancing", _, _, name] if name.starts_with("targetgroup/"))
    };
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let rule = "must be ARNs or names of target groups, separated by commas";
            let is_one = is_name(name) || is_arn(name);
            is_one
                .then(|| name.to_owned())
                .ok_or_else(|| invalid("FRONT_TARGET_GROUPS", name, rule))
        })
        .collect()
}

fn mode(value: Option<&str>) -> Result<Mode, Error> {
    value.map_or(Ok(Mode::Act), |text| {
        Mode::parse(text).ok_or_else(|| invalid("MODE", text, Mode::RULE))
    })
}

fn groups_page(value: Option<&str>) -> Result<bool, Error> {
    match value {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(invalid("GROUPS_PAGE", other, "must be `on` or `off`")),
    }
}

fn wakes_per_day(value: Option<&str>) -> Result<u32, Error> {
    value.map_or(Ok(0), |text| {
        settings::parse_wakes_per_day(text)
            .ok_or_else(|| invalid("WAKES_PER_DAY", text, settings::WAKES_PER_DAY_RULE))
    })
}

fn in_vpc(value: Option<&str>) -> Result<bool, Error> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(invalid("IN_VPC", other, "must be `true` or `false`")),
    }
}

fn logs(group: Option<&str>, pattern: Option<&str>) -> Result<Option<LogSource>, Error> {
    let Some(text) = group else { return Ok(None) };
    let group = LogGroupName::parse(text).ok_or_else(|| invalid("LOG_GROUP", text, LogGroupName::RULE))?;
    let pattern = pattern
        .map(|text| LogPattern::parse(text).ok_or_else(|| invalid("LOG_PATTERN", text, LogPattern::RULE)))
        .transpose()?;
    Ok(Some(LogSource {
        group,
        pattern,
        names: Default::default(),
    }))
}

fn listed(cluster: Option<&str>, services: Option<&str>) -> Result<Vec<ServiceId>, Error> {
    let Some(services) = services else {
        return Ok(Vec::new());
    };
    let cluster = cluster.ok_or_else(|| missing("CLUSTER", "the cluster of the services in SERVICES"))?;
    let names = services.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            ServiceId::parse(&format!("{cluster}/{name}")).map_err(|_| {
                invalid(
                    "SERVICES",
                    services,
                    "must be names of services, separated by commas",
                )
            })
        })
        .collect()
}

pub(crate) fn invalid(name: &str, value: &str, rule: &str) -> Error {
    Error::new(
        Code::InvalidConfig,
        format!("environment variable `{name}`, value `{value}`: {rule}"),
    )
}

fn missing(name: &str, what: &str) -> Error {
    Error::new(
        Code::InvalidConfig,
        format!("environment variable `{name}` is missing: it must be {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::connections::LONGEST_GAP;
    use crate::scaling::watch::MINUTE;

    fn read(env: &[(&str, &str)]) -> Result<Config, Error> {
        Config::from_env(
            &env.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn only_the_table_is_required() {
        let config =
            read(&[("TABLE_NAME", "t"), ("SERVICES", ""), ("SIGNALS", " ")]).expect("a configuration");
        assert_eq!(config.defaults, Defaults::default());
        assert_eq!(
            (config.table.as_str(), config.listed.len(), config.sleep_timer),
            ("t", 0, None)
        );
    }

    #[test]
    fn target_groups_of_the_wake_function_are_listed_with_commas() {
        let one = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/wake/0123456789abcdef";
        let list = format!(",{one}, dormouse-wake,");
        let config = read(&[("TABLE_NAME", "t"), ("FRONT_TARGET_GROUPS", &list)]);
        assert_eq!(
            config.expect("a configuration").front_target_groups,
            [one, "dormouse-wake"]
        );
    }

    #[test]
    fn listed_services_belong_to_the_cluster() {
        let config = read(&[("TABLE_NAME", "t"), ("CLUSTER", "dev"), ("SERVICES", "web, api,")])
            .expect("a configuration");
        let ids: Vec<String> = config
            .listed
            .iter()
            .map(|settings| settings.id.to_string())
            .collect();
        assert_eq!(ids, ["dev/web", "dev/api"]);
    }

    #[test]
    fn listed_services_have_the_stacks_log_group() {
        let config = read(&[
            ("TABLE_NAME", "t"),
            ("CLUSTER", "dev"),
            ("SERVICES", "web"),
            ("LOG_GROUP", "/ecs/web"),
            ("LOG_PATTERN", "GET /"),
        ]);
        let logs = config.expect("a configuration").listed[0]
            .logs
            .clone()
            .expect("a log group");
        assert!(logs.group.as_str() == "/ecs/web" && logs.matches("GET / 200"));
    }

    #[test]
    fn a_bad_variable_is_named_with_value_and_rule() {
        for (name, value) in [
            ("IDLE_AFTER", "soon"),
            ("IDLE_AFTER", "0s"),
            ("GRACE", "5"),
            ("WAKE_TIMEOUT", "-1m"),
            ("SIGNALS", "vibes"),
            ("SERVICES", "a/b"),
            ("IDLE_CPU", "101"),
            ("LOG_GROUP", "a b"),
            ("TICK_SECONDS", "0"),
            ("TICK_SECONDS", "7"),
            ("TICK_SECONDS", "15"),
            ("IN_VPC", "yes"),
            ("MODE", "dry-run"),
            ("SHARDS", "0"),
            ("SHARDS", "33"),
            ("PAGE_COLOR", "red"),
            ("PAGE_LOGO", "https://example.com/logo.png"),
            ("GROUPS_PAGE", "maybe"),
            ("WAKES_PER_DAY", "-1"),
            ("WAKES_PER_DAY", "10001"),
            ("ADMIN_AUTH", "password"),
            ("WAKE_AUTH", "token"),
            ("FRONT_TARGET_GROUPS", "arn:aws:lambda:x"),
        ] {
            let error = read(&[("TABLE_NAME", "t"), ("CLUSTER", "dev"), (name, value)]).expect_err(name);
            assert_eq!(error.code, Code::InvalidConfig);
            assert!(
                error.message.contains(&format!("`{name}`, value `{value}`")),
                "{error}"
            );
        }
        let short = [
            ("TABLE_NAME", "t"),
            ("ADMIN_AUTH", "token"),
            ("ADMIN_TOKEN_SHA256", "abc"),
        ];
        let error = read(&short).expect_err("no hash");
        assert!(
            error.message.contains("`ADMIN_TOKEN_SHA256`, value `abc`"),
            "{error}"
        );
        assert!(
            read(&[])
                .expect_err("no table")
                .message
                .contains("`TABLE_NAME` is missing")
        );
        assert!(
            read(&[("TABLE_NAME", "t"), ("SERVICES", "web")])
                .expect_err("no cluster")
                .message
                .contains("`CLUSTER`")
        );
    }

    #[test]
    fn passes_are_as_far_apart_over_the_end_of_a_minute_as_within_it() {
        for tick in TICKS {
            let tick = Duration::from_secs(tick);
            assert!(MINUTE.as_secs().is_multiple_of(tick.as_secs()));
            assert!(tick + Duration::from_secs(2) < LONGEST_GAP);
        }
    }
}
