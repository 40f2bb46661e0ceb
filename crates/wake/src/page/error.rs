//! A page for what cannot even be waited for.

use askama::Template;
use dormouse_core::advice::Advice;
use dormouse_core::error::{Code, Error};

use super::rendered;
use super::texts::{Texts, Undelivered};
use super::view::{Frame, Icon, Viewer};
use crate::answer::Answer;
use crate::response::{self, code};

/// Of a caller who may be allowed once it says who it is.
const UNAUTHORIZED: u16 = 401;

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    frame: Frame<'a>,
    texts: &'static Texts,
    title: &'static str,
    message: &'a str,
    help: &'static str,
    undelivered: Option<&'static Undelivered>,
    /// Where to try again, if that may help; relative to the page.
    retry: Option<&'a str>,
}

/// The page that tells of an error, with the address at which to try again.
pub(crate) fn error(viewer: &Viewer, error: &Error, retry: &str) -> Answer {
    let texts = viewer.texts;
    let http = response::http_status(error.code);
    let title = match http {
        code::NOT_FOUND => texts.title.no_group,
        code::BAD_REQUEST => texts.title.not_understood,
        UNAUTHORIZED | code::FORBIDDEN => texts.title.forbidden,
        code::TOO_MANY_REQUESTS => texts.title.too_many,
        code::UNAVAILABLE => texts.title.not_now,
        _ => texts.title.broken,
    };
    let advice = Advice::of(error.code, &error.message).filter(|_| error.code != Code::UnknownGroup);
    let page = Page {
        frame: viewer.frame(Icon::Failing, None),
        texts,
        title,
        message: &error.message,
        help: advice.map_or("", |advice| texts.advice(advice)),
        undelivered: viewer.undelivered(),
        // A link would ask for the address of a form without what was sent.
        retry: (viewer.undelivered().is_none() && is_worth_a_try(http)).then_some(retry),
    };
    rendered(http, page.render(), viewer.nonce)
}

fn is_worth_a_try(http: u16) -> bool {
    http == code::TOO_MANY_REQUESTS || http >= 500
}
