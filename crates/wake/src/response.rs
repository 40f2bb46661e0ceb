//! Answers, in API Gateway's payload 2.0.

use dormouse_core::error::{Code, Error};
use dormouse_core::status::Status;
use serde_json::{Value, json};

/// HTTP statuses that the function answers with.
pub(crate) mod code {
    pub(crate) const OK: u16 = 200;
    pub(crate) const ACCEPTED: u16 = 202;
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

/// JSON, never stored.
pub(crate) fn json(status: u16, body: &Value) -> Value {
    answer(status, "application/json", body.to_string(), &[])
}

/// The status JSON, with `Retry-After` where asking again helps.
pub(crate) fn status(http: u16, status: &Status) -> Value {
    let retry = status.retry_after_seconds.to_string();
    let headers: &[(&str, &str)] = if http >= 500 || http == code::TOO_MANY_REQUESTS {
        &[("retry-after", &retry)]
    } else {
        &[]
    };
    answer(http, "application/json", json!(status).to_string(), headers)
}

/// The answer with what its status asks for: `Retry-After` where it helps, in seconds, and how to show who one is (RFC
/// 9110, sections 10.2.3 and 11.6.1).
pub(crate) fn finished(mut answer: Value) -> Value {
    let (name, value) = match answer["statusCode"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok())
    {
        Some(code::TOO_MANY_REQUESTS | code::UNAVAILABLE) => ("retry-after", RETRY_AFTER),
        Some(code::UNAUTHORIZED) => ("www-authenticate", "Bearer realm=\"dormouse\""),
        _ => return answer,
    };
    let header = &mut answer["headers"][name];
    if header.is_null() {
        *header = json!(value);
    }
    answer
}

/// A page, shielded against whatever might have found its way into it.
pub(crate) fn page(status: u16, html: String, nonce: &str) -> Value {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let headers: &[(&str, &str)] = if status == code::UNAVAILABLE {
        &[("content-security-policy", &policy), ("retry-after", "5")]
    } else {
        &[("content-security-policy", &policy)]
    };
    answer(status, "text/html; charset=utf-8", html, headers)
}

/// The same answer, saying when to ask again, if it says that now is not the time.
pub(crate) fn asking_again_after(seconds: u64, mut answer: Value) -> Value {
    let http = answer["statusCode"].as_u64().unwrap_or_default();
    if http == u64::from(code::UNAVAILABLE) || http == u64::from(code::TOO_MANY_REQUESTS) {
        answer["headers"]["retry-after"] = json!(seconds.to_string());
    }
    answer
}

/// A redirect that keeps the method.
pub(crate) fn redirect(location: &str) -> Value {
    answer(
        307,
        "text/plain; charset=utf-8",
        String::new(),
        &[("location", location)],
    )
}

/// A redirect after a form was sent, to what came of it.
pub(crate) fn see_other(location: &str) -> Value {
    answer(
        303,
        "text/plain; charset=utf-8",
        String::new(),
        &[("location", location)],
    )
}

/// An error as JSON.
pub(crate) fn error(error: &Error) -> Value {
    let http = http_status(error.code);
    let body = json!({"errors": [{"code": error.code, "service": null, "message": error.message}]});
    answer(http, "application/json", body.to_string(), &[])
}

/// A method that is not answered here, and those that are.
pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Value {
    let message = format!("method `{method}` is not answered here");
    let body = json!({"errors": [{"code": "MethodNotAllowed", "service": null, "message": message}]});
    answer(
        code::METHOD_NOT_ALLOWED,
        "application/json",
        body.to_string(),
        &[("allow", allowed)],
    )
}

/// The OpenAPI document of all of this.
pub(crate) fn openapi() -> Value {
    const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
    answer(code::OK, "application/json", DOCUMENT.to_owned(), &[])
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
        | Code::NoPublicAddress => code::BAD_GATEWAY,
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

fn answer(status: u16, content_type: &str, body: String, more: &[(&str, &str)]) -> Value {
    let mut headers = json!({
        "cache-control": "no-store",
        "content-type": content_type,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    });
    for (name, value) in more {
        headers[*name] = json!(value);
    }
    json!({"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": false})
}
