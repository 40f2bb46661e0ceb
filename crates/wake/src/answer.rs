//! An answer, before it takes the shape that the door it goes out by asks for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::response::code;

/// An answer over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers, names in lower case.
    headers: BTreeMap<&'static str, String>,
    /// Its body.
    pub(crate) body: String,
}

impl Answer {
    /// An answer of this type that nobody may store.
    pub(crate) fn new(status: u16, content_type: &str, body: String) -> Self {
        let answer = Self {
            status,
            headers: BTreeMap::new(),
            body,
        };
        answer
            .with("cache-control", "no-store")
            .with("content-type", content_type)
            .with("referrer-policy", "no-referrer")
            .with("x-content-type-options", "nosniff")
    }

    /// The same with this header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The same with this header, unless it has one.
    pub(crate) fn or_with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.entry(name).or_insert_with(|| value.to_owned());
        self
    }

    /// For an HTTP API: payload 2.0 (Amazon API Gateway, "Create AWS Lambda proxy integrations for HTTP APIs").
    pub(crate) fn for_api(&self) -> Value {
        json!({"statusCode": self.status, "headers": self.headers, "body": self.body, "isBase64Encoded": false})
    }

    /// For a load balancer ("Use Lambda functions as targets of an Application Load Balancer"): with `many`, its target group
    /// takes several values of a header, and then nothing but lists of values.
    pub(crate) fn for_balancer(&self, many: bool) -> Value {
        let mut answer = json!({
            "statusCode": self.status,
            "statusDescription": format!("{} {}", self.status, phrase(self.status)),
            "body": self.body,
            "isBase64Encoded": false,
        });
        if many {
            let lists = self.headers.iter().map(|(name, value)| (*name, [value]));
            answer["multiValueHeaders"] = json!(lists.collect::<BTreeMap<_, _>>());
        } else {
            answer["headers"] = json!(self.headers);
        }
        answer
    }
}

/// What a status is called (RFC 9110, section 15). A load balancer wants to be told.
fn phrase(status: u16) -> &'static str {
    match status {
        code::OK => "OK",
        code::TEMPORARY_REDIRECT => "Temporary Redirect",
        code::BAD_REQUEST => "Bad Request",
        code::UNAUTHORIZED => "Unauthorized",
        code::FORBIDDEN => "Forbidden",
        code::NOT_FOUND => "Not Found",
        code::METHOD_NOT_ALLOWED => "Method Not Allowed",
        code::TOO_MANY_REQUESTS => "Too Many Requests",
        code::BAD_GATEWAY => "Bad Gateway",
        _ => "Service Unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_door_gets_the_shape_that_it_asks_for() {
        let answer = Answer::new(code::UNAVAILABLE, "text/plain", "x".to_owned()).with("retry-after", "2");
        let api = answer.for_api();
        assert_eq!(
            (&api["statusCode"], &api["headers"]["retry-after"], &api["body"]),
            (&json!(503), &json!("2"), &json!("x"))
        );
        assert!(api.get("statusDescription").is_none(), "{api}");
        let one = answer.for_balancer(false);
        assert_eq!(
            (&one["statusDescription"], &one["headers"]["retry-after"]),
            (&json!("503 Service Unavailable"), &json!("2"))
        );
        assert!(one.get("multiValueHeaders").is_none(), "{one}");
        let many = answer.for_balancer(true);
        assert_eq!(many["multiValueHeaders"]["retry-after"], json!(["2"]));
        assert!(many.get("headers").is_none(), "{many}");
        for shape in [api, one, many] {
            assert_eq!(shape["isBase64Encoded"], json!(false));
        }
    }
}
