//! What CloudWatch Logs sends to a subscribed function: base64 of gzip of JSON (Amazon CloudWatch Logs User Guide,
//! "Subscription filters with AWS Lambda").

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dormouse_core::error::{Code, Error};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Most bytes that are unpacked. A batch comes from PutLogEvents calls of at most 1 MiB and 10,000 events, to which JSON
/// adds about as much again; the worst that fits here takes half of the function's memory. Our choice.
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
    log_events: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Line { timestamp: i64, message: String },
    Other(IgnoredAny),
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
        "DATA_MESSAGE" => Ok(Some(batch(data))),
        other => Err(invalid(&format!(
            "messageType `{other}`: must be DATA_MESSAGE or CONTROL_MESSAGE"
        ))),
    }
}

fn batch(data: Data) -> Batch {
    let all = data.log_events.len();
    let lines: Vec<Line> = data
        .log_events
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Line { timestamp, message } => Some(Line {
                at: Timestamp::from_millisecond(timestamp).ok()?,
                message,
            }),
            Entry::Other(_) => None,
        })
        .collect();
    Batch {
        log_group: data.log_group,
        skipped: all - lines.len(),
        lines,
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidRequest, what)
}
