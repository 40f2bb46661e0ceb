//! HTTP to loopback, without following redirects.

use dormouse_testkit::openapi::{Document, Exchange};
use serde_json::Value;

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    url: String,
    documented: bool,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Request {
    /// A request with a method and URL.
    #[must_use]
    pub fn new(method: &'static str, url: &str) -> Self {
        Self {
            method,
            url: url.to_owned(),
            documented: false,
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As a browser that a person uses.
    #[must_use]
    pub fn browser(self) -> Self {
        self.header("accept", "text/html,*/*;q=0.8")
            .header("sec-fetch-mode", "navigate")
    }

    /// Adds a body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string());
        self
    }

    /// Adds a form as the body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        self.body = Some(pairs.join("&"));
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Only an answer that the OpenAPI document describes will do.
    #[must_use]
    pub(crate) fn documented(mut self) -> Self {
        self.documented = true;
        self
    }

    /// Sends it on a thread of its own.
    ///
    /// # Panics
    /// If nothing answers: the stack is not up. And if the OpenAPI document was to describe the answer and does not.
    pub async fn send(self) -> Answer {
        let asked = self.clone();
        let sent = tokio::task::spawn_blocking(move || self.send_now())
            .await
            .expect("the request's thread");
        let answer = sent.unwrap_or_else(|error| panic!("no answer: {error}"));
        if asked.documented {
            let objections = asked.objections(&answer);
            assert!(objections.is_empty(), "{}: {objections:#?}", asked.url);
        }
        answer
    }

    fn objections(&self, answer: &Answer) -> Vec<String> {
        let uri: ureq::http::Uri = self.url.parse().expect("the URL that was asked");
        Document::read().objections(&Exchange {
            method: self.method,
            path: uri.path(),
            status: answer.status,
            headers: &answer.headers,
            body: &answer.body,
        })
    }

    fn send_now(self) -> Result<Answer, ureq::Error> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut answer = match self.body {
            Some(body) => agent.run(request.body(body)?)?,
            None => agent.run(request.body(())?)?,
        };
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (
                name.as_str().to_owned(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        };
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().map(header).collect(),
            body: answer.body_mut().read_to_string()?,
        })
    }
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Percent-encodes everything but the characters that RFC 3986 (section 2.3) never reserves.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
