//! Conditions as parameters and as XML.

use super::super::params::Params;
use super::super::xml::{Node, element, list, text, texts};
use crate::model::{ApiError, Condition};

pub(super) fn read_all(params: &Params) -> Result<Vec<Condition>, ApiError> {
    params.structures("Conditions").iter().map(read).collect()
}

fn read(condition: &Params) -> Result<Condition, ApiError> {
    if !condition.structures("RegexValues").is_empty() {
        return Err(ApiError::validation("RegexValues are not simulated: use Values"));
    }
    // `Values` is the older form, for host-header and path-pattern.
    let values = |config: &str| {
        let config = condition.below(config);
        if !config.structures("RegexValues").is_empty() {
            return Err(ApiError::validation("RegexValues are not simulated: use Values"));
        }
        match (config.list("Values"), condition.list("Values")) {
            (values, other) if other.is_empty() => Ok(values),
            (other, values) if other.is_empty() => Ok(values),
            _ => Err(ApiError::validation(
                "You cannot specify both Values and a Config for a condition",
            )),
        }
    };
    Ok(match condition.required("Field")? {
        "host-header" => Condition::Host(values("HostHeaderConfig")?),
        "path-pattern" => Condition::Path(values("PathPatternConfig")?),
        "http-header" => Condition::Header {
            name: condition
                .get("HttpHeaderConfig.HttpHeaderName")
                .unwrap_or_default()
                .into(),
            values: values("HttpHeaderConfig")?,
        },
        "http-request-method" => Condition::Method(values("HttpRequestMethodConfig")?),
        "query-string" => {
            let pair = |p: &Params| {
                let value = p.required("Value")?.to_string();
                Ok((p.get("Key").map(str::to_string), value))
            };
            let pairs = condition.structures("QueryStringConfig.Values");
            Condition::Query(pairs.iter().map(pair).collect::<Result<_, ApiError>>()?)
        }
        "source-ip" => Condition::Source(values("SourceIpConfig")?),
        other => {
            return Err(ApiError::validation(format!(
                "Condition field '{other}' must be host-header, path-pattern, http-header, http-request-method, \
                 query-string or source-ip"
            )));
        }
    })
}

pub(super) fn view(condition: &Condition) -> Vec<Node> {
    let values = |values: &[String]| texts("Values", values.iter().map(String::as_str));
    let of = |config: &str, given: &[String]| vec![element(config, vec![values(given)])];
    let mut nodes = vec![text("Field", condition.field())];
    nodes.extend(match condition {
        Condition::Host(given) => vec![values(given), element("HostHeaderConfig", vec![values(given)])],
        Condition::Path(given) => vec![values(given), element("PathPatternConfig", vec![values(given)])],
        Condition::Header { name, values: given } => vec![element(
            "HttpHeaderConfig",
            vec![text("HttpHeaderName", name), values(given)],
        )],
        Condition::Method(given) => of("HttpRequestMethodConfig", given),
        Condition::Query(pairs) => {
            let pair = |(key, value): &(Option<String>, String)| {
                let mut nodes: Vec<Node> = key.iter().map(|k| text("Key", k)).collect();
                nodes.push(text("Value", value));
                nodes
            };
            vec![element(
                "QueryStringConfig",
                vec![list("Values", pairs.iter().map(pair))],
            )]
        }
        Condition::Source(given) => of("SourceIpConfig", given),
    });
    nodes
}
