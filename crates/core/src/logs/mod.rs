//! The signal `logs`: lines of a log group that show use, and the DNS lookups among them.

pub mod search;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;
use crate::reading::Reading;

/// Lines younger than this may not have arrived yet, so the time since then is not known to be quiet. CloudWatch
/// Logs delivers and indexes within seconds as a rule and promises nothing; our choice.
pub const LAG: Duration = Duration::from_secs(60);

/// Types of DNS lookups that clients make before they connect. Scanners ask for others too: ANY, TXT, NS.
const ADDRESS_TYPES: [&str; 3] = ["A", "AAAA", "HTTPS"];

/// Where a service's lines are, and which of them show use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSource {
    /// Name of the log group.
    pub group: LogGroupName,
    /// A line must contain this text; none: any line does.
    pub pattern: Option<LogPattern>,
    /// If there are any, a line must be a Route 53 query log's and ask for the address of one of these names.
    #[serde(default)]
    pub names: BTreeSet<RecordName>,
}

impl LogSource {
    /// Whether a line shows use.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        let contains = self
            .pattern
            .as_ref()
            .is_none_or(|pattern| line.contains(&pattern.0));
        contains && (self.names.is_empty() || lookup(line).is_some_and(|name| self.names.contains(&name)))
    }

    /// The CloudWatch Logs Insights query for the last line that shows use (CloudWatch Logs User Guide, "CloudWatch
    /// Logs Insights language query syntax", `filter` and `like`).
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = "fields @timestamp".to_owned();
        if let Some(LogPattern(pattern)) = &self.pattern {
            query.push_str(&format!(" | filter @message like /{}/", escape(pattern)));
        }
        if !self.names.is_empty() {
            let names: Vec<String> = self.names.iter().map(|name| escape(&name.0)).collect();
            let types = ADDRESS_TYPES.join("|");
            // A field of a public zone's line, or two neighbours in the JSON of a VPC resolver's.
            query.push_str(&format!(
                " | filter @message like /(?i)[ \"]({})\\.?( |\",\"query_type\":\")({types})[ \"]/",
                names.join("|")
            ));
        }
        query.push_str(" | sort @timestamp desc | limit 1");
        query
    }
}

/// A text as the regular expression that matches just it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()[]{}^$|/".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The name whose address a line of a Route 53 query log asks for: of a public hosted zone (Amazon Route 53 Developer
/// Guide, "Public DNS query logging", format version 1.0) or of a VPC resolver ("Resolver query logging", JSON).
fn lookup(line: &str) -> Option<RecordName> {
    let (name, kind) = if line.starts_with('{') {
        let fields: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| fields[name].as_str().map(str::to_owned);
        (text("query_name")?, text("query_type")?)
    } else {
        let mut fields = line.split(' ').skip(3);
        (fields.next()?.to_owned(), fields.next()?.to_owned())
    };
    ADDRESS_TYPES
        .contains(&kind.as_str())
        .then(|| RecordName::parse(&name))
        .flatten()
}

/// The name of a log group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogGroupName(String);

impl LogGroupName {
    /// The rule that [`LogGroupName::parse`] applies (CloudWatch Logs API reference, CreateLogGroup).
    pub const RULE: &str =
        "must be the name of a log group: 1 to 512 letters, digits, `_`, `-`, `/`, `.` or `#`, and no ARN";

    /// Parses a name; `None` breaks [`LogGroupName::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '#');
        let good = (1..=512).contains(&text.len()) && text.chars().all(legal);
        good.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that lines must contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogPattern(String);

impl LogPattern {
    /// The rule that [`LogPattern::parse`] applies. CloudWatch's filter patterns cannot hold quotes and backslashes either.
    pub const RULE: &str = "must be a text of 1 to 256 characters without `\"`, `\\` and line breaks";

    /// Parses a pattern; `None` breaks [`LogPattern::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let legal = |c: char| !c.is_control() && !matches!(c, '"' | '\\');
        let good = (1..=256).contains(&text.chars().count()) && text.chars().all(legal);
        good.then(|| Self(text.to_owned()))
    }
}

/// A DNS record's name, in lower case and without the dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordName(String);

impl RecordName {
    /// The rule that [`RecordName::parse`] applies, for error messages about lists of them.
    pub const RULE: &str = "must be names of DNS records such as dev.example.com, separated by spaces";

    /// Parses a name; `None` breaks its part of [`RecordName::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            (1..=63).contains(&label.len()) && label.chars().all(legal)
        };
        (name.len() <= 253 && name.split('.').all(label)).then_some(Self(name))
    }

    /// Parses a list; `None` breaks [`RecordName::RULE`].
    #[must_use]
    pub fn parse_list(text: &str) -> Option<BTreeSet<Self>> {
        let names = text
            .split_whitespace()
            .map(Self::parse)
            .collect::<Option<BTreeSet<_>>>()?;
        (!names.is_empty()).then_some(names)
    }
}

/// The beginning of the time that must be searched, to judge an idle time that ends now. Whole seconds, as Logs
/// Insights takes them.
#[must_use]
pub fn window_start(idle_after: Duration, now: Timestamp) -> Timestamp {
    let start = duration::before(now, idle_after + LAG);
    Timestamp::from_second(start.as_second()).unwrap_or(start)
}

