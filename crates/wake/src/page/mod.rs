//! The pages that a person sees: rendered whole before the first byte leaves.

use std::borrow::Cow;

use askama::Template;
use dormouse_core::error::{Code, Error};
use dormouse_core::record::Phase;
use dormouse_core::status::{Stage, Status};
use serde_json::Value;

use crate::response::{self, code};

#[derive(Template)]
#[template(path = "wait.html")]
struct Wait<'a> {
    group: &'a str,
    title: &'a str,
    headline: &'a str,
    percent: u8,
    elapsed: String,
    services: Vec<Row<'a>>,
    problems: Vec<&'a str>,
    /// The status address, relative to the page's own, so that any path prefix in front of the API works.
    status_address: String,
    retry_after: u64,
    nonce: &'a str,
}

struct Row<'a> {
    name: &'a str,
    stage: String,
    label: Cow<'static, str>,
    detail: &'a str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Failure<'a> {
    title: &'a str,
    message: &'a str,
    nonce: &'a str,
}

/// The wait page of a group that is not ready, for a visitor of this path of the app.
pub(crate) fn waiting(status: &Status, path: &str, nonce: &str) -> Value {
    let failing = status
        .services
        .iter()
        .any(|service| service.stage == Stage::Failing)
        || has_blocking_error(status);
    let title = if failing { "Needs attention" } else { "Waking up" };
    let page = Wait {
        group: status.group.as_str(),
        title,
        headline: headline(status, failing),
        percent: percent(status.progress),
        elapsed: status
            .elapsed_seconds
            .map(|seconds| format!("{seconds} s so far."))
            .unwrap_or_default(),
        services: status
            .services
            .iter()
            .map(|service| Row {
                name: &service.name,
                stage: service.stage.to_string(),
                label: label(&service.stage),
                detail: service
                    .detail
                    .as_deref()
                    .filter(|detail| *detail != label(&service.stage))
                    .unwrap_or_default(),
            })
            .collect(),
        problems: unattached(status),
        status_address: status_address(status.group.as_str(), path),
        retry_after: status.retry_after_seconds.max(2),
        nonce,
    };
    rendered(code::OK, page.render(), nonce)
}

/// A page for what cannot even be waited for.
pub(crate) fn error(error: &Error, nonce: &str) -> Value {
    let http = response::http_status(error.code);
    let title = match http {
        code::NOT_FOUND => "No such group",
        code::BAD_REQUEST => "Not understood",
        code::UNAVAILABLE => "Not just now",
        code::UNAUTHORIZED | code::FORBIDDEN => "Not allowed",
        code::TOO_MANY_REQUESTS => "Enough for today",
        _ => "Something needs mending",
    };
    rendered(
        http,
        Failure {
            title,
            message: &error.message,
            nonce,
        }
        .render(),
        nonce,
    )
}

fn rendered(status: u16, page: askama::Result<String>, nonce: &str) -> Value {
    match page {
        Ok(html) => response::page(status, html, nonce),
        Err(error) => response::json(
            code::BAD_GATEWAY,
            &serde_json::json!({"errors": [{
                "code": "Page", "service": null, "message": format!("the page could not be rendered: {error}"),
            }]}),
        ),
    }
}

/// What no service's row says already.
fn unattached(status: &Status) -> Vec<&str> {
    let errors = status.errors.iter();
    errors
        .filter(|error| error.service.is_none() || error.code == Code::InvalidTag)
        .map(|error| error.message.as_str())
        .collect()
}

fn has_blocking_error(status: &Status) -> bool {
    status.errors.iter().any(|error| error.code != Code::InvalidTag)
}

fn headline(status: &Status, failing: bool) -> &'static str {
    match status.phase {
        _ if failing => "It does not get ready. Here is what AWS says; we keep trying.",
        Phase::Awake => "It is awake, but does not answer at the moment.",
        Phase::Waking if status.progress < 0.1 => "Asked for its tasks.",
        Phase::Waking => "Nobody was using it, so it slept. It is starting now.",
        Phase::Asleep | Phase::FallingAsleep => "It is asleep.",
    }
}

fn label(stage: &Stage) -> Cow<'static, str> {
    Cow::Borrowed(match stage {
        Stage::WaitingFor(need) => return Cow::Owned(format!("waits for {need}")),
        Stage::Asleep => "asleep",
        Stage::Provisioning => "finding a place to run",
        Stage::Pending => "pulling the image",
        Stage::Starting => "starting",
        Stage::Ready => "ready",
        Stage::Failing => "failing",
    })
}

/// Never 100 before ready; a page of a ready group is a redirect.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 99 first"
)]
fn percent(progress: f64) -> u8 {
    (progress * 100.0).clamp(0.0, 99.0) as u8
}

fn status_address(group: &str, path: &str) -> String {
    match path.matches('/').count() {
        0 => format!("{group}/-/status"),
        depth => format!("{}-/status", "../".repeat(depth - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_address_is_relative_to_the_page() {
        // Resolved by hand against /dev, /dev/, /dev/a, /dev/a/ and /dev/a/b: always /dev/-/status.
        for (path, address) in [
            ("", "dev/-/status"),
            ("/", "-/status"),
            ("/a", "-/status"),
            ("/a/", "../-/status"),
            ("/a/b", "../-/status"),
            ("/a/b/c", "../../-/status"),
        ] {
            assert_eq!(status_address("dev", path), address, "{path}");
        }
    }

    #[test]
    fn the_bar_is_never_full_before_ready() {
        assert_eq!(
            (percent(0.0), percent(0.456), percent(1.0), percent(f64::NAN)),
            (0, 45, 99, 0)
        );
    }
}
