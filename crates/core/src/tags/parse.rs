//! The tags of one service.

use crate::connections::Endpoint;
use crate::duration;
use crate::error::{Code, Error};
use crate::guard::scanners;
use crate::hours::Flaw;
use crate::ids::GroupName;
use crate::logs::{LogGroupName, LogPattern, LogSource, RecordName};
use crate::needs::Need;
use crate::scaling::bounds::{Conflict, Range, Scaling};
use crate::scaling::connections::mode::Mode;
use crate::scaling::connections::steps::Steps;
use crate::scaling::connections::target::Target;
use crate::settings::{self, AppUrl, Defaults, Mode as Acting, Problem, ServiceSettings, Signals};

use super::{GROUP, PREFIX, TaggedService};

/// The settings that good tags give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The group that the service belongs to.
    pub group: GroupName,
    /// Its settings.
    pub settings: ServiceSettings,
}

/// Parses the tags of one service. Tags of others are ignored.
///
/// # Errors
/// One problem per bad tag; each names service, tag, value and rule. A `dormouse:` tag that this version does
/// not know is bad too: it may hold the service back in a way that this version cannot honour.
pub fn parse(service: &TaggedService, defaults: &Defaults) -> Result<Parsed, Vec<Problem>> {
    let mut settings = ServiceSettings::of(service.id.clone(), defaults);
    let mut group = None;
    let (mut log_group, mut log_pattern, mut dns_names) = (None, None, None);
    let (mut steps, mut target) = (None, None);
    let mut problems = Vec::new();
    for (tag, value) in &service.tags {
        let Some(name) = tag.strip_prefix(PREFIX) else {
            continue;
        };
        let bad = match name {
            "group" => match GroupName::parse(value) {
                Ok(_) if scanners::is_no_group(value) => Some(
                    "must not be a name that scanners ask every host for, such as `phpmyadmin` or `x.php`",
                ),
                Ok(name) => {
                    group = Some(name);
                    None
                }
                Err(_) => {
                    Some("must be 1 to 50 letters, digits, `.`, `_` or `-`, beginning with a letter or digit")
                }
            },
            "wake-count" => set(
                &mut settings.wake_count,
                Scaling::parse_count(value).map(Some),
                Scaling::COUNT_RULE,
            ),
            "min" => set(
                &mut settings.scaling.min,
                Scaling::parse_count(value),
                Scaling::COUNT_RULE,
            ),
            "max" => set(
                &mut settings.scaling.max,
                Scaling::parse_count(value).map(Some),
                Scaling::COUNT_RULE,
            ),
            "cpu" => set(
                &mut settings.scaling.cpu,
                Range::parse(value).map(Some),
                Range::RULE,
            ),
            "memory" => set(
                &mut settings.scaling.memory,
                Range::parse(value).map(Some),
                Range::RULE,
            ),
            "steps" => set(&mut steps, Steps::parse(value).map(Some), Steps::RULE),
            "target" => set(&mut target, Target::parse(value).map(Some), Target::RULE),
            "awake" => match value.parse() {
                Ok(hours) => {
                    settings.awake = Some(hours);
                    None
                }
                Err(flaw) => {
                    problems.push(problem(service, tag, value, &Flaw::to_string(&flaw)));
                    None
                }
            },
            "mode" => set(&mut settings.mode, Acting::parse(value), Acting::RULE),
            "scale-in" => set(
                &mut settings.scaling.scale_in,
                Scaling::parse_scale_in(value),
                Scaling::SCALE_IN_RULE,
            ),
            "idle-after" => set(
                &mut settings.idle_after,
                duration::parse(value).filter(|d| !d.is_zero()),
                "must be whole numbers with a unit s, m, h or d, such as 30s, 5m or 1h30m, more than 0s, at most 366d",
            ),
            "grace" => set(&mut settings.grace, duration::parse(value), duration::RULE),
            "signals" => set(&mut settings.signals, Signals::parse(value), Signals::RULE),
            "url" => set(&mut settings.url, AppUrl::parse(value).map(Some), AppUrl::RULE),
            "port" => set(
                &mut settings.port,
                value.trim().parse().ok().filter(|p| *p > 0).map(Some),
                "must be a port from 1 to 65535",
            ),
            "ready-path" => set(
                &mut settings.ready_path,
                value
                    .starts_with('/')
                    .then(|| value.trim_end().to_owned())
                    .filter(|p| !p.contains(' ')),
                "must begin with `/` and have no spaces",
            ),
            "log-group" => set(
                &mut log_group,
                LogGroupName::parse(value).map(Some),
                LogGroupName::RULE,
            ),
            "log-pattern" => set(
                &mut log_pattern,
                LogPattern::parse(value).map(Some),
                LogPattern::RULE,
            ),
            "dns-names" => set(
                &mut dns_names,
                RecordName::parse_list(value).map(Some),
                RecordName::RULE,
            ),
            "connections" => set(
                &mut settings.connections,
                Endpoint::parse(value).map(Some),
                Endpoint::RULE,
            ),
            "needs" => set(&mut settings.needs, Need::parse_list(value), Need::RULE),
            "wakes-per-day" => set(
                &mut settings.wakes_per_day,
                settings::parse_wakes_per_day(value).map(Some),
                settings::WAKES_PER_DAY_RULE,
            ),
            "front" => set(
                &mut settings.front,
                settings::parse_front(value),
                settings::FRONT_RULE,
            ),
            "idle-cpu" => set(
                &mut settings.idle_cpu,
                settings::parse_idle_cpu(value),
                settings::IDLE_CPU_RULE,
            ),
            _ => Some("is not a tag that this version knows"),
        };
        if let Some(rule) = bad {
            problems.push(problem(service, tag, value, rule));
        }
    }
    settings.logs = log_group.map(|group| LogSource {
        group,
        pattern: log_pattern,
        names: dns_names.unwrap_or_default(),
    });
    settings.scaling.connections = steps.map(Mode::Steps).or(target.map(Mode::Target));
    for need in &mut settings.needs {
        // A service of the own group, written in full.
        need.group.take_if(|named| Some(&*named) == group.as_ref());
    }
    problems.extend(alone(service));
    problems.extend(contradiction(service, &settings));
    match group {
        Some(group) if problems.is_empty() => Ok(Parsed { group, settings }),
        Some(_) => Err(problems),
        None if problems.is_empty() => {
            let message = format!("service `{}`, tag `{GROUP}`: is missing", service.id);
            Err(vec![Problem::of(
                &service.id,
                Error::new(Code::InvalidTag, message),
            )])
        }
        None => Err(problems),
    }
}

