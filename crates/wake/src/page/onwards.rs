//! The page that leads a form's sender on to a group that is ready.
//!
//! A redirect would not do: a browser holds the redirects of a form against `form-action` of the page that sent it (W3C Content
//! Security Policy Level 3, section 6.4.1), and the app is at another origin. What a page loads by itself is no form's any more.

use askama::Template;
use dormouse_core::ids::GroupName;

use super::rendered;
use super::view::{Frame, Icon, Viewer};
use crate::answer::Answer;
use crate::response::code;

#[derive(Template)]
#[template(path = "onwards.html")]
struct Page<'a> {
    frame: Frame<'a>,
    group: &'a str,
    title: &'static str,
    headline: &'static str,
    open: &'static str,
    address: &'a str,
}

/// Leads on to this address.
pub(crate) fn onwards(viewer: &Viewer, group: &GroupName, address: &str) -> Answer {
    let texts = viewer.texts;
    let page = Page {
        frame: viewer.frame(Icon::Ready, None),
        group: group.as_str(),
        title: texts.title.ready,
        headline: texts.headline.ready,
        open: texts.groups.open,
        address,
    };
    rendered(code::OK, page.render(), viewer.nonce)
}
