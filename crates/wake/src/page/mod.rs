//! The pages that a person sees: rendered whole before the first byte leaves, in the visitor's language.

mod color;
mod error;
mod home;
mod language;
mod onwards;
mod texts;
mod view;
mod wait;

pub(crate) use error::error;
pub(crate) use home::groups;
pub(crate) use onwards::onwards;
pub(crate) use view::{Place, Viewer};
pub(crate) use wait::{changing_part, resting, waiting};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::answer::Answer;
use crate::response::{self, code};

fn rendered(status: u16, page: askama::Result<String>, nonce: &str) -> Answer {
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

/// A moment as people read it: `2027-01-15 08:00 UTC`.
fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}

/// The address `/{group}/-/{name}`, relative to that of a page at this path of the app.
fn address(group: &str, path: &str, name: &str) -> String {
    match path.matches('/').count() {
        0 => format!("{group}/-/{name}"),
        depth => format!("{}-/{name}", "../".repeat(depth - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_relative_to_the_page() {
        // Resolved by hand against /dev, /dev/, /dev/a, /dev/a/ and /dev/a/b: always /dev/-/page.
        for (path, relative) in [
            ("", "dev/-/page"),
            ("/", "-/page"),
            ("/a", "-/page"),
            ("/a/", "../-/page"),
            ("/a/b", "../-/page"),
            ("/a/b/c", "../../-/page"),
        ] {
            assert_eq!(address("dev", path, "page"), relative, "{path}");
        }
    }

    #[test]
    fn a_moment_is_read_by_people() {
        let at = "2027-01-15T08:00:59Z".parse().expect("a moment");
        assert_eq!(clock(at), "2027-01-15 08:00 UTC");
    }
}
