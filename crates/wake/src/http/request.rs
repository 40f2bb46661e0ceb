//! What of a request matters here.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use dormouse_core::config::Config;
use dormouse_core::intent::{Action, Cause, Intent};

use crate::client::{self, Client};
use crate::page::Viewer;
use crate::route::{self, Route};

/// A request, reduced to what matters here.
pub(super) struct Request {
    event: ApiGatewayV2httpRequest,
    /// The method, in upper case.
    pub(super) method: String,
    /// What its path stands for.
    pub(super) route: Route,
    /// Who sends it.
    pub(super) client: Client,
    /// Unguessable, and different for each page: marks the page's own script and style.
    pub(super) nonce: String,
}

impl Request {
    pub(super) fn of(event: ApiGatewayV2httpRequest, request_id: &str) -> Self {
        let method = event.request_context.http.method.to_string();
        let client = client::of(&method, |name| header(&event, name));
        let route = route::of(event.raw_path.as_deref().unwrap_or("/"));
        Self {
            event,
            method,
            route,
            client,
            nonce: request_id.chars().filter(char::is_ascii_alphanumeric).collect(),
        }
    }

    /// The query as it came, empty if there is none.
    pub(super) fn query(&self) -> &str {
        self.event.raw_query_string.as_deref().unwrap_or_default()
    }

    /// The first value of a parameter of the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name)
    }

    /// Whether a person sees the answer.
    pub(super) fn wants_page(&self) -> bool {
        header(&self.event, "accept")
            .is_some_and(|accepted| accepted.to_ascii_lowercase().contains("text/html"))
    }

    /// Whether somebody may never see the answer.
    pub(super) fn is_ahead_of_time(&self) -> bool {
        client::is_ahead_of_time(|name| header(&self.event, name))
    }

    /// Who looks at a page.
    pub(super) fn viewer<'a>(&'a self, config: &'a Config) -> Viewer<'a> {
        Viewer::of(
            header(&self.event, "accept-language"),
            &config.branding,
            &self.nonce,
        )
    }

    /// What is asked for by whoever sent it.
    pub(super) fn intent(&self, action: Action, patience: Duration) -> Intent {
        let from = self.event.request_context.http.source_ip.clone();
        Intent::of(action, Cause::Http).by(from).patient_for(patience)
    }
}

/// The value of a header by its lower-case name.
fn header<'a>(event: &'a ApiGatewayV2httpRequest, name: &str) -> Option<&'a str> {
    event.headers.get(name).and_then(|value| value.to_str().ok())
}
