//! HTTP calls that no SDK crate makes for us, over the SDK's own machinery: its connector, timeouts, retries
//! and signing, so that there is one HTTP client and one retry owner in a function.

use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body as text, as far as it was read into memory.
    pub(crate) body: String,
}

/// What cannot be sent or understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotHttp(String);

/// One request: a path and query relative to the endpoint, and a form body if it is a POST.
#[derive(Debug)]
pub(crate) struct Request {
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
    /// A form body makes it a POST.
    pub(crate) form: Option<String>,
}

/// A call that the SDK's machinery can make.
pub(crate) type Call = Operation<Request, Answer, NotHttp>;

/// A builder with connector, endpoint and time limit set; the caller adds authentication and retries.
pub(crate) fn builder(
    name: &'static str,
    http: SharedHttpClient,
    endpoint: &str,
    limit: Duration,
) -> OperationBuilder<Request, Answer, NotHttp> {
    Operation::builder()
        .service_name(name)
        .operation_name(name)
        .http_client(http)
        .endpoint_url(endpoint)
        .timeout_config(TimeoutConfig::builder().operation_timeout(limit).build())
        .serializer(|request: Request| {
            let mut http = HttpRequest::new(SdkBody::from(request.form.clone().unwrap_or_default()));
            http.set_uri(request.path.as_str())?;
            if request.form.is_some() {
                http.set_method("POST")?;
                http.headers_mut()
                    .insert("content-type", "application/x-www-form-urlencoded; charset=utf-8");
            } else {
                http.headers_mut().insert("user-agent", "dormouse-probe");
                // There may be more tasks than a function may have files open.
                http.headers_mut().insert("connection", "close");
            }
            Ok(http)
        })
        .deserializer(
            |response: &HttpResponse| -> Result<Answer, OrchestratorError<NotHttp>> {
                let body = response.body().bytes().unwrap_or_default();
                Ok(Answer {
                    status: response.status().as_u16(),
                    body: String::from_utf8_lossy(body).into_owned(),
                })
            },
        )
}
