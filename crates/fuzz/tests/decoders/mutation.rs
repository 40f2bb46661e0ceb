//! Inputs that are made of a corpus by small changes: of bytes, and of the places of JSON.

use dormouse_fuzz::{Entry, json};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json as value};

/// What parsers trip over: the ends of numbers and of time, other scripts, syntax without end.
const TOKENS: [&str; 40] = [
    "",
    "\0",
    "\r\n",
    " ",
    "%",
    "%00",
    "%zz",
    "&",
    "=",
    "?",
    "#",
    "~",
    "/",
    "//",
    "/-/",
    "..",
    ":",
    "::1",
    "-",
    "--1",
    "+",
    "*",
    "*?*?*",
    "{",
    "}",
    "[[[[[[[[",
    "\"",
    "\\u0000",
    "0",
    "-0",
    "9223372036854775808",
    "18446744073709551616",
    "1e309",
    "NaN",
    "\u{1f634}",
    "\u{661}",
    "\u{130}",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "arn:aws:ecs:::/",
];

/// One change.
#[derive(Clone, Debug)]
enum Mutation {
    Flip {
        at: Index,
        bit: u8,
    },
    Set {
        at: Index,
        byte: u8,
    },
    Insert {
        at: Index,
        token: &'static str,
    },
    Cut {
        from: Index,
        to: Index,
    },
    Truncate {
        at: Index,
    },
    Repeat {
        from: Index,
        to: Index,
        times: usize,
    },
    /// Goes on as another entry does.
    Splice {
        at: Index,
        other: Index,
        from: Index,
    },
    /// Puts something else in a place of JSON.
    Replace {
        place: Index,
        value: Value,
    },
    /// Takes a place of JSON out.
    Remove {
        place: Index,
    },
    /// Puts a place of another entry's JSON into a place of this one's.
    Graft {
        place: Index,
        other: Index,
        from: Index,
    },
    /// Says a text of JSON many times.
    Lengthen {
        place: Index,
        times: usize,
    },
}

/// Inputs of one to a few changes of an entry.
pub(crate) fn inputs(corpus: Vec<Entry>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(mutations(), 1..6)).prop_map(move |(entry, mutations)| {
        let mut bytes = entry.get(&corpus).bytes.clone();
        for mutation in mutations {
            bytes = apply(&mutation, bytes, &corpus);
        }
        bytes
    })
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let of_bytes = prop_oneof![
        (at(), 0u8..8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set { at, byte }),
        (at(), select(&TOKENS[..])).prop_map(|(at, token)| Mutation::Insert { at, token }),
        (at(), at()).prop_map(|(from, to)| Mutation::Cut { from, to }),
        at().prop_map(|at| Mutation::Truncate { at }),
        (at(), at(), 2usize..40).prop_map(|(from, to, times)| Mutation::Repeat { from, to, times }),
        (at(), at(), at()).prop_map(|(at, other, from)| Mutation::Splice { at, other, from }),
    ];
    let of_json = prop_oneof![
        (at(), values()).prop_map(|(place, value)| Mutation::Replace { place, value }),
        at().prop_map(|place| Mutation::Remove { place }),
        (at(), at(), at()).prop_map(|(place, other, from)| Mutation::Graft { place, other, from }),
        (at(), 2usize..200).prop_map(|(place, times)| Mutation::Lengthen { place, times }),
    ];
    prop_oneof![of_bytes, of_json]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(&TOKENS[..]).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![
            value!(null),
            value!(true),
            value!(0),
            value!(-1),
            value!(u64::MAX),
            value!(i64::MIN),
            value!(1e300),
            value!(0.5),
            value!([]),
            value!({}),
            value!([[[[]]]]),
            value!([null]),
            value!({"": ""}),
        ]),
        ".{0,12}".prop_map(Value::from),
    ]
}

fn apply(mutation: &Mutation, bytes: Vec<u8>, corpus: &[Entry]) -> Vec<u8> {
    // One more than there are bytes: the end is a place too.
    let place = |index: &Index| index.index(bytes.len() + 1);
    let ends = |a: &Index, b: &Index| (place(a).min(place(b)), place(a).max(place(b)));
    let mut changed = bytes.clone();
    match mutation {
        Mutation::Flip { at, bit } => {
            if let Some(byte) = changed.get_mut(place(at)) {
                *byte ^= 1 << bit;
            }
        }
        Mutation::Set { at, byte } => {
            if let Some(old) = changed.get_mut(place(at)) {
                *old = *byte;
            }
        }
        Mutation::Insert { at, token } => {
            let at = place(at);
            changed.splice(at..at, token.bytes());
        }
        Mutation::Cut { from, to } => {
            let (from, to) = ends(from, to);
            changed.drain(from..to);
        }
        Mutation::Truncate { at } => changed.truncate(place(at)),
        Mutation::Repeat { from, to, times } => {
            let (from, to) = ends(from, to);
            changed.splice(from..to, bytes[from..to].repeat(*times));
        }
        Mutation::Splice { at, other, from } => {
            let other = &other.get(corpus).bytes;
            changed.truncate(place(at));
            changed.extend_from_slice(&other[from.index(other.len() + 1)..]);
        }
        Mutation::Replace { .. }
        | Mutation::Remove { .. }
        | Mutation::Graft { .. }
        | Mutation::Lengthen { .. } => {
            return apply_to_json(mutation, bytes, corpus);
        }
    }
    changed
}

/// What is no JSON any more stays as it is.
fn apply_to_json(mutation: &Mutation, bytes: Vec<u8>, corpus: &[Entry]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
        return bytes;
    };
    let places = json::places(&value);
    let at = |place: &Index| places[place.index(places.len())].as_str();
    match mutation {
        Mutation::Replace { place, value: new } => put(&mut value, at(place), new.clone()),
        Mutation::Remove { place } => json::remove(&mut value, at(place)),
        Mutation::Graft { place, other, from } => {
            if let Ok(other) = serde_json::from_slice::<Value>(&other.get(corpus).bytes) {
                let others = json::places(&other);
                let found = other.pointer(&others[from.index(others.len())]).cloned();
                put(&mut value, at(place), found.unwrap_or_default());
            }
        }
        Mutation::Lengthen { place, times } => {
            if let Some(Value::String(text)) = value.pointer_mut(at(place)) {
                *text = text.repeat(*times);
            }
        }
        _ => {}
    }
    value.to_string().into_bytes()
}

fn put(value: &mut Value, place: &str, new: Value) {
    if let Some(old) = value.pointer_mut(place) {
        *old = new;
    }
}
