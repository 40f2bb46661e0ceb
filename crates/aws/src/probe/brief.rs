//! An HTTP client that reads no more of an answer than it needs. The SDK's machinery would read all of it into memory, and
//! what tasks answer is theirs to choose.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

/// Reads the first bytes of each answer.
#[derive(Clone, Debug)]
pub(super) struct Brief<T> {
    inner: T,
    longest: usize,
}

impl<T> Brief<T> {
    /// At most `longest` bytes of each.
    pub(super) fn new(inner: T, longest: usize) -> Self {
        Self { inner, longest }
    }
}

impl HttpClient for Brief<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Brief::new(inner, self.longest))
    }
}

impl HttpConnector for Brief<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, longest) = (self.inner.call(request), self.longest);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            *answer.body_mut() = SdkBody::from(beginning(body, longest).await?);
            // The SDK's machinery refuses a body that is shorter than was said.
            answer.headers_mut().remove("content-length");
            Ok(answer)
        })
    }
}

async fn beginning(mut body: SdkBody, longest: usize) -> Result<Vec<u8>, ConnectorError> {
    let mut bytes = Vec::new();
    while bytes.len() < longest {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(ConnectorError::io)?;
        bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
    }
    bytes.truncate(longest);
    Ok(bytes)
}
