//! HTTP requests as somebody writes them: a line with method and target, headers, an empty line, a body. Each comes by the
//! HTTP API, with every kind of guard, and by a load balancer.

use dormouse_testkit::{WAKE_TARGET_GROUP, World, config};
use serde_json::{Map, Value, json};

use super::messages::discover;
use super::{Decoder, REQUEST, text, wait};

pub(super) const DECODERS: &[Decoder] = &[Decoder {
    name: "HTTP requests",
    folders: &["crates/fuzz/corpus/requests"],
    decode: request,
    cases: 500,
    longest: 10 << 10,
    memory: 120,
}];

/// Variables of the function, one set for each door.
const GUARDS: [&[(&str, &str)]; 2] = [
    &[],
    &[
        ("WAKE_AUTH", "link"),
        ("LINK_KEY", "a-key-of-the-fuzzer"),
        ("ADMIN_AUTH", "token"),
        (
            "ADMIN_TOKEN_SHA256",
            "bc32a9a66697ce5242e5517f4a801fa2a3dccf9960459f666fec8a166289401e",
        ),
    ],
];

fn request(bytes: &[u8]) {
    let text = text(bytes);
    let parsed = Parsed::of(&text);
    for variables in GUARDS {
        let answer = answer(&parsed.of_api(), variables);
        let location = answer.pointer("/headers/location").and_then(Value::as_str);
        if let Some(location) = location {
            assert!(
                location.bytes().all(|byte| byte.is_ascii_graphic()),
                "a header that can be sent: {location}"
            );
            let own = location.starts_with("http://198.51.100.") || !location.contains("://");
            assert!(own, "it leads to the group's own address: {location}");
        }
    }
    answer(&parsed.of_balancer(), &[]);
}

fn answer(event: &Value, variables: &[(&str, &str)]) -> Value {
    // One that is awake and one that is asleep.
    let world = World::with(&["dev/web"], &[("dormouse:group", "dev")], 1).and(
        &["dev/other"],
        &[("dormouse:group", "other")],
        0,
    );
    let answer = wait(async {
        discover(&world).await;
        wake::handle(&world, &config(variables), event.clone(), REQUEST).await
    });
    let answer = answer.unwrap_or_else(|error| panic!("a request is always answered: {error}"));
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    assert!((200..600).contains(&status) && status != 500, "{answer}");
    answer
}

/// What passes a door: a method and headers that are legal (RFC 9110, section 5), any path and query.
struct Parsed<'a> {
    method: String,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

impl<'a> Parsed<'a> {
    fn of(text: &'a str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (first, headers) = head.split_once('\n').unwrap_or((head, ""));
        let (method, target) = first.split_once(' ').unwrap_or(("GET", first));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let legal = |(name, value): &(&str, &str)| {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !name.is_empty() && name.chars().all(is_word) && !value.contains(char::is_control)
        };
        let letters = method.chars().filter(char::is_ascii_alphabetic);
        let method: String = letters.take(20).collect();
        Self {
            method: if method.is_empty() {
                "GET".to_owned()
            } else {
                method
            },
            path,
            query,
            headers: headers
                .lines()
                .filter_map(|line| line.split_once(':'))
                .filter(legal)
                .collect(),
            body,
        }
    }

    fn headers(&self) -> Map<String, Value> {
        let named = self.headers.iter();
        named
            .map(|(name, value)| (name.to_ascii_lowercase(), json!(value.trim())))
            .collect()
    }

    fn query(&self) -> Map<String, Value> {
        let pairs = self
            .query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    }

    fn of_api(&self) -> Value {
        let mut event = dormouse_testkit::event("http-api-program.json");
        event["rawPath"] = json!(self.path);
        event["rawQueryString"] = json!(self.query);
        event["queryStringParameters"] = Value::Object(self.query());
        event["headers"] = Value::Object(self.headers());
        event["requestContext"]["http"]["method"] = json!(self.method);
        event["requestContext"]["http"]["path"] = json!(self.path);
        event["body"] = json!(self.body);
        event
    }

    fn of_balancer(&self) -> Value {
        json!({
            "requestContext": {"elb": {"targetGroupArn": WAKE_TARGET_GROUP}},
            "httpMethod": self.method,
            "path": self.path,
            "queryStringParameters": self.query(),
            "headers": self.headers(),
            "body": self.body,
            "isBase64Encoded": false,
        })
    }
}
