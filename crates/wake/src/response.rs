//! Answers, by what they say.

use dormouse_core::error::{Code, Error};
use dormouse_core::status::Status;
use serde_json::{Value, json};

use crate::answer::Answer;

/// HTTP statuses that the function answers with.
pub(crate) mod code {
    pub(crate) const OK: u16 = 200;
    pub(crate) const ACCEPTED: u16 = 202;
    pub(crate) const SEE_OTHER: u16 = 303;
    pub(crate) const TEMPORARY_REDIRECT: u16 = 307;
    pub(crate) const BAD_REQUEST: u16 = 400;
    pub(crate) const UNAUTHORIZED: u16 = 401;
    pub(crate) const FORBIDDEN: u16 = 403;
    pub(crate) const NOT_FOUND: u16 = 404;
    pub(crate) const METHOD_NOT_ALLOWED: u16 = 405;
    pub(crate) const TOO_MANY_REQUESTS: u16 = 429;
    pub(crate) const BAD_GATEWAY: u16 = 502;
    pub(crate) const UNAVAILABLE: u16 = 503;
}

/// Seconds after which what failed may work, where nothing says more. Our choice.
const RETRY_AFTER: &str = "5";

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// JSON, never stored.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    Answer::new(status, JSON, body.to_string())
}

/// The status JSON, with `Retry-After` where asking again helps.
pub(crate) fn status(http: u16, status: &Status) -> Answer {
    let answer = Answer::new(http, JSON, json!(status).to_string());
    if http >= 500 || http == code::TOO_MANY_REQUESTS {
        answer.with("retry-after", status.retry_after_seconds.to_string())
    } else {
        answer
    }
}

/// The answer with what its status asks for: `Retry-After` where it helps, in seconds, and how to show who one is (RFC
/// 9110, sections 10.2.3 and 11.6.1).
pub(crate) fn finished(answer: Answer) -> Answer {
    match answer.status {
        code::TOO_MANY_REQUESTS | code::UNAVAILABLE => answer.or_with("retry-after", RETRY_AFTER),
        code::UNAUTHORIZED => answer.or_with("www-authenticate", "Bearer realm=\"dormouse\""),
        _ => answer,
    }
}

/// A page, shielded against whatever might have found its way into it.
pub(crate) fn page(status: u16, html: String, nonce: &str) -> Answer {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    Answer::new(status, "text/html; charset=utf-8", html).with("content-security-policy", policy)
}

/// The same answer, saying when to ask again, if it says that now is not the time.
pub(crate) fn asking_again_after(seconds: u64, answer: Answer) -> Answer {
    match answer.status {
        code::UNAVAILABLE | code::TOO_MANY_REQUESTS => answer.with("retry-after", seconds.to_string()),
        _ => answer,
    }
}

/// A redirect that keeps the method.
pub(crate) fn redirect(location: &str) -> Answer {
    Answer::new(code::TEMPORARY_REDIRECT, TEXT, String::new()).with("location", location)
}

/// A redirect after a form was sent, to what came of it.
pub(crate) fn see_other(location: &str) -> Answer {
    Answer::new(code::SEE_OTHER, TEXT, String::new()).with("location", location)
}

/// An error as JSON.
pub(crate) fn error(error: &Error) -> Answer {
    let body = json!({"errors": [{"code": error.code, "service": null, "message": error.message}]});
    json(http_status(error.code), &body)
}

/// A method that is not answered here, and those that are.
pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Answer {
    let message = format!("method `{method}` is not answered here");
    let body = json!({"errors": [{"code": "MethodNotAllowed", "service": null, "message": message}]});
    json(code::METHOD_NOT_ALLOWED, &body).with("allow", allowed)
}

/// The OpenAPI document of all of this.
pub(crate) fn openapi() -> Answer {
    const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
    Answer::new(code::OK, JSON, DOCUMENT.to_owned())
}

/// The HTTP status that stands for an error: the caller's mistake, ours to mend, or worth trying again.
pub(crate) fn http_status(code: Code) -> u16 {
    match code {
        Code::InvalidRequest | Code::TooLarge | Code::NotAWake => code::BAD_REQUEST,
        Code::Forbidden => code::FORBIDDEN,
        Code::Unauthorized => code::UNAUTHORIZED,
        Code::WakeBudgetSpent => code::TOO_MANY_REQUESTS,
        Code::UnknownGroup | Code::UnknownLogGroup => code::NOT_FOUND,
        Code::AccessDenied
        | Code::ClusterNotFound
        | Code::ServiceNotFound
        | Code::TableNotFound
        | Code::Rejected
        | Code::CorruptRecord
        | Code::InvalidConfig
        | Code::InvalidTag
        | Code::Internal
        | Code::NoPublicAddress
        | Code::FrontNotLed
        | Code::FrontUnproven => code::BAD_GATEWAY,
        Code::Throttled
        | Code::Unavailable
        | Code::Contention
        | Code::TimerNotStarted
        | Code::NeedsTooDeep
        | Code::ScaleInRevoked
        | Code::NoFreeTask
        | Code::NotProtected
        | Code::TargetRegistered
        | Code::TaskInUse
        | Code::KeptAsleep
        | Code::Observing
        | Code::NotBecomingReady => code::UNAVAILABLE,
    }
}
