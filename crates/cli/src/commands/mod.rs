//! What each command does: questions to the function, and a report.

pub(crate) mod check;
pub(crate) mod link;
pub(crate) mod ls;
pub(crate) mod release;
pub(crate) mod rest;
#[cfg(test)]
mod testing;
pub(crate) mod wake;
pub(crate) mod why;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::ports::{Clock, Function};
use crate::report::Report;
use crate::view;
use crate::view::time::Reader;

/// Whom a command asks, and for whom.
pub(crate) struct Desk<'a, W> {
    /// The function and the clock.
    pub(crate) world: &'a W,
    /// Who asks, for the group's records: an ARN, or `user@host`. None for mere questions, which leave nothing behind.
    pub(crate) by: Option<&'a str>,
    /// The zone of the person who asks.
    pub(crate) zone: TimeZone,
}

impl<W: Function + Clock> Desk<'_, W> {
    /// Asks the function.
    pub(crate) async fn ask(&self, mut event: Value) -> Result<Value, Failure> {
        if let Some(by) = self.by {
            event["by"] = json!(by);
        }
        self.world.call(&event).await
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn reader(&self) -> Reader {
        Reader {
            now: self.now(),
            zone: self.zone.clone(),
        }
    }

    /// The report of an answer that is a group's status.
    fn status(&self, answer: Value) -> Report {
        let text = view::status::status(&answer, &self.reader());
        Report::done(answer, text)
    }
}

/// Why a status is not what was asked for: the stable code of the decision, beside what the status says itself.
fn not_done(answer: &Value, wanted: &str) -> String {
    let group = view::plain(&answer["group"]);
    let why = view::text(answer, "decision_reason").unwrap_or("no reason was given");
    format!("{group} {wanted}: {why}")
}

/// Whether the group is in one of these phases.
fn is_in(answer: &Value, phases: &[&str]) -> bool {
    view::text(answer, "phase").is_some_and(|phase| phases.contains(&phase))
}
