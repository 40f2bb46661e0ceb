//! Who may do what: wakes and admin actions over HTTP.

use dormouse_core::error::{Code, Error};
use dormouse_core::guard::{AdminAuth, Guard, WakeAuth, link, token};
use dormouse_core::ids::GroupName;
use jiff::Timestamp;

use super::request::Request;
use crate::client::Client;

/// Whether a request may wake the group.
///
/// # Errors
/// [`Code::Forbidden`] or [`Code::Unauthorized`], with why it may only look.
pub(super) fn to_wake(
    guard: &Guard,
    request: &Request,
    group: &GroupName,
    now: Timestamp,
) -> Result<(), Error> {
    if request.client == Client::Passive {
        return Err(Error::new(
            Code::Forbidden,
            "prefetches, previews, checkers, bots and scanners never wake",
        ));
    }
    if request.is_authenticated() {
        return Ok(());
    }
    match &guard.wake {
        WakeAuth::Open => Ok(()),
        WakeAuth::Link(key) => link::check(request.query(), key, group, now),
        // API Gateway lets nothing else through; this holds for whoever calls the function by another way.
        WakeAuth::Jwt if request.subject().is_some() => Ok(()),
        WakeAuth::Jwt if request.is_in_place() => Err(Error::new(
            Code::Forbidden,
            "this stack lets only those wake whom somebody has authenticated, and nobody does here: put an action that \
             authenticates in front of the listener rule's forward, or wake it at the wake address",
        )),
        WakeAuth::Jwt => Err(unauthorized("a wake needs a JSON web token")),
    }
}

/// Whether a request may put groups to sleep and keep them awake.
///
/// # Errors
/// [`Code::Forbidden`] or [`Code::Unauthorized`], with what it needs.
pub(super) fn to_administer(guard: &Guard, request: &Request) -> Result<(), Error> {
    match &guard.admin {
        AdminAuth::None => Err(Error::new(
            Code::Forbidden,
            "sleep and keep-awake over HTTP need an admin credential, and this stack was given none; call the \
             function directly instead",
        )),
        AdminAuth::Token(hash) => {
            let token = request.header("authorization").and_then(token::bearer);
            if token.is_some_and(|token| hash.is_of(token)) {
                Ok(())
            } else {
                Err(unauthorized(
                    "sleep and keep-awake need the admin token: `Authorization: Bearer <token>`",
                ))
            }
        }
        // What API Gateway checked on another route was not checked for this: a token of visitors, or a path that is
        // written in another way, makes nobody an admin.
        AdminAuth::Iam if request.came_by_admin_route() && request.principal().is_some() => Ok(()),
        AdminAuth::Iam => Err(Error::new(
            Code::Forbidden,
            "sleep and keep-awake need IAM credentials that may call this address (execute-api:Invoke)",
        )),
        AdminAuth::Jwt if request.came_by_admin_route() && request.subject().is_some() => Ok(()),
        AdminAuth::Jwt => Err(unauthorized("sleep and keep-awake need a JSON web token")),
    }
}

fn unauthorized(message: &str) -> Error {
    Error::new(Code::Unauthorized, message)
}
