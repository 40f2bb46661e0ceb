//! What of a request matters here, whatever it came by.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use dormouse_core::config::Config;
use dormouse_core::front::{Condition, Posted};
use dormouse_core::guard::WakeAuth;
use dormouse_core::guard::link::{self, SignedPart};
use dormouse_core::guard::scanners;
use dormouse_core::intent::{Action, Cause, Intent};

use super::balanced::Balanced;
use crate::client::{self, Client};
use crate::page::{Place, Viewer};
use crate::route::{self, Route};

/// The routes of admin actions, as the template declares them where API Gateway checks who comes.
const ADMIN_ROUTES: [&str; 2] = ["POST /{group}/-/sleep", "POST /{group}/-/keep-awake"];
/// Longest name of a principal that is kept, in characters. That of a role's session fits.
const LONGEST_NAME: usize = 256;

/// How the page that is shown in place asks what has changed: `1`, with `hidden` if nobody sees it, and `undelivered` if it
/// answered a form.
const POLL: &str = "x-dormouse-poll";

/// The values of headers by their lower-case names.
pub(super) type Headers = BTreeMap<String, Vec<String>>;

/// A request, reduced to what matters here.
pub(super) struct Request {
    /// The method, in upper case.
    pub(super) method: String,
    /// What its address stands for.
    pub(super) route: Route,
    /// Who sends it.
    pub(super) client: Client,
    /// Unguessable, and different for each page: marks the page's own script and style.
    nonce: String,
    headers: Headers,
    /// The query as it came.
    query: String,
    /// The first value of each parameter of the query, decoded.
    parameters: BTreeMap<String, String>,
    /// The address that it comes from.
    source: Option<String>,
    checked: Checked,
    /// Whether a load balancer sent it here from an app's own address.
    in_place: bool,
    /// Whether its door looks at queries.
    by_query: bool,
}

/// What the door has checked of who comes.
#[derive(Default)]
struct Checked {
    /// Whether API Gateway found the request on the route of an admin action, and not on the one that takes all.
    admin_route: bool,
    /// The ARN of the user or role whose IAM credentials API Gateway has checked.
    principal: Option<String>,
    /// Whom a token names that API Gateway or the load balancer has checked; empty if it names none.
    subject: Option<String>,
    /// Whether a load balancer lets nobody come here whom it has not authenticated.
    authenticated: bool,
}

