//! What a command has to say.

use serde_json::Value;

use crate::exit::Exit;

/// The end of a command: one answer, for programs and for people.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// How it ended.
    pub(crate) exit: Exit,
    /// The answer as JSON, for `--json`.
    pub(crate) json: Value,
    /// The answer for people, without a line feed at its end.
    pub(crate) text: String,
    /// What goes to standard error besides: why it is not what was asked for.
    pub(crate) complaint: Option<String>,
}

impl Report {
    /// What was asked for was done.
    pub(crate) fn done(json: Value, text: String) -> Self {
        Self {
            exit: Exit::Done,
            json,
            text,
            complaint: None,
        }
    }

    /// The same answer, but not what was asked for.
    pub(crate) fn but(self, exit: Exit, complaint: String) -> Self {
        Self {
            exit,
            complaint: Some(complaint),
            ..self
        }
    }
}
