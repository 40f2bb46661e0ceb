//! Functions as targets of load balancers.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;

use super::balancer::{HOP_BY_HOP, own_page};
use super::{Shared, stack};
use crate::model::{FunctionFailure, RequestLine};
use crate::protocol::{FUNCTION_LIMIT, FunctionAnswer, FunctionRequest, function_answer, function_event};

/// Why a function gave no answer: what the client gets, and who is to blame.
struct Failed {
    status: StatusCode,
    failure: FunctionFailure,
    why: String,
}

/// Invokes a target group's function with a request and waits for its answer. "Troubleshoot your Application Load
/// Balancers": 413 for a body over 1 MB, 502 for a function that fails or answers in no valid form.
pub(super) async fn call(
    shared: &Shared,
    listener: &str,
    target_group: &str,
    function: &str,
    line: &RequestLine,
    request: Request,
) -> Response {
    match try_call(shared, target_group, function, line, request).await {
        Ok(answer) => {
            let world = &mut shared.endpoint().world;
            world.count_answer(listener, target_group, answer.status);
            response(answer)
        }
        Err(Failed { status, failure, why }) => {
            eprintln!("fargate-sim: the function {function} answers a request with {status}: {why}");
            let world = &mut shared.endpoint().world;
            world.count_own_answer(listener, status.as_u16());
            world.count_function_failure(listener, target_group, failure);
            own_page(status)
        }
    }
}

async fn try_call(
    shared: &Shared,
    target_group: &str,
    function: &str,
    line: &RequestLine,
    request: Request,
) -> Result<FunctionAnswer, Failed> {
    let failed = |status, failure, why: &str| Failed {
        status,
        failure,
        why: why.into(),
    };
    let bad_gateway = |failure, why: &str| failed(StatusCode::BAD_GATEWAY, failure, why);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, FUNCTION_LIMIT).await.map_err(|_| {
        let why = "the request's body has more than 1 MB or ends too early";
        failed(StatusCode::PAYLOAD_TOO_LARGE, FunctionFailure::User, why)
    })?;
    let Some(stack) = &shared.stack else {
        let why = "no --stack was given to invoke functions of";
        return Err(bad_gateway(FunctionFailure::Internal, why));
    };
    let group = shared.endpoint().world.target_group(target_group).cloned();
    let multi_value = group.is_ok_and(|g| g.multi_value_headers());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.as_str().to_string(), text(value)))
        .collect();
    let event = function_event(&FunctionRequest {
        target_group,
        method: &line.method,
        path: &line.path,
        query: &line.query,
        headers: &headers,
        body: &body,
        multi_value,
    });
    match stack.request_response(function, event.to_string()).await {
        Err(why) => Err(bad_gateway(FunctionFailure::Internal, &why)),
        Ok(stack::Outcome::Failed(why)) => Err(bad_gateway(FunctionFailure::User, &why)),
        Ok(stack::Outcome::Answered(answer)) => {
            function_answer(&answer, multi_value).map_err(|why| bad_gateway(FunctionFailure::User, &why))
        }
    }
}

/// Hop-by-hop headers and the length of the function's own counting are left out.
fn response(answer: FunctionAnswer) -> Response {
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        return own_page(StatusCode::BAD_GATEWAY);
    };
    let mut response = (status, Body::from(answer.body)).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in &answer.headers {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) else {
            return own_page(StatusCode::BAD_GATEWAY);
        };
        if name != header::CONTENT_LENGTH && !HOP_BY_HOP.contains(&name) {
            response.headers_mut().append(name, value);
        }
    }
    if let Some(Ok(reason)) = answer.reason.map(|r| ReasonPhrase::try_from(r.into_bytes())) {
        response.extensions_mut().insert(reason);
    }
    response
}
