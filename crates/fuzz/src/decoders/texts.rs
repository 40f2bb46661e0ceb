//! Texts that people write: tags, variables of the functions, addresses, patterns; and what tasks answer.

use std::collections::HashMap;
use std::time::Duration;

use dormouse_core::branding::{Color, Logo};
use dormouse_core::config::Config;
use dormouse_core::connections::{self, Endpoint};
use dormouse_core::front::matches_pattern;
use dormouse_core::guard::link::{self, LinkKey, SignedPart};
use dormouse_core::guard::{scanners, token};
use dormouse_core::hours::Hours;
use dormouse_core::ids::{GroupName, ServiceId};
use dormouse_core::logs::{LogGroupName, LogPattern, LogSource, RecordName};
use dormouse_core::needs::Need;
use dormouse_core::query::WhyQuery;
use dormouse_core::scaling::bounds::{Range, Scaling};
use dormouse_core::scaling::connections::{steps::Steps, target::Target};
use dormouse_core::sessions::{SessionId, TaskKey};
use dormouse_core::settings::{self, AppUrl, Defaults, Mode, Signals};
use dormouse_core::tags::{self, TaggedService};
use dormouse_core::why::Cursor;
use dormouse_core::{alarm, duration};
use jiff::Timestamp;

use super::{Decoder, lines, text};

pub(super) const DECODERS: &[Decoder] = &[
    Decoder {
        name: "durations, hours, steps, names and other short texts",
        folders: &["crates/fuzz/corpus/texts"],
        decode: short_texts,
        cases: 1500,
        longest: 4 << 10,
        memory: 60,
    },
    Decoder {
        name: "tags",
        folders: &["crates/fuzz/corpus/tags"],
        decode: tags_of_services,
        cases: 1000,
        longest: 16 << 10,
        memory: 60,
    },
    Decoder {
        name: "variables of a function",
        folders: &["crates/fuzz/corpus/variables"],
        decode: variables,
        cases: 500,
        longest: 4 << 10,
        memory: 60,
    },
    Decoder {
        name: "log patterns and lines",
        folders: &["crates/fuzz/corpus/log-lines"],
        decode: log_lines,
        cases: 1000,
        longest: 256 << 10,
        memory: 120,
    },
    Decoder {
        name: "counts of connections that tasks answer",
        folders: &["crates/fuzz/corpus/connections"],
        decode: |bytes| {
            let _ = connections::active(&text(bytes));
        },
        cases: 1000,
        longest: 64 << 10,
        memory: 120,
    },
    Decoder {
        name: "signed links, tokens and queries",
        folders: &["crates/fuzz/corpus/links"],
        decode: links,
        cases: 1000,
        longest: 10 << 10,
        memory: 60,
    },
];

fn now() -> Timestamp {
    Timestamp::from_second(dormouse_testkit::START).unwrap_or_default()
}

/// Every parser of a short text over the same one. What is understood is used, and written as it would be stored.
fn short_texts(bytes: &[u8]) {
    let text = &text(bytes);
    if let Some(parsed) = duration::parse(text) {
        assert_eq!(duration::parse(&duration::format(parsed)), Some(parsed));
        let _ = (duration::after(now(), parsed), duration::before(now(), parsed));
    }
    match text.parse::<Hours>() {
        Ok(hours) => {
            assert_eq!(Hours::parse(&hours.to_string()).as_ref(), Some(&hours), "{hours}");
            for moment in [now(), Timestamp::MIN, Timestamp::MAX] {
                let _ = (hours.is_awake(moment), hours.next_change(moment));
                let _ = hours.outlook(moment, Duration::from_secs(600));
            }
        }
        Err(flaw) => assert!(!flaw.to_string().is_empty()),
    }
    if let Some(steps) = Steps::parse(text) {
        assert_eq!(Steps::parse(&steps.to_string()), Some(steps));
    }
    if let Some(range) = Range::parse(text) {
        assert!(range.low() < range.high());
    }
    let _ = (
        Target::parse(text),
        Scaling::parse_count(text),
        Scaling::parse_scale_in(text),
    );
    let _ = (Signals::parse(text), Mode::parse(text), Endpoint::parse(text));
    let _ = (
        settings::parse_idle_cpu(text),
        settings::parse_wakes_per_day(text),
        settings::parse_front(text),
    );
    if let Some(url) = AppUrl::parse(text) {
        let _ = url.join("/a b/../%zz", "q=\r\n");
    }
    let _ = (
        Need::parse_list(text),
        LogGroupName::parse(text),
        LogPattern::parse(text),
    );
    let _ = (
        RecordName::parse_list(text),
        SessionId::parse(text),
        Cursor::parse(text),
    );
    let _ = (
        GroupName::parse(text),
        ServiceId::parse(text),
        TaskKey::parse(text),
        TaskKey::from_arn(text),
    );
    let _ = (Color::parse(text), Logo::parse(text));
    let _ = (
        scanners::is_scanner(text),
        scanners::is_probe(text),
        scanners::is_no_group(text),
    );
    let _ = alarm::parse(text);
}

