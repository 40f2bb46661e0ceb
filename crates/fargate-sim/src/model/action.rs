//! What a listener or a rule does with a request.
//!
//! "Action types for listener rules"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html>) and "Action" in the
//! API reference.

use std::collections::BTreeMap;

use super::error::ApiError;

/// One action of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// 1 to 50000; the lowest comes first.
    pub order: u32,
    /// What it does.
    pub kind: ActionKind,
}

/// What an action does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Hands the request to a target of one of these groups.
    Forward(Forward),
    /// Answers by itself.
    FixedResponse(FixedResponse),
    /// Sends the client elsewhere.
    Redirect(Redirect),
    /// Asks who the user is: `authenticate-oidc` or `authenticate-cognito`.
    Authenticate(Authenticate),
    /// `jwt-validation`, kept as it was given by parameter name. No token is looked at here.
    JwtValidation(BTreeMap<String, String>),
}

/// `forward`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// One to five groups.
    pub groups: Vec<WeightedGroup>,
    /// Seconds during which a client stays with a group, 1 to 604800; `None` without stickiness.
    pub sticky_seconds: Option<u64>,
}

/// A target group and its share of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedGroup {
    /// ARN of the target group.
    pub target_group: String,
    /// 0 to 999; 0 gets nothing.
    pub weight: u32,
}

/// `fixed-response`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedResponse {
    /// 2XX, 4XX or 5XX.
    pub status: u16,
    /// One of five types.
    pub content_type: Option<String>,
    /// Up to 1024 characters.
    pub body: Option<String>,
}

/// `redirect`; each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or the request's own.
    pub protocol: String,
    /// Host.
    pub host: String,
    /// Port.
    pub port: String,
    /// Path with its leading `/`.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// 301 or 302.
    pub status: u16,
}

impl Default for Redirect {
    fn default() -> Self {
        Redirect {
            protocol: "#{protocol}".into(),
            host: "#{host}".into(),
            port: "#{port}".into(),
            path: "/#{path}".into(),
            query: "#{query}".into(),
            status: 302,
        }
    }
}

/// Who an authenticate action asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// `authenticate-oidc`.
    Oidc,
    /// `authenticate-cognito`.
    Cognito,
}

/// `authenticate-oidc` or `authenticate-cognito`. Nobody is asked here: header `x-sim-user` names the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticate {
    /// Who is asked.
    pub issuer: Issuer,
    /// The configuration by parameter name, with AWS's defaults filled in and without the secret.
    pub config: BTreeMap<String, String>,
    /// The client's secret, which is never described; `None` for Cognito.
    pub secret: Option<String>,
}

impl Action {
    /// The only action of a rule.
    pub fn only(kind: ActionKind) -> Action {
        Action { order: 1, kind }
    }

    /// Forwards to one target group.
    pub fn forward(target_group: impl Into<String>) -> Action {
        Action::weighted([(target_group.into(), 1)])
    }

    /// Forwards to target groups by weight, without stickiness.
    pub fn weighted(groups: impl IntoIterator<Item = (String, u32)>) -> Action {
        let weighted = |(target_group, weight)| WeightedGroup { target_group, weight };
        Action::only(ActionKind::Forward(Forward {
            groups: groups.into_iter().map(weighted).collect(),
            sticky_seconds: None,
        }))
    }

    /// Answers with a status and a text.
    pub fn fixed(status: u16, body: &str) -> Action {
        Action::only(ActionKind::FixedResponse(FixedResponse {
            status,
            content_type: None,
            body: Some(body.into()),
        }))
    }

    /// The type as the API names it.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            ActionKind::Forward(_) => "forward",
            ActionKind::FixedResponse(_) => "fixed-response",
            ActionKind::Redirect(_) => "redirect",
            ActionKind::Authenticate(a) if a.issuer == Issuer::Oidc => "authenticate-oidc",
            ActionKind::Authenticate(_) => "authenticate-cognito",
            ActionKind::JwtValidation(_) => "jwt-validation",
        }
    }

    /// ARNs of the target groups that it names, those with weight 0 too.
    pub fn target_groups(&self) -> impl Iterator<Item = &str> {
        let groups = match &self.kind {
            ActionKind::Forward(forward) => forward.groups.as_slice(),
            _ => &[],
        };
        groups.iter().map(|g| g.target_group.as_str())
    }

    fn ends(&self) -> bool {
        !matches!(
            self.kind,
            ActionKind::Authenticate(_) | ActionKind::JwtValidation(_)
        )
    }

    fn check(&self) -> Result<(), ApiError> {
        let wrong = |text: String| Err(ApiError::validation(text));
        match &self.kind {
            ActionKind::Forward(forward) => forward.check(),
            ActionKind::FixedResponse(fixed) => fixed.check(),
            ActionKind::Redirect(redirect) => redirect.check(),
            ActionKind::Authenticate(a) => match a.config.get("OnUnauthenticatedRequest").map(String::as_str)
            {
                None | Some("deny" | "allow" | "authenticate") => Ok(()),
                Some(other) => wrong(format!(
                    "OnUnauthenticatedRequest '{other}' must be deny, allow or authenticate"
                )),
            },
            ActionKind::JwtValidation(_) => Ok(()),
        }
    }
}

