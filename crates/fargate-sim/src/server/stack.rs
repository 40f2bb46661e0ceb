//! The stack that keeps what is not simulated here: calls to its CloudWatch, EventBridge, IAM, STS and Lambda.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{http_client, now};

/// The stack answers local calls; more than this is no answer.
const LIMIT: Duration = Duration::from_secs(10);

/// A function may run for 15 minutes; a load balancer waits as long as the function.
const FUNCTION_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What became of an invocation that was waited for.
pub(super) enum Outcome {
    /// The function's answer.
    Answered(Bytes),
    /// The function failed; for people.
    Failed(String),
}

/// Where the stack is.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    authority: String,
    region: String,
}

impl Stack {
    /// Reads `http://host:port`; calls go to that Region.
    pub(super) fn parse(url: &str, region: &str) -> Option<Stack> {
        let authority = url.strip_prefix("http://")?.trim_end_matches('/');
        let (host, port) = authority.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        (!host.is_empty()).then(|| Stack {
            authority: authority.to_string(),
            region: region.to_string(),
        })
    }

    /// A call by the Query protocol to the service with this name in credentials; the XML of the answer.
    ///
    /// Errors: for people.
    pub(super) async fn query(&self, service: &str, form: String) -> Result<String, String> {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let answer = self
            .post("/", service, &[(header::CONTENT_TYPE.as_str(), kind)], form)
            .await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A call by AWS JSON 1.1 to EventBridge.
    ///
    /// Errors: for people.
    pub(super) async fn event_bridge(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let target = format!("AWSEvents.{operation}");
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ];
        let body = self.post("/", "events", &headers, input.to_string()).await?;
        serde_json::from_slice(&body).map_err(|e| format!("{operation} is answered with broken JSON: {e}"))
    }

    /// All pages of a list of EventBridge's.
    ///
    /// Errors: for people.
    pub(super) async fn event_bridge_list(
        &self,
        operation: &str,
        mut input: Value,
        list: &str,
    ) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        loop {
            let mut page = self.event_bridge(operation, &input).await?;
            if let Value::Array(items) = page[list].take() {
                all.extend(items);
            }
            match page["NextToken"].take() {
                Value::String(token) => input["NextToken"] = json!(token),
                _ => return Ok(all),
            }
        }
    }

    /// Invokes a function asynchronously ("Invoke" in the Lambda API reference); it is named by its name or ARN.
    ///
    /// Errors: for people.
    pub(super) async fn invoke(&self, function: &str, event: String) -> Result<(), String> {
        let path = invocation_path(function);
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/json"),
            ("x-amz-invocation-type", "Event"),
        ];
        self.post(&path, "lambda", &headers, event).await.map(drop)
    }

    /// Invokes a function and waits for its answer.
    ///
    /// Errors: for people; the function was not invoked.
    pub(super) async fn request_response(&self, function: &str, event: String) -> Result<Outcome, String> {
        let path = invocation_path(function);
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/json"),
            ("x-amz-invocation-type", "RequestResponse"),
        ];
        let (head, body) = self
            .send(&path, "lambda", &headers, event, FUNCTION_LIMIT)
            .await?;
        Ok(match head.get("x-amz-function-error") {
            Some(_) => Outcome::Failed(String::from_utf8_lossy(&body).into_owned()),
            None => Outcome::Answered(body),
        })
    }

    async fn post(
        &self,
        path: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Bytes, String> {
        let answer = self.send(path, service, headers, body, LIMIT).await;
        answer.map(|(_, body)| body)
    }

    async fn send(
        &self,
        path: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
        limit: Duration,
    ) -> Result<(HeaderMap, Bytes), String> {
        // Local stacks take service and account from the credential and do not verify the signature.
        let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "test".into());
        let date = &now().iso8601().replace('-', "")[..8];
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/{date}/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.region
        );
        let mut request = Request::post(path)
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, authorization)
            .header(header::USER_AGENT, "fargate-sim")
            .header(header::CONTENT_LENGTH, body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).map_err(|e| e.to_string())?;
        let answer = async {
            let response = http_client::send(&self.authority, request)
                .await
                .map_err(|e| e.to_string())?;
            let (status, head) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await;
            let body = body.map_err(|e| e.to_string())?.to_bytes();
            match status.is_success() {
                true => Ok((head, body)),
                false => Err(format!(
                    "{service} at {} answers {status}: {}",
                    self.authority,
                    String::from_utf8_lossy(&body)
                )),
            }
        };
        tokio::time::timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", limit.as_secs())))
    }
}

/// The qualifier of an ARN, if it has one, is a parameter.
fn invocation_path(function: &str) -> String {
    let name = crate::protocol::function_name(function);
    let path = format!("/2015-03-31/functions/{name}/invocations");
    match function
        .split(":function:")
        .nth(1)
        .and_then(|f| f.split_once(':'))
    {
        Some((_, qualifier)) => format!("{path}?Qualifier={qualifier}"),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_invoked_by_its_name_and_qualifier() {
        assert_eq!(invocation_path("wake"), "/2015-03-31/functions/wake/invocations");
        assert_eq!(
            invocation_path("arn:aws:lambda:us-east-1:000000000000:function:wake"),
            "/2015-03-31/functions/wake/invocations"
        );
        assert_eq!(
            invocation_path("arn:aws:lambda:us-east-1:000000000000:function:wake:live"),
            "/2015-03-31/functions/wake/invocations?Qualifier=live"
        );
    }

    #[test]
    fn the_stack_is_found_by_host_and_port() {
        assert!(Stack::parse("http://127.0.0.1:4566/", "us-east-1").is_some());
        for wrong in [
            "https://127.0.0.1:4566",
            "http://:4566",
            "127.0.0.1:4566",
            "http://host",
        ] {
            assert!(Stack::parse(wrong, "us-east-1").is_none(), "{wrong}");
        }
    }
}
