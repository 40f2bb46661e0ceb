//! Entries of the committed lists that say why something is as it is.

use anyhow::{Context, Result};
use serde_json::Value;

/// A text of an entry that says something.
pub(crate) fn text<'a>(entry: &'a Value, field: &str) -> Result<&'a str> {
    let text = entry[field].as_str().filter(|text| !text.trim().is_empty());
    text.with_context(|| format!("{entry} must have the text `{field}`"))
}

/// Texts of an entry, of which there is one at least.
pub(crate) fn texts<'a>(entry: &'a Value, field: &str) -> Result<Vec<&'a str>> {
    let all = entry[field].as_array().filter(|all| !all.is_empty());
    let all = all.with_context(|| format!("{entry} must have a list `{field}`"))?;
    all.iter()
        .map(|one| {
            one.as_str()
                .with_context(|| format!("{entry}: `{field}` must be texts"))
        })
        .collect()
}
