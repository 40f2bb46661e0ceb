//! Inputs that are made of a corpus by growth: whatever may be long or many in an input, is.

use serde_json::Value;

use crate::corpus::Entry;
use crate::json;

/// Most places of a JSON document that grow, one in each input.
const PLACES: usize = 6;

/// A way to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// This part of the bytes, again and again.
    Bytes(usize, usize),
    /// The text, list or object at this place of JSON.
    Place(String),
}

/// The ways in which an entry can grow.
#[must_use]
pub fn ways(entry: &Entry) -> Vec<Way> {
    let length = entry.bytes.len();
    let half = length / 2;
    let parts = [
        (0, length),
        (0, half),
        (half, length),
        (0, 1),
        (half, half + 1),
        (length.saturating_sub(1), length),
    ];
    let parts = parts.into_iter().filter(|(from, to)| from < to && *to <= length);
    let mut ways: Vec<Way> = parts.map(|(from, to)| Way::Bytes(from, to)).collect();
    ways.dedup();
    if let Ok(value) = serde_json::from_slice::<Value>(&entry.bytes) {
        // Bytes that are repeated in JSON are seldom JSON: once is enough.
        ways.truncate(1);
        let grows = |place: &String| {
            let found = value.pointer(place);
            found.is_some_and(|found| found.is_string() || found.is_array() || found.is_object())
        };
        let places: Vec<String> = json::places(&value).into_iter().filter(grows).collect();
        let step = places.len().div_ceil(PLACES).max(1);
        ways.extend(places.into_iter().step_by(step).map(Way::Place));
    }
    ways
}

/// The entry, grown to about so many bytes.
#[must_use]
pub fn grown(entry: &Entry, way: &Way, length: usize) -> Vec<u8> {
    match way {
        Way::Bytes(from, to) => {
            let times = length.saturating_sub(entry.bytes.len()) / (to - from) + 1;
            let mut bytes = entry.bytes.clone();
            bytes.splice(from..to, entry.bytes[*from..*to].repeat(times));
            bytes
        }
        Way::Place(place) => {
            let mut value: Value = serde_json::from_slice(&entry.bytes).unwrap_or_default();
            let room = length.saturating_sub(entry.bytes.len());
            if let Some(found) = value.pointer_mut(place) {
                grow(found, room);
            }
            value.to_string().into_bytes()
        }
    }
}

fn grow(value: &mut Value, room: usize) {
    match value {
        Value::String(text) => {
            let seed = if text.is_empty() {
                "x".to_owned()
            } else {
                text.clone()
            };
            *text = seed.repeat(room / seed.len() + 1);
        }
        Value::Array(items) => {
            let seeds = if items.is_empty() {
                vec![Value::from(0)]
            } else {
                items.clone()
            };
            let size = Value::from(seeds.clone()).to_string().len();
            for _ in 0..room / size {
                items.extend(seeds.iter().cloned());
            }
        }
        Value::Object(fields) => {
            let seed = fields.values().next().cloned().unwrap_or_default();
            let size = seed.to_string().len() + 12;
            for number in 0..room / size {
                fields.insert(format!("n{number:07}"), seed.clone());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_grows_an_entry_in_proportion() {
        for bytes in [&b"ab:8080"[..], br#"{"a": "x", "b": [1, 2], "c": {}}"#] {
            let entry = Entry {
                name: "entry".to_owned(),
                bytes: bytes.to_vec(),
            };
            let ways = ways(&entry);
            assert!(ways.len() >= 5, "{ways:?}");
            for way in ways {
                let length = grown(&entry, &way, 10_000).len();
                assert!((7_000..13_000).contains(&length), "{way:?}: {length}");
            }
        }
    }
}
