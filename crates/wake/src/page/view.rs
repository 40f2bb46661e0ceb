//! What all pages share: language, branding, and the frame around them.

use dormouse_core::branding::Branding;

use super::color::{self, DARK, LIGHT};
use super::language;
use super::texts::{Texts, Undelivered};

/// Where a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the wake address.
    Wake,
    /// At the app's own address, where nothing but that address is known to work.
    App,
    /// There, in answer to what somebody sent and the app did not get.
    Undelivered,
}

/// Who looks, and at whose pages.
#[derive(Clone)]
pub(crate) struct Viewer<'a> {
    pub(super) texts: &'static Texts,
    pub(super) branding: &'a Branding,
    /// Marks the page's own script and style.
    pub(super) nonce: &'a str,
    /// The part of the address that signs their link, which forms carry on.
    pub(super) signed: Option<String>,
    /// Whether anybody may wake any group.
    pub(super) may_wake_any: bool,
    /// Where.
    pub(super) place: Place,
    /// Whether the page asks again with its query: an address may be good for one use of the app only.
    pub(super) by_query: bool,
}

impl<'a> Viewer<'a> {
    /// Somebody who accepts these languages.
    pub(crate) fn of(accept_language: Option<&str>, branding: &'a Branding, nonce: &'a str) -> Self {
        Self {
            texts: language::of(accept_language),
            branding,
            nonce,
            signed: None,
            may_wake_any: true,
            place: Place::Wake,
            by_query: false,
        }
    }

    /// The same, who came by a link with this signed part.
    pub(crate) fn with_link(self, signed: Option<String>, may_wake_any: bool) -> Self {
        Self {
            signed,
            may_wake_any,
            ..self
        }
    }

    /// The same, at this place.
    pub(crate) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The same, where nobody is known without the query.
    pub(crate) fn by_query(self, by_query: bool) -> Self {
        Self { by_query, ..self }
    }

    /// What somebody sent was not delivered.
    pub(super) fn undelivered(&self) -> Option<&'static Undelivered> {
        (self.place == Place::Undelivered).then_some(&self.texts.undelivered)
    }

    /// The frame of a page, which asks again by itself if it is live.
    pub(super) fn frame(&self, icon: Icon, live: Option<Live>) -> Frame<'a> {
        let accent = self.branding.color.unwrap_or(color::USUAL);
        Frame {
            lang: self.texts.lang,
            nonce: self.nonce,
            live,
            icon: icon.address(),
            light: color::css(color::readable(accent, LIGHT)),
            dark: color::css(color::readable(accent, DARK)),
            brand: self.branding.name.as_deref().unwrap_or_default(),
            logo: self.branding.logo.as_ref().map_or("", |logo| logo.as_str()),
            note: self.branding.note.as_deref().unwrap_or_default(),
        }
    }
}

/// What base.html needs.
pub(super) struct Frame<'a> {
    pub(super) lang: &'static str,
    pub(super) nonce: &'a str,
    pub(super) live: Option<Live>,
    pub(super) icon: String,
    /// The accent in light.
    pub(super) light: String,
    /// The accent in dark.
    pub(super) dark: String,
    pub(super) brand: &'a str,
    pub(super) logo: &'a str,
    pub(super) note: &'a str,
}

/// How a page asks again.
pub(super) struct Live {
    /// Where its script finds what may have changed, relative to the page; empty: at its own address.
    pub(super) address: String,
    /// Seconds after which it is loaded again without a script, if it may be.
    pub(super) refresh: Option<u64>,
    /// What its script says of itself; empty: nothing, because its address answers nothing but pages.
    pub(super) poll: &'static str,
}

/// The sign in the browser's tab: told by its shape as well as by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Asleep,
    Waking,
    Failing,
    Ready,
}

impl Icon {
    /// A data URI, so that nothing is loaded.
    pub(super) fn address(self) -> String {
        let (color, sign) = match self {
            Self::Asleep => ("645c50", "M11 11A5 5 0 0 1 6 4a4.5 4.5 0 1 0 5 7z"),
            Self::Waking => ("9a5f0b", "M8 3a5 5 0 0 1 0 10z"),
            Self::Failing => ("a3271f", "M7 3h2v6H7zM7 11h2v2H7z"),
            Self::Ready => ("2f6b3a", "M3 8l2-2 2 2 4-4 2 2-6 6z"),
        };
        format!(
            "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='8' \
             fill='%23{color}'/%3E%3Cpath fill='%23fff' d='{sign}'/%3E%3C/svg%3E"
        )
    }
}