/// What the last line since `start` says.
#[must_use]
pub fn judge(last: Option<Timestamp>, start: Timestamp, idle_after: Duration, now: Timestamp) -> Reading {
    match last {
        Some(at) if duration::between(at, now) < idle_after => Reading::Active(at.min(now)),
        last => Reading::Quiet {
            since: last.map_or(start, |at| at.max(start)),
            until: duration::before(now, LAG),
        },
    }
}

/// A moment as Logs Insights writes it: `2027-01-15 08:00:00.000`, in UTC.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pattern: Option<&str>, names: &str) -> LogSource {
        LogSource {
            group: LogGroupName::parse("/ecs/web").expect("a name"),
            pattern: pattern.map(|pattern| LogPattern::parse(pattern).expect("a pattern")),
            names: RecordName::parse_list(names).unwrap_or_default(),
        }
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).expect("a moment")
    }

    #[test]
    fn a_line_matches_if_it_contains_the_pattern() {
        let api = source(Some("/api/v1/"), "");
        assert!(api.matches("GET /api/v1/items 200 \u{1f9c0}"));
        assert!(!api.matches("GET /healthz 200"));
        assert!(!api.matches("GET /API/V1/items"), "as CloudWatch: case matters");
        assert!(source(None, "").matches(""));
    }

    #[test]
    fn a_lookup_of_a_listed_name_matches_and_a_scanners_does_not() {
        let dns = source(None, "dev.example.com API.example.com.");
        let public = |name: &str, kind: &str| {
            format!("1.0 2017-12-13T08:16:02.130Z Z123412341234 {name} {kind} NOERROR UDP FRA6 192.0.2.1 -")
        };
        let private = |name: &str, kind: &str| {
            format!(
                "{{\"version\":\"1.100000\",\"query_name\":\"{name}\",\"query_type\":\"{kind}\",\"rcode\":\"NOERROR\"}}"
            )
        };
        for line in [
            public("dev.example.com", "A"),
            public("DEV.example.com", "AAAA"),
            public("api.example.com", "HTTPS"),
            private("dev.example.com.", "A"),
        ] {
            assert!(dns.matches(&line), "{line}");
        }
        for line in [
            public("www.example.com", "A"),
            public("dev.example.com", "ANY"),
            public("x.dev.example.com", "A"),
            private("dev.example.com.evil.example.", "A"),
            "GET dev.example.com A".to_owned(),
            "1.0".to_owned(),
            "{\"query_name\":".to_owned(),
            String::new(),
        ] {
            assert!(!dns.matches(&line), "{line}");
        }
    }

    #[test]
    fn the_query_asks_for_the_last_line_that_matches() {
        assert_eq!(
            source(Some("/api/v1/"), "").query(),
            "fields @timestamp | filter @message like /\\/api\\/v1\\// | sort @timestamp desc | limit 1"
        );
        assert_eq!(
            source(None, "").query(),
            "fields @timestamp | sort @timestamp desc | limit 1"
        );
        assert_eq!(
            source(None, "dev.example.com").query(),
            "fields @timestamp | filter @message like /(?i)[ \"](dev\\.example\\.com)\\.?( |\",\"query_type\":\")\
             (A|AAAA|HTTPS)[ \"]/ | sort @timestamp desc | limit 1"
        );
    }

    #[test]
    fn names_and_patterns_that_would_mislead_a_query_are_refused() {
        for bad in ["", " ", "a\"b", "a\\b", "a\nb"] {
            assert_eq!(LogPattern::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "arn:aws:logs:eu-west-1:1:log-group:x", "a b"] {
            assert_eq!(LogGroupName::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "dev.example.com,x", "a..b", "*.example.com"] {
            assert_eq!(RecordName::parse_list(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn silence_counts_up_to_what_may_still_be_on_its_way() {
        let minute = Duration::from_secs(60);
        let start = window_start(10 * minute, second(6000));
        assert_eq!(start, second(6000 - 660));
        let judge = |last| judge(last, start, 10 * minute, second(6000));
        assert_eq!(judge(Some(second(5999))), Reading::Active(second(5999)));
        assert_eq!(
            judge(Some(second(9999))),
            Reading::Active(second(6000)),
            "a clock that is ahead"
        );
        let quiet = |since| Reading::Quiet {
            since,
            until: second(5940),
        };
        assert_eq!(judge(None), quiet(start));
        assert_eq!(judge(Some(second(5390))), quiet(second(5390)));
    }

    #[test]
    fn moments_of_logs_insights_are_utc() {
        assert_eq!(
            moment("2027-01-15 08:00:00.500"),
            Timestamp::from_millisecond(1_800_000_000_500).ok()
        );
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_line_as_old_as_the_idle_time_is_no_use_any_more() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a moment");
        let idle_after = Duration::from_secs(60);
        assert_eq!(
            judge(Some(at(41)), at(0), idle_after, at(100)),
            Reading::Active(at(41))
        );
        let quiet = judge(Some(at(40)), at(0), idle_after, at(100));
        assert!(
            matches!(quiet, Reading::Quiet { since, .. } if since == at(40)),
            "{quiet:?}"
        );
    }
}
