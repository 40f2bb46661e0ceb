//! Where a request goes.

use std::net::{IpAddr, Ipv4Addr};

use super::action::{ActionKind, FixedResponse, Forward};
use super::sign_in::{SignIn, sign_in};
use super::stickiness::{GroupCookie, remembered};
use super::target_group::{TargetGroup, TargetKey};
use super::target_health::TargetState;
use super::time::Millis;
use super::world::World;

/// A request, as far as rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The method, in its own case.
    pub method: String,
    /// The Host header, with or without a port.
    pub host: String,
    /// The path as it was sent, with its leading `/`.
    pub path: String,
    /// What follows `?`, as it was sent; empty if there is nothing.
    pub query: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The client's address.
    pub source: IpAddr,
    /// The listener's port.
    pub port: u16,
}

impl Default for RequestLine {
    /// `GET /` by nobody in particular.
    fn default() -> Self {
        RequestLine {
            method: "GET".into(),
            host: "localhost".into(),
            path: "/".into(),
            query: String::new(),
            headers: Vec::new(),
            source: Ipv4Addr::LOCALHOST.into(),
            port: 80,
        }
    }
}

impl RequestLine {
    /// The host without its port.
    pub fn host_name(&self) -> &str {
        match self.host.rsplit_once(':') {
            // Colons within brackets belong to an IPv6 address.
            Some((name, port)) if !port.ends_with(']') => name,
            _ => &self.host,
        }
    }

    /// Values of a header, whatever the case of its name.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self
            .headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Keys and values of the query, not decoded.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts = self.query.split('&').filter(|p| !p.is_empty());
        parts.map(|p| p.split_once('=').unwrap_or((p, "")))
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this target.
    Target {
        /// ARN of the target group.
        target_group: String,
        /// The target.
        target: TargetKey,
        /// What goes with it.
        with: Forwarding,
    },
    /// To this function.
    Lambda {
        /// ARN of the target group.
        target_group: String,
        /// ARN of the function.
        function: String,
        /// What goes with it.
        with: Forwarding,
    },
    /// Nowhere: the load balancer answers by itself.
    Fixed(FixedResponse),
    /// Nowhere: the client is sent elsewhere.
    Redirect {
        /// 301 or 302.
        status: u16,
        /// Header Location.
        location: String,
    },
    /// Nowhere: nobody has signed in.
    Unauthenticated {
        /// Where to sign in, by 302; `None` is 401.
        location: Option<String>,
    },
    /// Nowhere: 503.
    NoTarget,
    /// The listener is gone.
    NoListener,
}

/// What a forwarded request and its answer get on their way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Header `x-amzn-oidc-identity`: the user that an authenticate action found.
    pub user: Option<String>,
    /// Cookie that keeps the client with its target group.
    pub cookie: Option<GroupCookie>,
}

impl World {
    /// Where the next request at a listener goes: by the first rule that takes it. While a change of rules is on its
    /// way ([`super::Config::rule_propagation`]) requests go by the old and the new rules in turn, the old ones first.
    pub fn route(&mut self, listener: &str, request: &RequestLine) -> Route {
        let stick_to_zero = self.config.stick_to_weight_zero;
        let region = self.config.region.clone();
        let Some(listener) = self.listeners.get_mut(listener) else {
            return Route::NoListener;
        };
        let scheme = listener.protocol.to_ascii_lowercase();
        let rules = match &mut listener.settling {
            Some(settling) => {
                settling.last_was_old = !settling.last_was_old;
                match settling.last_was_old {
                    true => &mut settling.rules,
                    false => &mut listener.rules,
                }
            }
            None => &mut listener.rules,
        };
        let Some(rule) = rules.iter_mut().find(|r| r.takes(request)) else {
            return Route::NoListener;
        };
        let mut with = Forwarding::default();
        for action in &rule.actions {
            match &action.kind {
                ActionKind::JwtValidation(_) => {}
                ActionKind::Authenticate(authenticate) => {
                    match sign_in(authenticate, request, &scheme, &region) {
                        SignIn::Known(user) => with.user = Some(user),
                        SignIn::Unknown => {}
                        SignIn::Refused(location) => return Route::Unauthenticated { location },
                    }
                }
                ActionKind::FixedResponse(fixed) => return Route::Fixed(fixed.clone()),
                ActionKind::Redirect(redirect) => {
                    return Route::Redirect {
                        status: redirect.status,
                        location: redirect.location(request, &scheme),
                    };
                }
                ActionKind::Forward(forward) => {
                    let Some(group) = choose(forward, &mut rule.credits, request, stick_to_zero) else {
                        return Route::NoTarget;
                    };
                    with.cookie = forward.sticky_seconds.map(|s| GroupCookie::new(group, s));
                    let group = self.target_groups.get_mut(group);
                    return group.map_or(Route::NoTarget, |group| into_group(group, with));
                }
            }
        }
        Route::NoTarget
    }
}

impl World {
    /// A new id for header `x-amzn-trace-id`, without `Root=` ("Request tracing for your Application Load Balancer").
    pub fn trace_id(&mut self, now: Millis) -> String {
        format!("1-{:08x}-{}", now.0 / 1000, self.ids.hex(24))
    }
}

/// The target group of a request: the one that its cookie names, else the next by weight. There is no other choice when
/// the chosen one has no healthy target ("Weighted target groups" do not fail over).
fn choose<'a>(
    forward: &'a Forward,
    credits: &mut Vec<i64>,
    request: &RequestLine,
    stick_to_zero: bool,
) -> Option<&'a str> {
    if forward.sticky_seconds.is_some()
        && let Some(group) = remembered(&forward.groups, request)
        && (group.weight > 0 || stick_to_zero)
    {
        return Some(&group.target_group);
    }
    // Smooth weighted round robin, as nginx spreads: each group earns its weight, the richest pays the total.
    credits.resize(forward.groups.len(), 0);
    let total: i64 = forward.groups.iter().map(|g| i64::from(g.weight)).sum();
    let mut best: Option<usize> = None;
    for (n, group) in forward.groups.iter().enumerate().filter(|(_, g)| g.weight > 0) {
        credits[n] += i64::from(group.weight);
        if best.is_none_or(|b| credits[n] > credits[b]) {
            best = Some(n);
        }
    }
    let best = best?;
    credits[best] -= total;
    Some(&forward.groups[best].target_group)
}

/// Healthy targets in turn. With none healthy but some unhealthy ones it goes to those ("Target groups for your
/// Application Load Balancers": if a target group has only unhealthy registered targets, requests go to all of them);
/// new and draining targets get nothing.
fn into_group(group: &mut TargetGroup, with: Forwarding) -> Route {
    let target_group = group.arn.clone();
    if let Some(function) = group.function.clone() {
        return Route::Lambda {
            target_group,
            function,
            with,
        };
    }
    let of_state = |wanted: fn(&TargetState) -> bool| -> Vec<TargetKey> {
        let found = group.targets.iter().filter(|(_, t)| wanted(&t.state));
        found.map(|(key, _)| *key).collect()
    };
    let mut choices = of_state(|s| *s == TargetState::Healthy);
    if choices.is_empty() && of_state(|s| *s == TargetState::Initial).is_empty() {
        choices = of_state(|s| matches!(s, TargetState::Unhealthy(_)));
    }
    if choices.is_empty() {
        return Route::NoTarget;
    }
    group.turn = group.turn.wrapping_add(1);
    let target = choices[group.turn % choices.len()];
    Route::Target {
        target_group,
        target,
        with,
    }
}