impl Forward {
    fn check(&self) -> Result<(), ApiError> {
        let count = self.groups.len();
        if !(1..=5).contains(&count) {
            return Err(ApiError::validation(format!(
                "A forward action must name 1 to 5 target groups, not {count}"
            )));
        }
        let mut arns: Vec<&str> = self.groups.iter().map(|g| g.target_group.as_str()).collect();
        arns.sort_unstable();
        arns.dedup();
        if arns.len() < count {
            return Err(ApiError::validation(
                "A target group may be named once in a forward action",
            ));
        }
        if let Some(group) = self.groups.iter().find(|g| g.weight > 999) {
            return Err(ApiError::validation(format!(
                "Weight '{}' of target group '{}' must be between 0 and 999",
                group.weight, group.target_group
            )));
        }
        match self.sticky_seconds {
            Some(seconds) if !(1..=604_800).contains(&seconds) => Err(ApiError::validation(format!(
                "Target group stickiness duration '{seconds}' must be between 1 and 604800 seconds"
            ))),
            _ => Ok(()),
        }
    }
}

impl FixedResponse {
    fn check(&self) -> Result<(), ApiError> {
        const TYPES: [&str; 5] = [
            "text/plain",
            "text/css",
            "text/html",
            "application/javascript",
            "application/json",
        ];
        if !matches!(self.status, 200..=299 | 400..=599) {
            return Err(ApiError::validation(format!(
                "Fixed response status code '{}' must be 2XX, 4XX or 5XX",
                self.status
            )));
        }
        if let Some(kind) = self.content_type.as_deref().filter(|k| !TYPES.contains(k)) {
            let known = TYPES.join(", ");
            return Err(ApiError::validation(format!(
                "Content type '{kind}' must be one of {known}"
            )));
        }
        match self.body.as_ref().is_some_and(|b| b.chars().count() > 1024) {
            true => Err(ApiError::validation(
                "A fixed response body must have at most 1024 characters",
            )),
            false => Ok(()),
        }
    }
}

impl Redirect {
    fn check(&self) -> Result<(), ApiError> {
        let unchanged = Redirect::default();
        let same = (&self.protocol, &self.host, &self.port, &self.path)
            == (
                &unchanged.protocol,
                &unchanged.host,
                &unchanged.port,
                &unchanged.path,
            );
        if same {
            let text = "A redirect must change at least one of protocol, host, port or path";
            return Err(ApiError::new("InvalidLoadBalancerAction", text));
        }
        if !self.path.starts_with('/') {
            return Err(ApiError::validation(format!(
                "Redirect path '{}' must begin with '/'",
                self.path
            )));
        }
        Ok(())
    }
}

/// Checks a list and puts it in order: exactly one of forward, redirect and fixed-response, as the last.
pub(crate) fn check_actions(mut actions: Vec<Action>) -> Result<Vec<Action>, ApiError> {
    let invalid = |text: &str| Err(ApiError::new("InvalidLoadBalancerAction", text));
    actions.sort_by_key(|a| a.order);
    if actions.windows(2).any(|pair| pair[0].order == pair[1].order) {
        return invalid("Each action must have an order of its own");
    }
    if let Some(action) = actions.iter().find(|a| !(1..=50_000).contains(&a.order)) {
        return Err(ApiError::validation(format!(
            "Action order '{}' must be between 1 and 50000",
            action.order
        )));
    }
    let ends = actions.iter().filter(|a| a.ends()).count();
    if ends != 1 || !actions.last().is_some_and(Action::ends) {
        return invalid("The actions must end with exactly one of forward, redirect and fixed-response");
    }
    actions.iter().try_for_each(Action::check)?;
    Ok(actions)
}

/// Fills secrets in that are to be kept: those of `before` with the same issuer. "AuthenticateOidcActionConfig" in the API
/// reference: an action without ClientSecret must set UseExistingClientSecret.
pub(crate) fn keep_secrets(mut actions: Vec<Action>, before: &[Action]) -> Result<Vec<Action>, ApiError> {
    let invalid = |text: &str| ApiError::new("InvalidLoadBalancerAction", text);
    let oidc = |action: &Action| match &action.kind {
        ActionKind::Authenticate(a) if a.issuer == Issuer::Oidc => Some(a.clone()),
        _ => None,
    };
    for action in &mut actions {
        let ActionKind::Authenticate(wanted) = &mut action.kind else {
            continue;
        };
        let keep = wanted.config.remove("UseExistingClientSecret").as_deref() == Some("true");
        if wanted.issuer == Issuer::Cognito {
            continue;
        }
        if wanted.secret.is_some() {
            match keep {
                true => {
                    return Err(invalid(
                        "You cannot both specify a client secret and set UseExistingClientSecret to true",
                    ));
                }
                false => continue,
            }
        }
        let held = before
            .iter()
            .filter_map(oidc)
            .find(|b| b.config.get("Issuer") == wanted.config.get("Issuer"));
        wanted.secret = held.and_then(|h| h.secret).filter(|_| keep);
        if wanted.secret.is_none() {
            return Err(invalid(
                "You must either specify a client secret or set UseExistingClientSecret to true",
            ));
        }
    }
    Ok(actions)
}
