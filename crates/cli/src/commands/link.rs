//! `dormouse link`: a signed link, made here, without asking anybody.

use dormouse_core::duration;
use dormouse_core::guard::link::LinkKey;
use dormouse_core::ids::GroupName;
use dormouse_core::settings::AppUrl;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::args::End;
use crate::failure::Failure;
use crate::report::Report;

/// The variable that holds the key. It is no option: lists of processes show those.
pub(crate) const KEY: &str = "DORMOUSE_LINK_KEY";

/// The link that is wanted.
pub(crate) struct Link<'a> {
    /// The group that it wakes.
    pub(crate) group: &'a GroupName,
    /// Until when.
    pub(crate) end: &'a End,
    /// The path and query of the app that it opens: empty, or beginning with `/`.
    pub(crate) path: &'a str,
    /// The wake address.
    pub(crate) url: &'a AppUrl,
}

/// Makes the link.
///
/// # Errors
/// [`Failure::Usage`] if there is no good key, or the end is over already.
pub(crate) fn run(
    link: &Link<'_>,
    key: Option<&str>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Report, Failure> {
    let key = key.filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| usage("is missing: it must be the stack's parameter LinkKey"))?;
    let key = LinkKey::parse(key).ok_or_else(|| usage(LinkKey::RULE))?;
    let expires = match (&link.end.period, &link.end.until) {
        (_, Some(until)) => until.after(now, zone)?,
        (period, None) => {
            let period = period.as_deref().and_then(duration::parse).unwrap_or_default();
            duration::after(now, period)
        }
    };
    // Whole seconds, as the link says them.
    let expires = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
    let (path, query) = link.path.split_once('?').unwrap_or((link.path, ""));
    let and = if query.is_empty() { "" } else { "&" };
    let signed = key.sign(link.group, expires);
    let url = format!("{}/{}{path}?{query}{and}{signed}", link.url.as_str(), link.group);
    let json = json!({"url": url, "group": link.group, "expires_at": expires});
    Ok(Report::done(json, url))
}

/// Understands a path with a query, as they stand in an address.
pub(crate) fn path(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte);
    if text.is_empty() || (text.starts_with('/') && text.bytes().all(legal)) {
        Ok(text.to_owned())
    } else {
        Err("must begin with `/` and be as in an address: no spaces, no `#`, everything else than ASCII escaped".to_owned())
    }
}

/// Understands the wake address.
pub(crate) fn url(text: &str) -> Result<AppUrl, String> {
    AppUrl::parse(text).ok_or_else(|| AppUrl::RULE.to_owned())
}

fn usage(what: &str) -> Failure {
    Failure::Usage(format!("variable `{KEY}` {what}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::exit::Exit;

    const SECRET: &str = "correct-horse-battery-staple";

    fn made(end: End, path: &str, key: Option<&str>) -> Result<Report, Failure> {
        let link = Link {
            group: &GroupName::parse("dev").expect("a name"),
            end: &end,
            path,
            url: &url("https://wake.example.com/").expect("an address"),
        };
        let now = "2027-01-08T08:00:00.7Z".parse().expect("a moment");
        run(&link, key, now, &TimeZone::get("Europe/Warsaw").expect("a zone"))
    }

    fn week() -> End {
        End {
            period: Some("7d".to_owned()),
            ..End::default()
        }
    }

    /// What `openssl` makes of it, if it is installed.
    fn openssl(message: &str) -> Option<String> {
        let mut child = Command::new("openssl")
            .args(["dgst", "-sha256", "-hmac", SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(message.as_bytes()).ok()?;
        let output = child.wait_with_output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.trim().rsplit(' ').next().map(str::to_owned)
    }

    #[test]
    fn a_link_is_what_openssl_makes_of_group_and_expiry() {
        // Recorded from OpenSSL 3.0; an installed one is asked too.
        let recorded = "7945d0d056e90cebadc8246f012218a199ec885275dd3a43284043ce3d05e075";
        let signature = openssl("dev\n1800000000").unwrap_or_else(|| recorded.to_owned());
        assert_eq!(signature, recorded);
        let report = made(week(), "", Some(SECRET)).expect("a link");
        let url =
            format!("https://wake.example.com/dev?dormouse-expires=1800000000&dormouse-signature={recorded}");
        assert_eq!(report.text, url);
        assert_eq!(
            report.json,
            json!({"url": url, "group": "dev", "expires_at": "2027-01-15T08:00:00Z"})
        );
    }

    #[test]
    fn path_and_query_of_the_app_are_kept() {
        let report = made(week(), "/x/?y=1&z=%20", Some(SECRET)).expect("a link");
        let begin =
            "https://wake.example.com/dev/x/?y=1&z=%20&dormouse-expires=1800000000&dormouse-signature=";
        assert!(report.text.starts_with(begin), "{}", report.text);
    }

    #[test]
    fn a_link_may_end_when_the_callers_clock_says_so() {
        let end = End {
            until: Some("2027-01-15 09:00".parse().expect("a moment")),
            ..End::default()
        };
        let report = made(end, "", Some(SECRET)).expect("a link");
        assert!(report.text.contains("expires=1800000000&"), "{}", report.text);
    }

    #[test]
    fn without_a_good_key_there_is_no_link_and_the_key_is_not_said() {
        for key in [None, Some(""), Some("hunter2")] {
            let failure = made(week(), "", key).expect_err("no link");
            assert_eq!(failure.exit(), Exit::Usage);
            let text = failure.to_string();
            assert!(
                text.contains("`DORMOUSE_LINK_KEY`") && !text.contains("hunter2"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_readmes_line_for_openssl_makes_the_same_link() {
        let readme = include_str!("../../../../README.md");
        let line = readme
            .lines()
            .find(|line| line.contains("openssl dgst -sha256 -hmac"))
            .expect("the line");
        let script = format!("expires=1800000000\n{line}\nprintf %s \"$signature\"");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("DORMOUSE_LINK_KEY", SECRET)
            .output()
            .expect("a shell");
        if openssl("").is_none() {
            return;
        }
        let report = made(week(), "", Some(SECRET)).expect("a link");
        let signature = String::from_utf8(output.stdout).expect("text");
        assert!(
            !signature.is_empty() && report.text.ends_with(&signature),
            "{signature}"
        );
    }
}
