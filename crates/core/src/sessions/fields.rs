//! The fields of a JSON object, read one by one with errors that name field, value and rule.

use serde_json::{Map, Value};

use crate::error::{Code, Error};

/// The fields of a message, all of them known.
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a Value, known: &[&str]) -> Result<Self, Error> {
        let Some(fields) = message.as_object() else {
            return Err(invalid(format!(
                "message `{}`: must be a JSON object",
                shorten(&message.to_string())
            )));
        };
        match fields.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, value)) => Err(invalid(format!(
                "field `{}`, value `{}`: is not known; must be one of {}",
                shorten(&name.escape_debug().to_string()),
                shorten(&value.to_string()),
                known.join(", "),
            ))),
            None => Ok(Self(fields)),
        }
    }

    /// A field; one that is `null` counts as missing.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A field that may be missing. What `read` does not read breaks the rule.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let broken = |value: &Value| {
            let value = shorten(&value.to_string());
            invalid(format!("field `{name}`, value `{value}`: {rule}"))
        };
        self.get(name)
            .map(|value| read(value).ok_or_else(|| broken(value)))
            .transpose()
    }

    /// A field that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Error> {
        self.optional(name, rule, read)?
            .ok_or_else(|| invalid(format!("field `{name}` is missing: {rule}")))
    }
}

pub(super) fn invalid(what: String) -> Error {
    Error::new(Code::InvalidRequest, what)
}

/// At most 100 characters of a text.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some(_) => text.chars().take(99).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
