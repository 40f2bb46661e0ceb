//! The part of CBOR (RFC 8949) that Smithy's RPC v2 needs to carry JSON values. Newer SDKs speak it to the
//! tagging service.

use serde_json::{Map, Number, Value};

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(b) => out.push(if *b { 0xf5 } else { 0xf4 }),
        Value::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(n), _) => head(0, n, out),
            (None, Some(n)) => head(1, n.unsigned_abs() - 1, out),
            _ => {
                out.push(0xfb);
                out.extend(n.as_f64().unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|i| write(i, out));
        }
        Value::Object(fields) => {
            head(5, fields.len() as u64, out);
            for (name, value) in fields {
                write_text(name, out);
                write(value, out);
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    head(3, text.len() as u64, out);
    out.extend(text.as_bytes());
}

fn head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match n {
        0..=23 => out.push(major | n as u8),
        24..=0xff => out.extend([major | 24, n as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend((n as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend((n as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(n.to_be_bytes());
        }
    }
}

/// A value, or `None` for anything that is not well-formed.
pub(crate) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    read(&mut rest, 0)
}

const BREAK: u8 = 0xff;
const INDEFINITE: u8 = 31;
const MAX_DEPTH: u8 = 32;

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(n)?;
    *rest = left;
    Some(taken)
}

fn read(rest: &mut &[u8], depth: u8) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let first = *take(rest, 1)?.first()?;
    let (major, info) = (first >> 5, first & 31);
    let more = |rest: &mut &[u8], read_so_far: u64, n: u64| {
        let open =
            info != INDEFINITE && read_so_far < n || info == INDEFINITE && rest.first() != Some(&BREAK);
        if !open && info == INDEFINITE {
            take(rest, 1);
        }
        open
    };
    let n = match info {
        0..=23 => u64::from(info),
        24..=27 => take(rest, 1 << (info - 24))?
            .iter()
            .fold(0, |n, b| n << 8 | u64::from(*b)),
        INDEFINITE => 0,
        _ => return None,
    };
    match major {
        0 => Some(n.into()),
        1 => Some((-1 - i64::try_from(n).ok()?).into()),
        2 | 3 if info == INDEFINITE => {
            let mut text = String::new();
            while more(rest, 0, 0) {
                text.push_str(read(rest, depth + 1)?.as_str()?);
            }
            Some(text.into())
        }
        2 | 3 => Some(
            std::str::from_utf8(take(rest, usize::try_from(n).ok()?)?)
                .ok()?
                .into(),
        ),
        4 => {
            let mut items = Vec::new();
            while more(rest, items.len() as u64, n) {
                items.push(read(rest, depth + 1)?);
            }
            Some(items.into())
        }
        5 => {
            let (mut fields, mut count) = (Map::new(), 0);
            while more(rest, count, n) {
                let name = read(rest, depth + 1)?.as_str()?.to_string();
                fields.insert(name, read(rest, depth + 1)?);
                count += 1;
            }
            Some(fields.into())
        }
        6 => read(rest, depth + 1),
        _ => match info {
            20 => Some(false.into()),
            21 => Some(true.into()),
            22 | 23 => Some(Value::Null),
            26 => Some(Number::from_f64(f64::from(f32::from_bits(n as u32)))?.into()),
            27 => Some(Number::from_f64(f64::from_bits(n))?.into()),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let value = json!({"TagFilters": [{"Key": "dormouse:group", "Values": []}], "n": 70000, "m": -3, "f": 1.5,
            "t": true, "none": null, "long": "x".repeat(300)});
        assert_eq!(decode(&encode(&value)), Some(value));
    }

    #[test]
    fn indefinite_lengths_are_read_and_broken_bytes_refused() {
        // {_ "a": [_ 1, 2]}
        assert_eq!(
            decode(&[0xbf, 0x61, b'a', 0x9f, 1, 2, 0xff, 0xff]),
            Some(json!({"a": [1, 2]}))
        );
        assert_eq!(decode(&[0xbf, 0x61]), None);
        assert_eq!(decode(&[0x81; 100]), None);
    }
}
