//! Calls of the stack's services without their SDKs: each is one request.

use serde_json::Value;

use crate::http::Request;
use crate::stack::Stack;

impl Stack {
    /// Calls an operation of a service that speaks JSON. `service` is the name that its requests are signed for, and
    /// `target` names version and operation, as in `Logs_20140328.PutLogEvents`.
    ///
    /// # Panics
    /// If the service refuses.
    pub async fn json_api(&self, service: &str, target: &str, body: &Value) -> Value {
        let request = self
            .request(service, "POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let answer = request.json(body).send().await;
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.body);
        answer.json()
    }

    /// Calls an operation of a service that speaks the query protocol: a form with `Action` and `Version`. Gives the
    /// XML that it answers.
    ///
    /// # Panics
    /// If the service refuses.
    pub async fn query_api(&self, service: &str, form: &[(&str, &str)]) -> String {
        let answer = self.request(service, "POST", "/").form(form).send().await;
        assert_eq!(answer.status, 200, "{form:?}: {}", answer.body);
        answer.body
    }

    /// A request to a service, from the account's root user. MiniStack tells services and callers apart by the scope
    /// of the signature, and does not check that user's signature itself.
    pub(crate) fn request(&self, service: &str, method: &'static str, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.env("AWS_ENDPOINT_URL")))
            .header("authorization", &self.authorization(service))
    }

    /// The header that says who calls which service.
    pub(crate) fn authorization(&self, service: &str) -> String {
        let (key, region) = (self.env("AWS_ACCESS_KEY_ID"), self.env("AWS_REGION"));
        format!("AWS4-HMAC-SHA256 Credential={key}/20261122/{region}/{service}/aws4_request")
    }
}
