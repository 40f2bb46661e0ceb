//! What a rule asks of a request before it takes it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::place::Asked;

/// A condition of a rule ("Condition types for listener rules",
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>). One of its values must
/// match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The host name, with wildcards, in any case.
    Host(Vec<String>),
    /// The path, with wildcards.
    Path(Vec<String>),
    /// A header's value, with wildcards, in any case.
    Header {
        /// Its name.
        name: String,
        /// Its values.
        values: Vec<String>,
    },
    /// The method.
    Method(Vec<String>),
    /// Parts of the query, with wildcards, in any case.
    Query(Vec<QueryPair>),
    /// The address of whoever asks, as CIDR blocks.
    Source(Vec<String>),
    /// One that this version cannot judge, by its name. The load balancer did, or the request would not be here.
    Other(String),
}

/// A part of a query that a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryPair {
    /// Its key; none: any.
    pub key: Option<String>,
    /// Its value.
    pub value: String,
}

impl Condition {
    /// Whether a request meets it.
    #[must_use]
    pub fn takes(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Host(values) => values.iter().any(|value| matches_in_any_case(value, asked.host)),
            Self::Path(values) => values.iter().any(|value| matches_pattern(value, asked.path)),
            Self::Header { name, values } => {
                let header = (asked.header)(name);
                header.is_some_and(|header| values.iter().any(|value| matches_in_any_case(value, &header)))
            }
            Self::Method(values) => values.iter().any(|value| value == asked.method),
            Self::Query(pairs) => pairs.iter().any(|pair| {
                asked.query.iter().any(|(key, value)| {
                    let named = pair
                        .key
                        .as_deref()
                        .is_none_or(|named| matches_in_any_case(named, key));
                    named && matches_in_any_case(&pair.value, value)
                })
            }),
            Self::Source(blocks) => {
                let source = asked.source;
                source.is_none_or(|source| blocks.iter().any(|block| contains(block, source)))
            }
            Self::Other(_) => true,
        }
    }
}

/// Whether a text matches a pattern, in which `*` stands for any characters and `?` for exactly one.
#[must_use]
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut matched) = (0, 0);
    // Where to go on if what follows the last `*` does not match: with one more character for it.
    let mut star: Option<(usize, usize)> = None;
    while matched < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, matched));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[matched] => {
                at += 1;
                matched += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    matched = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

fn matches_in_any_case(pattern: &str, text: &str) -> bool {
    matches_pattern(&pattern.to_lowercase(), &text.to_lowercase())
}

/// Whether a CIDR block contains an address; one that cannot be read contains nothing.
fn contains(block: &str, address: IpAddr) -> bool {
    let Some((network, length)) = block.split_once('/') else {
        return false;
    };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if length <= 32 => {
            let shift = 32 - length;
            let cut = |address: u32| address.checked_shr(shift).unwrap_or(0);
            cut(network.to_bits()) == cut(address.to_bits())
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if length <= 128 => {
            let shift = 128 - length;
            let cut = |address: u128| address.checked_shr(shift).unwrap_or(0);
            cut(network.to_bits()) == cut(address.to_bits())
        }
        _ => false,
    }
}