pub(super) fn problem(service: &TaggedService, tag: &str, value: &str, rule: &str) -> Problem {
    let message = format!("service `{}`, tag `{tag}`, value `{value}`: {rule}", service.id);
    Problem::of(&service.id, Error::new(Code::InvalidTag, message))
}

/// Tags that mean nothing without another one: whoever set them expects wakes or tasks that would never come.
const NEEDS: [(&str, &str, &str); 4] = [
    (
        "log-pattern",
        "log-group",
        "needs the tag `dormouse:log-group` beside it",
    ),
    (
        "dns-names",
        "log-group",
        "needs the tag `dormouse:log-group` beside it",
    ),
    (
        "steps",
        "connections",
        "needs the tag `dormouse:connections` beside it",
    ),
    (
        "target",
        "connections",
        "needs the tag `dormouse:connections` beside it",
    ),
];

fn alone(service: &TaggedService) -> Vec<Problem> {
    let lost = NEEDS
        .iter()
        .filter(|(_, needed, _)| tag(service, needed).is_none());
    lost.filter_map(|(name, _, rule)| {
        let (tag, value) = tag(service, name)?;
        Some(problem(service, tag, value, rule))
    })
    .collect()
}

/// Tags that are good one by one and contradict each other. A tag that is bad by itself is not among the settings,
/// so it contradicts nothing.
fn contradiction(service: &TaggedService, settings: &ServiceSettings) -> Vec<Problem> {
    let bounds = settings.scaling.conflict(settings.wake_count);
    let both = tag(service, "steps")
        .and(tag(service, "target"))
        .map(|_| Conflict {
            tag: "target",
            rule: "must not be beside `dormouse:steps`: one of the two decides".to_owned(),
        });
    let found = bounds.into_iter().chain(both).filter_map(|conflict| {
        let (tag, value) = tag(service, conflict.tag)?;
        Some(problem(service, tag, value, &conflict.rule))
    });
    found.collect()
}

fn tag<'a>(service: &'a TaggedService, name: &str) -> Option<&'a (String, String)> {
    let mut tags = service.tags.iter();
    tags.find(|(tag, _)| tag.strip_prefix(PREFIX) == Some(name))
}

