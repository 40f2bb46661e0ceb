//! Where entries are kept, and how they are read: by the moment of the decision, newest first, a page at a time.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{Entry, KEPT, What};
use crate::duration;

/// Between the moment and the rest: in keys, and in cursors, where it must survive in a query string (RFC 3986, section
/// 2.3: unreserved).
const IN_KEYS: char = '#';
const IN_CURSORS: char = '~';

impl Entry {
    /// The key under which it is kept: by its moment, so that later ones sort behind it. `version` is that of the record
    /// that it came with. A change of a count is known by its moment and service alone: it may be written again.
    #[must_use]
    pub fn key(&self, version: u64) -> String {
        let at = moment(self.at);
        match &self.what {
            What::Count { service, .. } => format!("{at}{IN_KEYS}{service}"),
            What::Phase { .. } | What::Would { .. } | What::Rule { .. } | What::Refused { .. } => {
                format!("{at}{IN_KEYS}{version:020}")
            }
        }
    }

    /// When it is deleted.
    #[must_use]
    pub fn delete_at(&self) -> Timestamp {
        duration::after(self.at, KEPT)
    }
}

/// With milliseconds, always: moments that are written alike sort like moments.
fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// An entry, and the key under which it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: String,
    /// The entry.
    pub entry: Entry,
}

/// Where a page ended: the next one holds what is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The rule that [`Cursor::parse`] applies, for error messages.
    pub const RULE: &str = "must be the `next` of the page before";

    /// Parses what [`Page::next`] says; `None` breaks [`Cursor::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, rest) = text.split_once(IN_CURSORS)?;
        let at: Timestamp = at.parse().ok()?;
        let plain = !rest.is_empty() && text.len() <= 1024 && !rest.contains(char::is_control);
        plain.then(|| Self(format!("{}{IN_KEYS}{rest}", moment(at))))
    }

    /// The keys of what is kept and older than this cursor, the oldest that may be there and the one before which they
    /// end; none if nothing can be that old any more.
    #[must_use]
    pub fn range(before: Option<&Self>, now: Timestamp) -> Option<(String, String)> {
        let oldest = moment(duration::before(now, KEPT));
        // Later than any: digits sort before letters.
        let end = before.map_or_else(|| "Z".to_owned(), |cursor| cursor.0.clone());
        (oldest < end).then_some((oldest, end))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replacen(IN_KEYS, "~", 1))
    }
}

/// Some entries, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where older ones go on, if there are some: the text of a [`Cursor`].
    pub next: Option<String>,
}

impl Page {
    /// A page of at most `limit` of these rows, which are sorted newest first. There is a next one if there are more.
    #[must_use]
    pub fn of(rows: Vec<Row>, limit: usize) -> Self {
        let goes_on = rows.len() > limit;
        let mut rows = rows;
        rows.truncate(limit);
        let last = rows.last().filter(|_| goes_on);
        Self {
            next: last.map(|row| Cursor(row.key.clone()).to_string()),
            entries: rows.into_iter().map(|row| row.entry).collect(),
        }
    }
}
