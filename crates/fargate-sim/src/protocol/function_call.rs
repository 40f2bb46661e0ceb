//! A request as a load balancer hands it to a function, and the function's answer.
//!
//! "Use Lambda functions as targets of an Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The most that a function gets as a body, and that it may answer as JSON: 1 MB.
pub const FUNCTION_LIMIT: usize = 1 << 20;

/// A request for a function.
#[derive(Clone, Debug)]
pub struct FunctionRequest<'a> {
    /// ARN of the target group.
    pub target_group: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path as it was sent.
    pub path: &'a str,
    /// The query as it was sent, without `?`.
    pub query: &'a str,
    /// Names in lower case and values, in order, with those that the load balancer adds.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// Whether the target group has multi-value headers enabled.
    pub multi_value: bool,
}

/// The event that the function is invoked with. Query parameters are not decoded; without multi-value headers the last
/// value counts.
pub fn function_event(request: &FunctionRequest) -> Value {
    let pairs = request.query.split('&').filter(|p| !p.is_empty());
    let pairs = pairs.map(|p| p.split_once('=').unwrap_or((p, "")));
    let headers = request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let base64 = !request.body.is_empty() && !is_text(request.headers);
    let body = match base64 {
        true => STANDARD.encode(request.body),
        false => String::from_utf8_lossy(request.body).into_owned(),
    };
    let mut event = json!({
        "requestContext": {"elb": {"targetGroupArn": request.target_group}},
        "httpMethod": request.method,
        "path": request.path,
        "body": body,
        "isBase64Encoded": base64,
    });
    let (query_field, headers_field) = match request.multi_value {
        true => ("multiValueQueryStringParameters", "multiValueHeaders"),
        false => ("queryStringParameters", "headers"),
    };
    event[query_field] = values(pairs, request.multi_value);
    event[headers_field] = values(headers, request.multi_value);
    event
}

fn values<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, all: bool) -> Value {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        found.entry(name).or_default().push(value);
    }
    let value = |values: Vec<&str>| match all {
        true => json!(values),
        false => json!(values.last()),
    };
    let object: Map<String, Value> = found
        .into_iter()
        .map(|(name, values)| (name.to_string(), value(values)))
        .collect();
    Value::Object(object)
}

/// Bodies that are sent as they are: some content types, and nothing with a content encoding.
fn is_text(headers: &[(String, String)]) -> bool {
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let kind = value("content-type").unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let text = ["application/json", "application/javascript", "application/xml"];
    value("content-encoding").is_none() && (kind.starts_with("text/") || text.contains(&kind.as_str()))
}

/// A function's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionAnswer {
    /// HTTP status.
    pub status: u16,
    /// What `statusDescription` says after the code.
    pub reason: Option<String>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// Reads a function's answer. With multi-value headers only `multiValueHeaders` counts, without them only `headers`.
///
/// Errors: what is wrong with it, for people; the client gets 502.
pub fn function_answer(answer: &[u8], multi_value: bool) -> Result<FunctionAnswer, String> {
    if answer.len() > FUNCTION_LIMIT {
        return Err(format!("the answer has {} bytes, more than 1 MB", answer.len()));
    }
    let answer: Value = serde_json::from_slice(answer).map_err(|e| format!("the answer is no JSON: {e}"))?;
    let status = answer["statusCode"].as_u64().and_then(|s| u16::try_from(s).ok());
    let status = status
        .filter(|s| (100..=999).contains(s))
        .ok_or("the answer has no integer statusCode")?;
    let mut headers = Vec::new();
    match multi_value {
        true => {
            for (name, values) in fields(&answer["multiValueHeaders"])? {
                let values = values
                    .as_array()
                    .ok_or_else(|| format!("multiValueHeaders.{name} is no list"))?;
                for value in values {
                    headers.push((name.clone(), string(name, value)?));
                }
            }
        }
        false => {
            for (name, value) in fields(&answer["headers"])? {
                headers.push((name.clone(), string(name, value)?));
            }
        }
    }
    let body = match &answer["body"] {
        Value::Null => Vec::new(),
        Value::String(body) => match &answer["isBase64Encoded"] {
            Value::Bool(true) => STANDARD
                .decode(body)
                .map_err(|e| format!("the body is no base64: {e}"))?,
            Value::Bool(false) | Value::Null => body.clone().into_bytes(),
            _ => return Err("isBase64Encoded is not true or false".into()),
        },
        _ => return Err("the body is no string".into()),
    };
    let described = answer["statusDescription"].as_str();
    let reason = described.map(|d| {
        d.strip_prefix(&status.to_string())
            .unwrap_or(d)
            .trim()
            .to_string()
    });
    Ok(FunctionAnswer {
        status,
        reason,
        headers,
        body,
    })
}

