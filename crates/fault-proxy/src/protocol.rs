//! How a call speaks, so that an error speaks alike.

use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};

/// AWS's protocols, as far as their errors differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.0 or 1.1, with the service's prefix in `X-Amz-Target` and the content type.
    Json { service: String, content_type: String },
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// AWS Query, with the XML namespace.
    Query(&'static str),
    /// EC2's Query.
    Ec2,
    /// REST with JSON.
    Rest,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) protocol: Protocol,
    /// The operation's name; for REST the method and the beginning of the path.
    pub(crate) operation: String,
}

/// The name of the operation that a request asks for; for REST the method and the beginning of the path.
#[must_use]
pub fn operation(request: &Request<Bytes>) -> String {
    let method = request.method().as_str();
    read(method, request.uri().path(), request.headers(), request.body()).operation
}

/// Reads who is meant by a request, from what every client of the protocol sends.
pub(crate) fn read(method: &str, path: &str, headers: &HeaderMap, body: &[u8]) -> Asked {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(target) = text("x-amz-target") {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        let protocol = Protocol::Json {
            service: service.to_owned(),
            content_type: text(CONTENT_TYPE.as_str())
                .unwrap_or("application/x-amz-json-1.1")
                .to_owned(),
        };
        return Asked {
            protocol,
            operation: operation.to_owned(),
        };
    }
    if let Some((_, operation)) = path
        .strip_prefix("/service/")
        .and_then(|rest| rest.split_once("/operation/"))
    {
        return Asked {
            protocol: Protocol::Cbor,
            operation: operation.to_owned(),
        };
    }
    let is_form =
        text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let field = |name: &str| {
        let found = form_urlencoded::parse(body).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    if let Some(operation) = is_form.then(|| field("Action")).flatten() {
        let protocol = match field("Version").as_deref() {
            Some("2016-11-15") => Protocol::Ec2,
            Some("2015-12-01") => {
                Protocol::Query("http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/")
            }
            Some("2010-03-31") => Protocol::Query("http://sns.amazonaws.com/doc/2010-03-31/"),
            _ => Protocol::Query("https://amazonaws.com/"),
        };
        return Asked { protocol, operation };
    }
    // `/2015-03-31/functions/name/invocations`: the name is no part of what is asked.
    let place: Vec<&str> = path.split('/').take(3).collect();
    Asked {
        protocol: Protocol::Rest,
        operation: format!("{method} {}", place.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn each_protocol_is_known_by_what_its_clients_send() {
        let json = headers(&[
            ("x-amz-target", "DynamoDB_20120810.GetItem"),
            ("content-type", "application/x-amz-json-1.0"),
        ]);
        let asked = read("POST", "/", &json, b"{}");
        assert_eq!(asked.operation, "GetItem");
        assert_eq!(
            asked.protocol,
            Protocol::Json {
                service: "DynamoDB_20120810".into(),
                content_type: "application/x-amz-json-1.0".into()
            }
        );

        let path = "/service/ResourceGroupsTaggingAPI_20170126/operation/GetResources";
        let asked = read("POST", path, &headers(&[("smithy-protocol", "rpc-v2-cbor")]), b"");
        assert_eq!(
            (asked.protocol, asked.operation.as_str()),
            (Protocol::Cbor, "GetResources")
        );

        let form = headers(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
        let body = b"Action=DescribeNetworkInterfaces&Version=2016-11-15";
        let asked = read("POST", "/", &form, body);
        assert_eq!(asked.protocol, Protocol::Ec2);
        assert_eq!(asked.operation, "DescribeNetworkInterfaces");
        let asked = read("POST", "/", &form, b"Version=2010-03-31&Action=Publish");
        assert!(matches!(asked.protocol, Protocol::Query(namespace) if namespace.contains("sns")));

        let path = "/2015-03-31/functions/wake/invocations";
        let asked = read("POST", path, &headers(&[]), b"{}");
        assert_eq!(asked.protocol, Protocol::Rest);
        assert_eq!(asked.operation, "POST /2015-03-31/functions");
    }
}
