//! Authenticate actions, with nobody to ask.
//!
//! "Authenticate users using an Application Load Balancer"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html>). Here header
//! `x-sim-user` stands for a session: it names the user that has signed in.

use super::action::{Authenticate, Issuer};
use super::routing::RequestLine;

/// What an authenticate action finds.
pub(crate) enum SignIn {
    /// This user.
    Known(String),
    /// Nobody, and that is allowed.
    Unknown,
    /// Nobody: 401, or 302 to where to sign in.
    Refused(Option<String>),
}

/// `deny` is 401, `allow` lets the request through, and `authenticate`, the default, sends the client to the issuer.
pub(crate) fn sign_in(action: &Authenticate, request: &RequestLine, scheme: &str, region: &str) -> SignIn {
    if let Some(user) = request.header_values("x-sim-user").next() {
        return SignIn::Known(user.into());
    }
    let value = |name: &str| action.config.get(name).map_or("", String::as_str);
    match value("OnUnauthenticatedRequest") {
        "deny" => SignIn::Refused(None),
        "allow" => SignIn::Unknown,
        _ => {
            let (endpoint, client) = match action.issuer {
                Issuer::Oidc => (value("AuthorizationEndpoint").to_string(), value("ClientId")),
                Issuer::Cognito => {
                    let domain = value("UserPoolDomain");
                    let host = match domain.contains('.') {
                        true => domain.to_string(),
                        false => format!("{domain}.auth.{region}.amazoncognito.com"),
                    };
                    (
                        format!("https://{host}/oauth2/authorize"),
                        value("UserPoolClientId"),
                    )
                }
            };
            let back = format!("{scheme}://{}/oauth2/idpresponse", request.host);
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", client)
                .append_pair("redirect_uri", &back)
                .append_pair("response_type", "code")
                .append_pair("scope", value("Scope"))
                .finish();
            SignIn::Refused(Some(format!("{endpoint}?{query}")))
        }
    }
}
