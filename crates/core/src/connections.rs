//! The signal `connections`: open connections to a service's tasks, as nginx or the app itself counts them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reading::Reading;

/// Where a task says how many connections are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its port; none: the app's.
    pub port: Option<u16>,
    /// Its path.
    pub path: String,
}

impl Endpoint {
    /// The rule that [`Endpoint::parse`] applies, for error messages.
    pub const RULE: &str = "must be a path, perhaps with a port before it, such as :8080/nginx_status";

    /// Parses `:8080/nginx_status` or `/status`; `None` breaks [`Endpoint::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (port, path) = text.trim().split_at(text.trim().find('/')?);
        let port = match port.strip_prefix(':') {
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
            None if port.is_empty() => None,
            None => return None,
        };
        let legal = |c: char| c.is_ascii_graphic();
        path.chars().all(legal).then(|| Self {
            port,
            path: path.to_owned(),
        })
    }
}

/// The connections that an answer counts, without the one that asked: nginx's stub_status text (nginx documentation,
/// `ngx_http_stub_status_module`) or a JSON body `{"active": n}`, whose app knows best what it counts.
///
/// # Errors
/// What is wrong with the answer.
pub fn active(body: &str) -> Result<u64, String> {
    if let Some(rest) = body.trim_start().strip_prefix("Active connections:") {
        let number = rest
            .split_whitespace()
            .next()
            .and_then(|number| number.parse::<u64>().ok());
        return number
            .map(|all| all.saturating_sub(1))
            .ok_or_else(|| format!("`{}` has no number of active connections", shorten(body)));
    }
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    json.and_then(|json| json["active"].as_u64()).ok_or_else(|| {
        format!(
            "`{}` is neither nginx's stub_status nor {{\"active\": n}}",
            shorten(body)
        )
    })
}

fn shorten(body: &str) -> String {
    body.trim().chars().take(60).collect()
}

/// One reading of what the tasks of a service answered now. One open connection is use; a task that cannot be asked
/// may have some.
#[must_use]
pub fn judge(answers: &[Result<u64, String>], now: Timestamp) -> Reading {
    if answers.iter().any(|answer| matches!(answer, Ok(n) if *n > 0)) {
        return Reading::Active(now);
    }
    match answers.iter().find_map(|answer| answer.as_ref().err()) {
        Some(why) => Reading::Unknown(why.clone()),
        None if answers.is_empty() => Reading::Unknown("no task runs that could be asked".to_owned()),
        None => Reading::Quiet {
            since: now,
            until: now,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_endpoint_is_a_path_and_perhaps_a_port() {
        let endpoint = |port, path: &str| {
            Some(Endpoint {
                port,
                path: path.to_owned(),
            })
        };
        assert_eq!(
            Endpoint::parse(":8080/nginx_status"),
            endpoint(Some(8080), "/nginx_status")
        );
        assert_eq!(Endpoint::parse(" /a?b=c "), endpoint(None, "/a?b=c"));
        for bad in [
            "",
            "nginx_status",
            ":0/x",
            ":99999/x",
            "8080/x",
            ":8080",
            "http://a/x",
            "/a b",
        ] {
            assert_eq!(Endpoint::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_connection_that_asks_nginx_is_not_use() {
        let status = |n: u32| {
            format!(
                "Active connections: {n} \nserver accepts handled requests\n 16630948 16630948 31070465 \n\
                 Reading: 6 Writing: 179 Waiting: 106 \n"
            )
        };
        assert_eq!(active(&status(291)), Ok(290));
        assert_eq!((active(&status(1)), active(&status(0))), (Ok(0), Ok(0)));
        assert_eq!(
            (active("{\"active\": 3}"), active("{\"active\":0,\"x\":1}")),
            (Ok(3), Ok(0))
        );
    }

    #[test]
    fn an_answer_that_counts_nothing_is_an_error_and_not_zero() {
        for bad in [
            "",
            "<html>",
            "Active connections: many",
            "{\"active\":-1}",
            "{\"active\":\"3\"}",
            "{}",
            "7",
        ] {
            assert!(active(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_task_in_use_is_enough_and_one_unknown_is_not_quiet() {
        let unknown = || Err("no answer".to_owned());
        assert_eq!(judge(&[unknown(), Ok(2)], NOW), Reading::Active(NOW));
        assert!(matches!(judge(&[Ok(0), unknown()], NOW), Reading::Unknown(_)));
        assert!(matches!(judge(&[], NOW), Reading::Unknown(_)));
        assert_eq!(
            judge(&[Ok(0), Ok(0)], NOW),
            Reading::Quiet {
                since: NOW,
                until: NOW
            }
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_beginning() {
        let page = format!("  <html>{}", "x".repeat(100));
        let why = active(&page).expect_err("no count");
        let beginning = format!("`<html>{}` is neither", "x".repeat(54));
        assert!(why.starts_with(&beginning), "{why}");
    }
}