impl Request {
    /// A request to the wake address.
    pub(super) fn of_api(event: ApiGatewayV2httpRequest, request_id: &str) -> Self {
        let method = event.request_context.http.method.to_string();
        let route = route::of(event.raw_path.as_deref().unwrap_or("/"));
        let mut headers = Headers::new();
        for (name, value) in &event.headers {
            if let Ok(value) = value.to_str() {
                let values = headers.entry(name.as_str().to_owned()).or_default();
                values.push(value.to_owned());
            }
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in event.query_string_parameters.iter() {
            parameters
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
        let context = event.request_context;
        let key = context.route_key.as_deref();
        let admin_route = key.is_some_and(|key| ADMIN_ROUTES.contains(&key));
        let (iam, jwt) = context
            .authorizer
            .map_or((None, None), |authorizer| (authorizer.iam, authorizer.jwt));
        let checked = Checked {
            admin_route,
            principal: iam.and_then(|iam| iam.user_arn).filter(|arn| !arn.is_empty()),
            // RFC 7519, section 4.1.2.
            subject: jwt.map(|jwt| jwt.claims.get("sub").cloned().unwrap_or_default()),
            authenticated: false,
        };
        Self {
            client: client(&method, &route, &headers),
            method,
            route,
            nonce: nonce(request_id),
            headers,
            query: event.raw_query_string.unwrap_or_default(),
            parameters,
            source: context.http.source_ip,
            checked,
            in_place: false,
            by_query: false,
        }
    }

    /// A request to an app's own address that came through this door; none: it is not known which.
    pub(super) fn of_balancer(event: Balanced, door: Option<&Posted>, request_id: &str) -> Self {
        let route = door.map_or(Route::Nowhere, |door| Route::Front {
            group: door.group.clone(),
            path: event.path.clone(),
        });
        let authenticated = door.is_some_and(|door| door.place.authenticates);
        // Without an action that authenticates, anybody may send this header.
        let identity = event
            .header("x-amzn-oidc-identity")
            .unwrap_or_default()
            .to_owned();
        Self {
            client: client(&event.method, &route, &event.headers),
            route,
            nonce: nonce(request_id),
            source: event.source().map(|address| address.to_string()),
            query: event.query(),
            parameters: BTreeMap::new(),
            checked: Checked {
                subject: authenticated.then_some(identity),
                authenticated,
                ..Checked::default()
            },
            method: event.method,
            headers: event.headers,
            in_place: true,
            by_query: door.is_some_and(asks_for_query),
        }
    }

    /// The query as it came, empty if there is none.
    pub(super) fn query(&self) -> &str {
        &self.query
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

    /// The first value of a header by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// All values of a header by its lower-case name.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.headers.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether API Gateway found the request on the route of an admin action, and not on the one that takes all.
    pub(super) fn came_by_admin_route(&self) -> bool {
        self.checked.admin_route
    }

    /// The ARN of the user or role whose IAM credentials API Gateway has checked.
    pub(super) fn principal(&self) -> Option<&str> {
        self.checked.principal.as_deref()
    }

    /// Whom a token names that the door has checked; empty if it names none.
    pub(super) fn subject(&self) -> Option<&str> {
        self.checked.subject.as_deref()
    }

    /// Whether a load balancer lets nobody come here whom it has not authenticated.
    pub(super) fn is_authenticated(&self) -> bool {
        self.checked.authenticated
    }

    /// Whether a load balancer sent it here from an app's own address.
    pub(super) fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// The path of the app.
    pub(super) fn path(&self) -> &str {
        match &self.route {
            Route::App { path, .. } | Route::Front { path, .. } => path,
            _ => "",
        }
    }

    /// What a page says that asks at its own address what has changed.
    pub(super) fn poll(&self) -> Option<&str> {
        let asks = self.in_place && self.client == Client::Browser;
        self.header(POLL).filter(|_| asks)
    }

    /// Whether it comes from a page that nobody sees: nobody uses what it asks for.
    pub(super) fn is_out_of_sight(&self) -> bool {
        self.poll().is_some_and(|poll| poll.contains("hidden"))
    }

    /// Whether its answer is a page: at an app's own address also for a form.
    pub(super) fn is_shown_to_a_person(&self) -> bool {
        let sends_form = || self.client == Client::Program && self.is_undelivered() && self.wants_page();
        self.client == Client::Browser || sends_form()
    }

    /// Whether it carries what must not be lost without a word: it asks for more than to be shown something (RFC 9110, section
    /// 9.2.1), at an address whose app does not get it.
    pub(super) fn is_undelivered(&self) -> bool {
        self.is_in_place() && !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// Who sends it: a principal whose credentials were checked, else an address.
    fn who(&self) -> Option<String> {
        let subject = self.subject().filter(|subject| !subject.is_empty());
        let named = self.principal().or(subject);
        let named = named.map(|name| name.chars().take(LONGEST_NAME).collect());
        named.or_else(|| self.source.clone())
    }

    /// The first value of a parameter of the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether a person sees the answer.
    pub(super) fn wants_page(&self) -> bool {
        self.header("accept")
            .is_some_and(|accepted| accepted.to_ascii_lowercase().contains("text/html"))
    }

    /// Whether somebody may never see the answer.
    pub(super) fn is_ahead_of_time(&self) -> bool {
        client::is_ahead_of_time(|name| self.header(name))
    }

    /// Who looks at a page.
    pub(super) fn viewer<'a>(&'a self, config: &'a Config) -> Viewer<'a> {
        let signed = self.signed_part();
        let place = match () {
            () if self.is_undelivered() || self.poll().is_some_and(|poll| poll.contains("undelivered")) => {
                Place::Undelivered
            }
            () if self.is_in_place() => Place::App,
            () => Place::Wake,
        };
        Viewer::of(self.header("accept-language"), &config.branding, &self.nonce)
            .by_query(self.by_query || signed.is_some())
            .with_link(signed, config.guard.wake == WakeAuth::Open)
            .at(place)
    }

    /// What is asked for by whoever sent it.
    pub(super) fn intent(&self, action: Action, patience: Duration) -> Intent {
        Intent::of(action, Cause::Http)
            .by(self.who())
            .patient_for(patience)
    }
}

fn asks_for_query(door: &Posted) -> bool {
    let mut conditions = door.place.conditions.iter();
    conditions.any(|condition| matches!(condition, Condition::Query(_) | Condition::Other(_)))
}

fn client(method: &str, route: &Route, headers: &Headers) -> Client {
    match route {
        Route::App { path, .. } if scanners::is_probe(path) => Client::Passive,
        Route::Front { path, .. } if route::is_asked_by_machines(path) => Client::Passive,
        _ => client::of(method, |name| first(headers, name)),
    }
}

fn nonce(request_id: &str) -> String {
    request_id.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn first<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.get(name)?.first().map(String::as_str)
}
