//! What of a request matters here.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use dormouse_core::config::Config;
use dormouse_core::guard::WakeAuth;
use dormouse_core::guard::link::{self, SignedPart};
use dormouse_core::guard::scanners;
use dormouse_core::intent::{Action, Cause, Intent};

use crate::client::{self, Client};
use crate::page::Viewer;
use crate::route::{self, Route};

/// The routes of admin actions, as the template declares them where API Gateway checks who comes.
const ADMIN_ROUTES: [&str; 2] = ["POST /{group}/-/sleep", "POST /{group}/-/keep-awake"];
/// Longest name of a principal that is kept, in characters. That of a role's session fits.
const LONGEST_NAME: usize = 256;

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
        let route = route::of(event.raw_path.as_deref().unwrap_or("/"));
        let client = match &route {
            Route::App { path, .. } if scanners::is_probe(path) => Client::Passive,
            _ => client::of(&method, |name| header(&event, name)),
        };
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

    /// The query as it goes on to the app: without the part that signs a link.
    pub(super) fn app_query(&self) -> String {
        route::encoded_query(&link::strip(self.query()))
    }

    /// The part of the query that signs a link, for the page's own links and forms: `dormouse-expires=…&dormouse-signature=…`.
    /// It is made anew from what was understood, so it is safe in any markup; whether it is good is not said.
    pub(super) fn signed_part(&self) -> Option<String> {
        SignedPart::of(self.query()).map(|part| part.to_string())
    }

    /// Where to come again as a visitor, relative to this request's address: a form's own answers to nothing but forms.
    pub(super) fn retry_address(&self) -> String {
        match &self.route {
            Route::Wake(group) | Route::Admin(group, _) => {
                let signed = self.signed_part().map(|part| format!("?{part}"));
                format!("../../{group}{}", signed.unwrap_or_default())
            }
            _ => String::new(),
        }
    }

    /// The value of a header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.event, name)
    }

    /// Whether API Gateway found the request on the route of an admin action, and not on the one that takes all.
    pub(super) fn came_by_admin_route(&self) -> bool {
        let key = self.event.request_context.route_key.as_deref();
        key.is_some_and(|key| ADMIN_ROUTES.contains(&key))
    }

    /// The ARN of the user or role whose IAM credentials API Gateway has checked.
    pub(super) fn principal(&self) -> Option<&str> {
        let authorizer = self.event.request_context.authorizer.as_ref()?;
        let arn = authorizer.iam.as_ref()?.user_arn.as_deref();
        arn.filter(|arn| !arn.is_empty())
    }

    /// The subject of the JSON web token that API Gateway has checked (RFC 7519, section 4.1.2); empty if it names none.
    pub(super) fn subject(&self) -> Option<&str> {
        let authorizer = self.event.request_context.authorizer.as_ref()?;
        let claims = &authorizer.jwt.as_ref()?.claims;
        Some(claims.get("sub").map_or("", String::as_str))
    }

    /// Who sends it: a principal whose credentials were checked, else an address.
    fn who(&self) -> Option<String> {
        let subject = self.subject().filter(|subject| !subject.is_empty());
        let named = self.principal().or(subject);
        let named = named.map(|name| name.chars().take(LONGEST_NAME).collect());
        named.or_else(|| self.event.request_context.http.source_ip.clone())
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
        let language = header(&self.event, "accept-language");
        let signed = self.signed_part();
        Viewer::of(language, &config.branding, &self.nonce)
            .with_link(signed, config.guard.wake == WakeAuth::Open)
    }

    /// What is asked for by whoever sent it.
    pub(super) fn intent(&self, action: Action, patience: Duration) -> Intent {
        Intent::of(action, Cause::Http)
            .by(self.who())
            .patient_for(patience)
    }
}

/// The value of a header by its lower-case name.
fn header<'a>(event: &'a ApiGatewayV2httpRequest, name: &str) -> Option<&'a str> {
    event.headers.get(name).and_then(|value| value.to_str().ok())
}
