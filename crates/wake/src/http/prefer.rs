//! What a client prefers (RFC 7240, "Prefer Header for HTTP").

use std::time::Duration;

/// How long the client would rather wait than be told to come again: `wait=25` (section 4.3). Of several, the first counts, and
/// what cannot be understood is as if it were not there (section 2).
pub(super) fn wait(values: &[String]) -> Option<Duration> {
    let all = values.iter().flat_map(|value| split(value, ','));
    let mut named = all.filter_map(|preference| {
        // What follows a semicolon says more about it.
        let one = split(preference, ';').into_iter().next()?;
        let (name, value) = one.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
    });
    let value = named.next()?.trim_matches('"');
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit mean longer than anybody waits.
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

/// The parts between these signs, unless they stand in quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|sign: char| {
        let ends = sign == at && !quoted;
        if escaped {
            escaped = false;
        } else if quoted && sign == '\\' {
            escaped = true;
        } else if sign == '"' {
            quoted = !quoted;
        }
        ends
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_other_preferences_and_nonsense_is_none() {
        for (header, seconds) in [
            ("wait=25", Some(25)),
            ("respond-async, wait=10", Some(10)),
            ("Wait = 7 ; x=y, wait=9", Some(7)),
            ("wait=\"3\"", Some(3)),
            ("wait=0", Some(0)),
            ("wait=99999999999999999999999", Some(u64::MAX)),
            ("note=\"a, wait=5\"", None),
            ("note=\"a\\\", wait=5\", wait=6", Some(6)),
            ("return=minimal", None),
            ("waiting=5", None),
            ("wait", None),
            ("wait=", None),
            ("wait=-1", None),
            ("wait=2.5", None),
            ("wait=soon, wait=5", None),
            ("", None),
        ] {
            let wait = wait(&[header.to_owned()]);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{header}");
        }
        let two = ["return=minimal".to_owned(), "wait=4".to_owned()];
        assert_eq!(wait(&two), Some(Duration::from_secs(4)));
        assert_eq!(wait(&[]), None);
    }
}
