//! A request as a load balancer hands it over ("Use Lambda functions as targets of an Application Load Balancer",
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>): its headers and its query have
//! one value a name or several, as its target group says, and nothing of path and query is decoded.

use std::net::{IpAddr, SocketAddr};

use dormouse_core::front::{Asked, Posted, find};
use serde_json::Value;

use super::request::Headers;

/// The target group that an event of a load balancer came by; none: it is no such event.
pub(crate) fn target_group(event: &Value) -> Option<&str> {
    event.pointer("/requestContext/elb/targetGroupArn")?.as_str()
}

/// The request.
pub(super) struct Balanced {
    target_group: String,
    /// The method, in upper case.
    pub(super) method: String,
    /// The path, as it was sent.
    pub(super) path: String,
    /// The headers.
    pub(super) headers: Headers,
    query: Vec<(String, String)>,
    /// Whether it came with several values a name, and is to be answered so.
    pub(super) many: bool,
}

impl Balanced {
    /// Reads an event. What is missing is empty. The body is nobody's but the app's, and is not looked at.
    pub(super) fn of(event: &Value) -> Self {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let mut headers = Headers::new();
        for (name, value) in pairs(&event["multiValueHeaders"], &event["headers"]) {
            headers.entry(name.to_ascii_lowercase()).or_default().push(value);
        }
        Self {
            target_group: target_group(event).unwrap_or_default().to_owned(),
            method: text("httpMethod").to_ascii_uppercase(),
            path: match text("path") {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            headers,
            query: pairs(
                &event["multiValueQueryStringParameters"],
                &event["queryStringParameters"],
            ),
            many: event["multiValueHeaders"].is_object(),
        }
    }

    /// The first value of a header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.first().map(String::as_str)
    }

    /// The query as it was sent, but for the order of its names.
    pub(super) fn query(&self) -> String {
        let pairs = self.query.iter().map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The address that the load balancer saw, which it adds to those that the request said itself. It may add the port
    /// ("HTTP headers and Application Load Balancers", client port preservation).
    pub(super) fn source(&self) -> Option<IpAddr> {
        let all = self.headers.get("x-forwarded-for")?;
        let last = all.last()?.rsplit(',').next()?.trim();
        let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
        last.parse().ok().or_else(with_port)
    }

    /// Whether it is a check of the target group's own health: it came through no listener, which would have said its port.
    pub(super) fn is_health_check(&self, door: Option<&Posted>) -> bool {
        let checks = self.header("user-agent").is_some_and(is_checker);
        checks && (door.is_none() || self.port().is_none())
    }

    /// The door that it came through.
    pub(super) fn door<'a>(&self, posted: &'a [Posted]) -> Option<&'a Posted> {
        let header = |name: &str| self.header(&name.to_ascii_lowercase()).map(str::to_owned);
        let asked = Asked {
            port: self.port()?,
            method: &self.method,
            host: host(self.header("host").unwrap_or_default()),
            path: &self.path,
            query: (self.query.iter())
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            header: &header,
            source: self.source(),
        };
        find(posted, &self.target_group, &asked)
    }

    fn port(&self) -> Option<u16> {
        self.header("x-forwarded-port")?.parse().ok()
    }
}

fn is_checker(user_agent: &str) -> bool {
    user_agent.starts_with("ELB-HealthChecker/")
}

/// The host name of a header `Host` without its port (RFC 9110, section 7.2).
fn host(header: &str) -> &str {
    match header.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => header,
    }
}

/// Names and values of the one form, or of the other.
fn pairs(many: &Value, one: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(many) = many.as_object() {
        let all = many.iter().flat_map(|(name, values)| {
            let values = values.as_array().into_iter().flatten();
            values.filter_map(move |value| Some((name.clone(), text(value)?)))
        });
        return all.collect();
    }
    let all = one.as_object().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(headers: &Value) -> Balanced {
        Balanced::of(&json!({"headers": headers}))
    }

    #[test]
    fn both_forms_of_headers_and_query_say_the_same() {
        let one = Balanced::of(&json!({
            "httpMethod": "GET", "path": "/a%20b", "headers": {"Accept": "*/*"},
            "queryStringParameters": {"q": "a%20b", "empty": ""},
        }));
        let many = Balanced::of(&json!({
            "httpMethod": "GET", "path": "/a%20b", "multiValueHeaders": {"accept": ["*/*", "text/html"]},
            "multiValueQueryStringParameters": {"q": ["a%20b", "c"], "empty": [""]},
        }));
        assert_eq!((one.many, many.many), (false, true));
        assert_eq!((one.path.as_str(), one.header("accept")), ("/a%20b", Some("*/*")));
        assert_eq!(many.headers["accept"], ["*/*", "text/html"]);
        assert_eq!(one.query(), "empty=&q=a%20b");
        assert_eq!(many.query(), "empty=&q=a%20b&q=c");
    }

    #[test]
    fn what_is_missing_is_empty() {
        let nothing = Balanced::of(&json!({"path": 7, "headers": null, "multiValueHeaders": null}));
        assert_eq!((nothing.method.as_str(), nothing.path.as_str()), ("", "/"));
        assert_eq!(
            (nothing.query(), nothing.source(), nothing.port()),
            (String::new(), None, None)
        );
    }

    #[test]
    fn the_last_address_is_the_one_that_the_load_balancer_saw() {
        for (header, source) in [
            ("203.0.113.7, 198.51.100.23", "198.51.100.23"),
            ("198.51.100.23:51234", "198.51.100.23"),
            ("x, 2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
        ] {
            let source = source.parse().expect("an address");
            assert_eq!(
                with(&json!({"x-forwarded-for": header})).source(),
                Some(source),
                "{header}"
            );
        }
        for header in ["", "<script>", "198.51.100.23, nobody"] {
            assert_eq!(
                with(&json!({"x-forwarded-for": header})).source(),
                None,
                "{header}"
            );
        }
    }

    #[test]
    fn a_host_has_no_port() {
        for (header, name) in [
            ("shop.example", "shop.example"),
            ("shop.example:8443", "shop.example"),
            ("[2001:db8::1]:8443", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("", ""),
        ] {
            assert_eq!(host(header), name);
        }
    }
}
