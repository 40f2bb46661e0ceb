//! Parameters that are only kept, as XML again.

use std::collections::BTreeMap;

use super::super::xml::{Node, element, text};

/// A name split at its dots, and the value.
type Given<'a> = (Vec<&'a str>, &'a str);

/// Dotted names and values as nested elements: `a.member.2.b` is an element in the second member of list `a`.
pub(super) fn nodes(given: &BTreeMap<String, String>) -> Vec<Node> {
    let all: Vec<Given> = given
        .iter()
        .map(|(name, value)| (name.split('.').collect(), value.as_str()))
        .collect();
    level(&all)
}

fn level(given: &[Given]) -> Vec<Node> {
    // Members of lists and entries of maps come by their numbers.
    let mut below: BTreeMap<(&str, u32), Vec<Given>> = BTreeMap::new();
    for (path, value) in given {
        let Some((name, rest)) = path.split_first() else {
            continue;
        };
        let number = match *name {
            "member" | "entry" => rest.first().and_then(|n| n.parse::<u32>().ok()),
            _ => None,
        };
        let rest = if number.is_some() { &rest[1..] } else { rest };
        let of_name = below.entry((*name, number.unwrap_or(0))).or_default();
        of_name.push((rest.to_vec(), value));
    }
    let node = |((name, _), inner): ((&str, u32), Vec<Given>)| match inner.as_slice() {
        [(path, value)] if path.is_empty() => text(name, value),
        _ => element(name, level(&inner)),
    };
    below.into_iter().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::xml::document;
    use super::*;

    #[test]
    fn lists_and_maps_come_back_as_they_were_given() {
        let given = [
            ("Issuer", "i"),
            ("Claims.member.10.Values.member.1", "z"),
            ("Claims.member.2.Name", "a"),
            ("Params.entry.1.key", "k"),
            ("Params.entry.1.value", "v"),
        ];
        let given = given.map(|(k, v)| (k.to_string(), v.to_string())).into();
        let xml = document(element("c", nodes(&given)));
        let expected = "<c><Claims><member><Name>a</Name></member><member><Values><member>z</member></Values></member>\
            </Claims><Issuer>i</Issuer><Params><entry><key>k</key><value>v</value></entry></Params></c>";
        assert!(xml.ends_with(expected), "{xml}");
    }
}