fn set<T>(place: &mut T, value: Option<T>, rule: &'static str) -> Option<&'static str> {
    match value {
        Some(value) => {
            *place = value;
            None
        }
        None => Some(rule),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::service;
    use super::*;

    #[test]
    fn a_service_says_what_it_wants_and_the_stack_says_the_rest() {
        let parsed = parse(
            &service(&[
                ("Name", "web"),
                ("dormouse:group", "checkout"),
                ("dormouse:wake-count", "2"),
                ("dormouse:idle-after", "10s"),
                ("dormouse:signals", "none"),
                ("dormouse:url", "https://dev.example.com"),
                ("dormouse:port", "8080"),
                ("dormouse:ready-path", "/healthz"),
                ("dormouse:log-group", "/ecs/web"),
                ("dormouse:log-pattern", "/api/v1/"),
                ("dormouse:connections", ":8080/nginx_status"),
                ("dormouse:idle-cpu", "3"),
                ("dormouse:wakes-per-day", "20"),
                ("dormouse:min", "2"),
                ("dormouse:max", "20"),
                ("dormouse:cpu", "30-70"),
                ("dormouse:memory", "20-85"),
                ("dormouse:steps", "50:2 100:10"),
                ("dormouse:scale-in", "off"),
                ("dormouse:awake", "mon-fri 08:00-18:00 europe/warsaw"),
                ("dormouse:mode", "observe"),
                ("dormouse:needs", "db shared/cache checkout/mq"),
            ]),
            &Defaults::default(),
        )
        .expect("good tags");
        assert_eq!(parsed.group.as_str(), "checkout");
        let s = parsed.settings;
        assert_eq!(
            (s.wake_count, s.port, s.ready_path.as_str()),
            (Some(2), Some(8080), "/healthz")
        );
        assert_eq!(
            (s.idle_after, s.grace),
            (Duration::from_secs(10), Duration::from_secs(300))
        );
        assert_eq!((s.signals, s.mode), (Signals::FixedTimer, Acting::Observe));
        assert!(s.logs.as_ref().is_some_and(|logs| logs.matches("GET /api/v1/x")));
        assert_eq!(
            (s.connections, s.idle_cpu, s.wakes_per_day),
            (Endpoint::parse(":8080/nginx_status"), 3, Some(20))
        );
        assert_eq!(s.url.expect("a url").as_str(), "https://dev.example.com");
        assert_eq!(
            s.awake.map(|hours| hours.to_string()),
            Some("Mon-Fri 08:00-18:00 Europe/Warsaw".to_owned())
        );
        assert_eq!(
            s.needs.iter().map(Need::to_string).collect::<Vec<_>>(),
            ["db", "shared/cache", "mq"],
            "its own group needs no name"
        );
        assert_eq!(
            s.scaling,
            Scaling {
                min: 2,
                max: Some(20),
                cpu: Range::parse("30-70"),
                memory: Range::parse("20-85"),
                connections: Steps::parse("50:2 100:10").map(Mode::Steps),
                scale_in: false,
            }
        );
    }

    #[test]
    fn a_service_that_says_nothing_of_scaling_keeps_its_count_while_awake() {
        let parsed = parse(&service(&[(GROUP, "dev")]), &Defaults::default()).expect("good tags");
        assert_eq!(parsed.settings.scaling, Scaling::default());
        assert_eq!(
            Scaling::default(),
            Scaling {
                min: 1,
                max: None,
                cpu: None,
                memory: None,
                connections: None,
                scale_in: true,
            }
        );
    }

    #[test]
    fn connections_per_task_are_a_table_or_a_target_and_need_to_be_counted() {
        let count = ("dormouse:connections", ":8080/nginx_status");
        let parsed = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = [(GROUP, "dev")].iter().chain(tags).copied().collect();
            let messages =
                |problems: Vec<Problem>| problems.into_iter().map(|p| p.message).collect::<Vec<_>>();
            parse(&service(&tags), &Defaults::default())
                .map(|parsed| parsed.settings.scaling.connections)
                .map_err(messages)
        };
        let target = ("dormouse:target", "100");
        assert_eq!(
            parsed(&[count, target]),
            Ok(Target::parse("100").map(Mode::Target))
        );
        assert_eq!(
            parsed(&[target]),
            Err(vec![
                "service `dev/web`, tag `dormouse:target`, value `100`: needs the tag `dormouse:connections` beside it"
                    .to_owned()
            ])
        );
        assert_eq!(
            parsed(&[count, target, ("dormouse:steps", "50:2")]),
            Err(vec![
                "service `dev/web`, tag `dormouse:target`, value `100`: must not be beside `dormouse:steps`: one of the \
                 two decides"
                    .to_owned()
            ])
        );
    }

    #[test]
    fn the_wake_count_may_be_either_end_of_the_bounds() {
        for (min, max, wake_count) in [
            ("2", "5", "2"),
            ("2", "5", "5"),
            ("3", "3", "3"),
            ("1", "5000", "7"),
        ] {
            let tags = [
                (GROUP, "dev"),
                ("dormouse:wake-count", wake_count),
                ("dormouse:min", min),
                ("dormouse:max", max),
            ];
            assert!(parse(&service(&tags), &Defaults::default()).is_ok(), "{tags:?}");
        }
        let alone = parse(
            &service(&[(GROUP, "dev"), ("dormouse:min", "3")]),
            &Defaults::default(),
        );
        assert!(alone.is_ok(), "a minimum needs neither maximum nor wake count");
    }

    #[test]
    fn tags_that_contradict_each_other_are_named_with_the_other_value() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (
                &[("dormouse:max", "3"), ("dormouse:min", "5")],
                "service `dev/web`, tag `dormouse:max`, value `3`: must be at least `dormouse:min`, which is 5",
            ),
            (
                &[("dormouse:wake-count", "1"), ("dormouse:min", "2")],
                "service `dev/web`, tag `dormouse:wake-count`, value `1`: must be at least `dormouse:min`, which is 2",
            ),
            (
                &[("dormouse:max", "4"), ("dormouse:wake-count", "5")],
                "service `dev/web`, tag `dormouse:wake-count`, value `5`: must be at most `dormouse:max`, which is 4",
            ),
            (
                &[
                    ("dormouse:wake-count", "4"),
                    ("dormouse:min", "5"),
                    ("dormouse:max", "3"),
                ],
                "service `dev/web`, tag `dormouse:max`, value `3`: must be at least `dormouse:min`, which is 5",
            ),
            (
                &[("dormouse:max", "x"), ("dormouse:min", "5")],
                "service `dev/web`, tag `dormouse:max`, value `x`: must be a whole number from 1 to 5000",
            ),
        ];
        for (tags, message) in cases {
            let tags: Vec<_> = [(GROUP, "dev")].iter().chain(tags).copied().collect();
            let problems = parse(&service(&tags), &Defaults::default()).expect_err(message);
            let messages: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
            assert_eq!(messages, [message]);
        }
    }

    #[test]
    fn a_bad_tag_is_named_with_service_value_and_rule() {
        for (tag, value) in [
            ("dormouse:wake-count", "0"),
            ("dormouse:wake-count", "5001"),
            ("dormouse:idle-after", "0s"),
            ("dormouse:idle-after", "soon"),
            ("dormouse:grace", "5"),
            ("dormouse:signals", "vibes"),
            ("dormouse:url", "dev.example.com"),
            ("dormouse:port", "0"),
            ("dormouse:ready-path", "healthz"),
            ("dormouse:mode", "dry-run"),
            ("dormouse:log-group", "a b"),
            ("dormouse:log-pattern", "/api/v1/"),
            ("dormouse:dns-names", "dev.example.com"),
            ("dormouse:connections", "nginx_status"),
            ("dormouse:idle-cpu", "0"),
            ("dormouse:wakes-per-day", "-1"),
            ("dormouse:wakes-per-day", "10001"),
            ("dormouse:group", "wp-login.php"),
            ("dormouse:min", "0"),
            ("dormouse:min", "5001"),
            ("dormouse:max", "0"),
            ("dormouse:max", "many"),
            ("dormouse:cpu", "70"),
            ("dormouse:cpu", "70-30"),
            ("dormouse:cpu", "30-101"),
            ("dormouse:memory", "30-30"),
            ("dormouse:memory", "30%-70%"),
            ("dormouse:scale-in", "no"),
            ("dormouse:awake", "Mon-Fri 8-18"),
            ("dormouse:awake", "Mon-Fri 08:00-18:00 Europe/Nowhere"),
            ("dormouse:needs", "db, cache"),
            ("dormouse:steps", "50:2"),
            ("dormouse:target", "100"),
            ("dormouse:idle-aftr", "5m"),
        ] {
            let problems =
                parse(&service(&[(GROUP, "dev"), (tag, value)]), &Defaults::default()).expect_err(tag);
            let message = &problems[0].message;
            assert_eq!(problems.len(), 1, "{tag}");
            for part in ["`dev/web`", &format!("`{tag}`"), &format!("`{value}`")] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
