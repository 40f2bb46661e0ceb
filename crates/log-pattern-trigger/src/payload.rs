//! What CloudWatch Logs sends to a subscribed function: base64 of gzip of JSON (Amazon CloudWatch Logs User Guide,
//! "Subscription filters with AWS Lambda").

use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_core::error::{Code, Error};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Most bytes that are unpacked. A batch comes from PutLogEvents calls of at most 1 MiB and 10,000 events, to which JSON
/// adds about as much again; the worst that fits here takes a quarter of the function's memory. Our choice.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Lines of one log group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Name of the log group.
    pub(crate) log_group: String,
    /// Its lines.
    pub(crate) lines: Vec<Line>,
    /// Entries that are no lines with a moment.
    pub(crate) skipped: usize,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When it was written, by the clock of who wrote it.
    pub(crate) at: Timestamp,
    /// Its text.
    pub(crate) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    message_type: String,
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_events: Lines,
}

/// The entries that are lines with a moment, and how many are none. Others are passed over as they are read: as values,
/// what is short in a batch would take many times its length.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    skipped: usize,
}

#[derive(Deserialize)]
struct Entry {
    timestamp: i64,
    message: String,
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of log events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Lines, A::Error> {
                let mut all = Lines::default();
                while let Some(entry) = entries.next_element::<&RawValue>()? {
                    match line(entry) {
                        Some(line) => all.lines.push(line),
                        None => all.skipped += 1,
                    }
                }
                Ok(all)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

fn line(entry: &RawValue) -> Option<Line> {
    let Entry { timestamp, message } = serde_json::from_str(entry.get()).ok()?;
    let at = Timestamp::from_millisecond(timestamp).ok()?;
    Some(Line { at, message })
}

/// Unpacks a batch; none for a control message, which only asks whether the function is there.
///
/// # Errors
/// [`Code::InvalidRequest`] and [`Code::TooLarge`].
pub(crate) fn decode(event: &Value) -> Result<Option<Batch>, Error> {
    let packed = event
        .pointer("/awslogs/data")
        .and_then(Value::as_str)
        .ok_or_else(|| invalid("the event has no text `awslogs.data`: it is not from a log subscription"))?;
    let packed = STANDARD
        .decode(packed)
        .map_err(|error| invalid(&format!("`awslogs.data` is not base64: {error}")))?;
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice())
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| invalid(&format!("`awslogs.data` is not gzip: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("`awslogs.data` unpacks to more than {MOST_BYTES} bytes");
        return Err(Error::new(Code::TooLarge, message));
    }
    let data: Data = serde_json::from_slice(&bytes).map_err(|error| {
        invalid(&format!(
            "`awslogs.data` is not a log subscription's JSON: {error}"
        ))
    })?;
    match data.message_type.as_str() {
        "CONTROL_MESSAGE" => Ok(None),
        "DATA_MESSAGE" => Ok(Some(Batch {
            log_group: data.log_group,
            lines: data.log_events.lines,
            skipped: data.log_events.skipped,
        })),
        other => Err(invalid(&format!(
            "messageType `{other}`: must be DATA_MESSAGE or CONTROL_MESSAGE"
        ))),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidRequest, what)
}