fn fields(headers: &Value) -> Result<Vec<(&String, &Value)>, String> {
    match headers {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => Ok(map.iter().collect()),
        _ => Err("the headers are no object".into()),
    }
}

fn string(name: &str, value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::to_string);
    text.ok_or_else(|| format!("header {name} is no string"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(
        headers: &'a [(String, String)],
        body: &'a [u8],
        multi_value: bool,
    ) -> FunctionRequest<'a> {
        FunctionRequest {
            target_group: "arn:tg",
            method: "POST",
            path: "/a%20b",
            query: "k=1%2B&k=2&flag",
            headers,
            body,
            multi_value,
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(n, v): &(&str, &str)| (n.to_string(), v.to_string());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn an_event_holds_the_last_value_or_all_of_them() {
        let given = headers(&[
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("content-type", "text/plain"),
        ]);
        assert_eq!(
            function_event(&request(&given, b"hi", false)),
            json!({
                "requestContext": {"elb": {"targetGroupArn": "arn:tg"}},
                "httpMethod": "POST",
                "path": "/a%20b",
                "queryStringParameters": {"k": "2", "flag": ""},
                "headers": {"cookie": "b=2", "content-type": "text/plain"},
                "body": "hi",
                "isBase64Encoded": false,
            })
        );
        let event = function_event(&request(&given, b"hi", true));
        assert_eq!(
            event["multiValueQueryStringParameters"],
            json!({"k": ["1%2B", "2"], "flag": [""]})
        );
        assert_eq!(event["multiValueHeaders"]["cookie"], json!(["a=1", "b=2"]));
        assert_eq!(
            (event.get("headers"), event.get("queryStringParameters")),
            (None, None)
        );
    }

    #[test]
    fn a_body_is_base64_unless_its_type_is_text_and_it_is_not_encoded() {
        let encoded = |pairs: &[(&str, &str)]| {
            let event = function_event(&request(&headers(pairs), b"hi", false));
            let encoded = event["isBase64Encoded"] == json!(true);
            assert_eq!(event["body"], json!(if encoded { "aGk=" } else { "hi" }));
            encoded
        };
        for text in [
            "text/html; charset=utf-8",
            "application/json",
            "Application/XML",
            "application/javascript",
        ] {
            assert!(!encoded(&[("content-type", text)]), "{text}");
        }
        for other in [
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "image/png",
        ] {
            assert!(encoded(&[("content-type", other)]), "{other}");
        }
        assert!(encoded(&[]), "no content type");
        assert!(encoded(&[
            ("content-type", "text/plain"),
            ("content-encoding", "gzip")
        ]));
    }

    #[test]
    fn an_answer_needs_a_number_as_its_status_and_the_headers_of_its_form() {
        let read = |answer: Value, multi| function_answer(answer.to_string().as_bytes(), multi);
        let both = json!({"statusCode": 200, "statusDescription": "200 All right", "headers": {"a": "1"},
            "multiValueHeaders": {"a": ["2", "3"]}, "body": "aGk=", "isBase64Encoded": true});
        let one = read(both.clone(), false).unwrap();
        assert_eq!((one.status, one.body.as_slice()), (200, b"hi".as_slice()));
        assert_eq!(one.reason.as_deref(), Some("All right"));
        assert_eq!(one.headers, headers(&[("a", "1")]));
        assert_eq!(
            read(both, true).unwrap().headers,
            headers(&[("a", "2"), ("a", "3")])
        );
        assert_eq!(read(json!({"statusCode": 204}), false).unwrap().body, b"");
        for wrong in [
            json!("text"),
            json!({"body": "no status"}),
            json!({"statusCode": "200"}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": 200, "body": {"a": 1}}),
            json!({"statusCode": 200, "headers": {"a": 1}}),
            json!({"statusCode": 200, "body": "*", "isBase64Encoded": true}),
        ] {
            assert!(read(wrong.clone(), false).is_err(), "{wrong}");
        }
        assert!(function_answer(b"{", false).is_err());
        let long = json!({"statusCode": 200, "body": "x".repeat(FUNCTION_LIMIT)});
        assert!(read(long, false).is_err());
    }
}
