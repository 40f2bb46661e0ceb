//! Conditions of listener rules.
//!
//! "Condition types for listener rules"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>) and
//! "RuleCondition" in the API reference.

use std::net::IpAddr;

use super::error::ApiError;
use super::routing::RequestLine;
use super::wildcard::{Letters, fits};

/// A condition; it is met when one of its values fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `host-header`: the host, whatever its case.
    Host(Vec<String>),
    /// `path-pattern`: the path, case-sensitive.
    Path(Vec<String>),
    /// `http-header`: any value of the header, whatever its case.
    Header {
        /// Name of the header, without wildcards.
        name: String,
        /// Patterns.
        values: Vec<String>,
    },
    /// `http-request-method`: exactly one of these.
    Method(Vec<String>),
    /// `query-string`: a pair, or any pair with the value where no key is given; whatever the case.
    Query(Vec<(Option<String>, String)>),
    /// `source-ip`: blocks in CIDR form that hold the client's address.
    Source(Vec<String>),
}

impl Condition {
    /// The field as the API names it.
    pub fn field(&self) -> &'static str {
        match self {
            Condition::Host(_) => "host-header",
            Condition::Path(_) => "path-pattern",
            Condition::Header { .. } => "http-header",
            Condition::Method(_) => "http-request-method",
            Condition::Query(_) => "query-string",
            Condition::Source(_) => "source-ip",
        }
    }

    /// Whether a request meets it.
    pub fn is_met(&self, request: &RequestLine) -> bool {
        let one = |patterns: &[String], text: &str, letters| patterns.iter().any(|p| fits(p, text, letters));
        match self {
            Condition::Host(values) => one(values, request.host_name(), Letters::AnyCase),
            Condition::Path(values) => one(values, &request.path, Letters::Exact),
            Condition::Header { name, values } => request
                .header_values(name)
                .any(|value| one(values, value, Letters::AnyCase)),
            Condition::Method(values) => values.contains(&request.method),
            Condition::Query(wanted) => request.pairs().any(|(key, value)| {
                let fit = |pattern: &str, text: &str| fits(pattern, text, Letters::AnyCaseEscaped);
                wanted
                    .iter()
                    .any(|(k, v)| k.as_ref().is_none_or(|k| fit(k, key)) && fit(v, value))
            }),
            Condition::Source(blocks) => blocks
                .iter()
                .filter_map(|b| Block::read(b))
                .any(|b| b.holds(request.source)),
        }
    }

    fn values(&self) -> usize {
        match self {
            Condition::Host(v) | Condition::Path(v) | Condition::Method(v) | Condition::Source(v) => v.len(),
            Condition::Header { values, .. } => values.len(),
            Condition::Query(v) => v.len(),
        }
    }

    fn check(&self) -> Result<(), ApiError> {
        let field = self.field();
        if self.values() == 0 {
            return Err(ApiError::validation(format!(
                "A condition value must be specified for '{field}'"
            )));
        }
        match self {
            Condition::Header { name, .. } if name.is_empty() || name.contains(['*', '?']) => {
                Err(ApiError::validation(format!(
                    "Header name '{name}' must be the name of one header, without wildcards"
                )))
            }
            Condition::Source(blocks) => match blocks.iter().find(|b| Block::read(b).is_none()) {
                Some(block) => Err(ApiError::validation(format!(
                    "'{block}' must be an address block in CIDR form for '{field}'"
                ))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// Checks a rule's conditions: at least one; host, path, method and source once each; five values in all.
pub(crate) fn check_conditions(conditions: &[Condition]) -> Result<(), ApiError> {
    if conditions.is_empty() {
        return Err(ApiError::validation("A condition must be specified"));
    }
    conditions.iter().try_for_each(Condition::check)?;
    for (n, condition) in conditions.iter().enumerate() {
        let several = matches!(condition, Condition::Header { .. } | Condition::Query(_));
        let field = condition.field();
        if !several && conditions[..n].iter().any(|c| c.field() == field) {
            return Err(ApiError::validation(format!(
                "A rule can have one condition with field '{field}'"
            )));
        }
    }
    let values: usize = conditions.iter().map(Condition::values).sum();
    match values > 5 {
        // "Quotas for your Application Load Balancers": condition values per rule.
        true => Err(ApiError::validation(format!(
            "A rule can have at most 5 condition values, not {values}"
        ))),
        false => Ok(()),
    }
}

/// An address block.
struct Block {
    network: IpAddr,
    length: u32,
}

impl Block {
    fn read(text: &str) -> Option<Block> {
        let (network, length) = text.split_once('/')?;
        let (network, length): (IpAddr, u32) = (network.parse().ok()?, length.parse().ok()?);
        let longest = if network.is_ipv4() { 32 } else { 128 };
        (length <= longest).then_some(Block { network, length })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, bits: u32| {
            let rest = bits - self.length;
            rest >= 128 || a >> rest == b >> rest
        };
        match (self.network, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_own_addresses() {
        let holds = |block: &str, address: &str| Block::read(block).unwrap().holds(address.parse().unwrap());
        assert!(holds("192.0.2.0/24", "192.0.2.255") && !holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && holds("2001:db8::/32", "2001:db8::5"));
        assert!(!holds("2001:db8::/32", "2001:db9::5"));
        for wrong in ["192.0.2.1", "192.0.2.0/33", "x/8", "*"] {
            assert!(Block::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_kind_of_condition_is_met_by_what_it_names_and_nothing_else() {
        let request = RequestLine {
            method: "GET".into(),
            host: "App.Example.com:8081".into(),
            path: "/Img/a".into(),
            query: "version=V1&plain&x=%2A".into(),
            headers: vec![
                ("user-agent".into(), "Mozilla/5.0".into()),
                ("Accept".into(), "text/html".into()),
            ],
            source: "192.0.2.7".parse().unwrap(),
            port: 8081,
        };
        let texts = |values: &[&str]| values.iter().map(|v| v.to_string()).collect::<Vec<_>>();
        let header = |name: &str, value: &str| Condition::Header {
            name: name.into(),
            values: texts(&[value]),
        };
        let query =
            |key: Option<&str>, value: &str| Condition::Query(vec![(key.map(str::to_string), value.into())]);
        for met in [
            Condition::Host(texts(&["other", "*.EXAMPLE.com"])),
            Condition::Path(texts(&["/Img/*"])),
            header("User-AGENT", "*mozilla*"),
            Condition::Method(texts(&["HEAD", "GET"])),
            query(Some("VERSION"), "v?"),
            query(None, "v1"),
            query(Some("plain"), ""),
            Condition::Source(texts(&["192.0.2.0/28"])),
        ] {
            assert!(met.is_met(&request), "{met:?}");
        }
        for unmet in [
            Condition::Host(texts(&["example.com"])),
            Condition::Path(texts(&["/img/*"])),
            header("x-other", "*"),
            header("accept", "json"),
            Condition::Method(texts(&["get"])),
            query(Some("version"), "v2"),
            query(None, "version"),
            Condition::Source(texts(&["198.51.100.0/24"])),
        ] {
            assert!(!unmet.is_met(&request), "{unmet:?}");
        }
    }
}