/// One service a paragraph, one tag a line.
fn tags_of_services(bytes: &[u8]) {
    let text = text(bytes);
    let services: Vec<TaggedService> = text
        .split("\n\n")
        .enumerate()
        .map(|(number, paragraph)| TaggedService {
            id: ServiceId::new("dev", &format!("service-{number}")),
            tags: paragraph.lines().filter_map(pair).collect(),
        })
        .collect();
    let defaults = Defaults::default();
    let groups = tags::groups(&services, &[], &Default::default(), &defaults);
    // The same once more, with those as the last good ones.
    let again = tags::groups(&services, &[], &groups, &defaults);
    for settings in again.values() {
        let json = serde_json::to_string(settings).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            serde_json::from_str(&json).ok().as_ref(),
            Some(settings),
            "{json}"
        );
        let _ = settings.outlook(now(), Duration::from_secs(600));
    }
}

fn variables(bytes: &[u8]) {
    let env: HashMap<String, String> = text(bytes).lines().filter_map(pair).collect();
    let _ = Config::from_env(&env);
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// The pattern, the names of DNS records, and the line.
fn log_lines(bytes: &[u8]) {
    let text = text(bytes);
    let (pattern, names, line) = lines(&text);
    let Some(group) = LogGroupName::parse("/ecs/web") else {
        return;
    };
    let names = RecordName::parse_list(names).unwrap_or_default();
    let source = LogSource {
        group,
        pattern: LogPattern::parse(pattern),
        names,
    };
    let _ = (source.matches(line), source.query());
    // The tag is short, and the conditions of a load balancer's rule are too ("Quotas": 128 characters each).
    let pattern: String = pattern.chars().take(128).collect();
    let _ = matches_pattern(&pattern, line);
}

/// The group, the query, and a header `Authorization`.
fn links(bytes: &[u8]) {
    let text = text(bytes);
    let (group, query, header) = lines(&text);
    let Some(key) = LinkKey::parse("a-key-of-the-fuzzer") else {
        return;
    };
    let _ = LinkKey::parse(group);
    if let Some(part) = SignedPart::of(query) {
        assert_eq!(
            SignedPart::of(&part.to_string()),
            Some(part),
            "what is shown can be understood"
        );
    }
    let app = link::strip(query);
    assert_eq!(SignedPart::of(&app), None, "the app never sees it");
    if let Ok(group) = GroupName::parse(group) {
        let signed = key.sign(&group, duration::after(now(), Duration::from_secs(60)));
        let forged = link::check(query, &key, &group, now());
        assert!(
            forged.is_err() || query.contains(&signed.to_string()[..20]),
            "nobody has the key: {query}"
        );
        let good = format!("{signed}&{app}");
        assert!(link::check(&good, &key, &group, now()).is_ok(), "{good}");
        let _ = WhyQuery::parse(group, Some(query), Some(header));
    }
    let _ = token::TokenHash::parse(header);
    if let Some(token) = token::bearer(header)
        && let Some(hash) = token::TokenHash::parse(&"0".repeat(64))
    {
        assert!(!hash.is_of(token));
    }
}
