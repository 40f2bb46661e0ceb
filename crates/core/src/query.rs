//! Questions that change nothing and look at nothing but the table.

use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::why::Cursor;

/// How many entries a page has if nobody says.
pub const USUAL_LIMIT: usize = 20;
/// How many it has at most.
pub const MOST: usize = 100;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// All groups, as [`crate::overview`] shows them.
    List,
    /// A page of a group's why-log.
    Why(WhyQuery),
}

/// Which page of which group's why-log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyQuery {
    /// The group.
    pub group: GroupName,
    /// How many entries at most.
    pub limit: usize,
    /// Where the page before ended; none: the last entries.
    pub before: Option<Cursor>,
}

impl WhyQuery {
    /// Understands `limit` and `before` as a caller wrote them.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], naming field, value and rule.
    pub fn parse(group: GroupName, limit: Option<&str>, before: Option<&str>) -> Result<Self, Error> {
        let invalid = |field: &str, value: &str, rule: &str| {
            Error::new(
                Code::InvalidRequest,
                format!("field `{field}`, value `{value}`: {rule}"),
            )
        };
        let number = |text: &str| {
            let number = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            number.ok_or_else(|| invalid("limit", text, &format!("must be a whole number from 1 to {MOST}")))
        };
        let cursor = |text: &str| Cursor::parse(text).ok_or_else(|| invalid("before", text, Cursor::RULE));
        Ok(Self {
            group,
            limit: limit.map(number).transpose()?.unwrap_or(USUAL_LIMIT),
            before: before.map(cursor).transpose()?,
        })
    }
}
