//! Where a door is, and which requests come through it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// Where a door is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The DNS name of its load balancer.
    pub host: String,
    /// Whether its listener speaks TLS.
    pub tls: bool,
    /// Its listener's port.
    pub port: u16,
    /// The rule's priority; none: the listener's default action, which takes what no rule takes.
    pub priority: Option<u32>,
    /// What the rule asks of a request. All must be met.
    pub conditions: Vec<Condition>,
    /// Whether whoever comes has been authenticated by the load balancer.
    pub authenticates: bool,
}

/// A request, as far as rules judge it.
pub struct Asked<'a> {
    /// The port of the listener.
    pub port: u16,
    /// The method, in upper case.
    pub method: &'a str,
    /// The host name, without a port.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query's keys and values.
    pub query: Vec<(&'a str, &'a str)>,
    /// The value of a header by its name in any case.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// Who asks; none: not known, and then not judged.
    pub source: Option<IpAddr>,
}

/// A request that a door takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The method.
    pub method: String,
    /// The host that it asks for.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// Other headers.
    pub headers: Vec<(String, String)>,
}

impl Place {
    /// Whether a request comes through this door, if no door before it takes it.
    #[must_use]
    pub fn takes(&self, asked: &Asked<'_>) -> bool {
        self.port == asked.port && self.conditions.iter().all(|condition| condition.takes(asked))
    }

    /// A request that this door takes, if no door before it does. `word` fills what may be anything.
    ///
    /// # Errors
    /// Which condition cannot be met from here.
    pub fn sample(&self, word: &str) -> Result<Sample, String> {
        let mut sample = Sample {
            method: "GET".to_owned(),
            host: self.host.clone(),
            target: format!("/{word}"),
            headers: Vec::new(),
        };
        let mut query = Vec::new();
        for condition in &self.conditions {
            match condition {
                Condition::Host(values) => sample.host = filled(values, word)?,
                Condition::Path(values) => sample.target = filled(values, word)?,
                Condition::Header { name, values } => {
                    sample.headers.push((name.clone(), filled(values, word)?));
                }
                Condition::Method(values) => {
                    let first = values.first().ok_or("a condition has no value")?;
                    let get = values.iter().any(|value| value == "GET");
                    sample.method = if get { "GET".to_owned() } else { first.clone() };
                }
                Condition::Query(pairs) => {
                    let pair = pairs.first().ok_or("a condition has no value")?;
                    let key = fill(pair.key.as_deref().unwrap_or(word), word);
                    query.push(format!("{key}={}", fill(&pair.value, word)));
                }
                Condition::Source(blocks) => {
                    return Err(format!("it takes requests only from {}", blocks.join(", ")));
                }
                Condition::Other(name) => return Err(format!("it has a condition `{name}`")),
            }
        }
        if !query.is_empty() {
            sample.target = format!("{}?{}", sample.target, query.join("&"));
        }
        Ok(sample)
    }
}

fn filled(values: &[String], word: &str) -> Result<String, String> {
    let value = values.first().ok_or("a condition has no value")?;
    Ok(fill(value, word))
}

/// A text that matches a pattern.
fn fill(pattern: &str, word: &str) -> String {
    pattern.replace('*', word).replace('?', "d")
}
