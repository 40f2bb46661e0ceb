//! The data plane of load balancers: HTTP requests handed to targets, or answered here.

use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{Shared, functions, http_client, lock, now};
use crate::model::{FixedResponse, Forwarding, RequestLine, Route, TargetKey};

/// Headers that belong to one connection and are not handed on (RFC 9110, section 7.6.1).
pub(super) const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[derive(Clone)]
struct Balancer {
    shared: Arc<Shared>,
    address: SocketAddrV4,
}

/// Serves a listener's socket until the listener is gone.
pub(super) fn serve(shared: &Arc<Shared>, address: SocketAddrV4, listener: std::net::TcpListener) {
    let state = Balancer {
        shared: shared.clone(),
        address,
    };
    let routes = Router::new().fallback(answer).with_state(state);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        let served = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => axum::serve(listener, service).await,
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            eprintln!("fargate-sim: the load balancer at {address} stopped: {error}");
        }
    });
    lock(&shared.balancers).insert(address, task.abort_handle());
}

async fn answer(
    State(balancer): State<Balancer>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let shared = &balancer.shared;
    let line = request_line(&request, client, balancer.address.port());
    let (listener, https, trace, route) = {
        let world = &mut shared.endpoint().world;
        let Some(listener) = world.listener_at(balancer.address) else {
            return own_page(StatusCode::SERVICE_UNAVAILABLE);
        };
        let (listener, https) = (listener.arn.clone(), listener.protocol == "HTTPS");
        let route = world.route(&listener, &line);
        world.count_request(&listener, &route);
        (listener, https, world.trace_id(now()), route)
    };
    let arrival = Arrival {
        client,
        port: line.port,
        protocol: if https { "https" } else { "http" },
        trace,
    };
    match route {
        Route::Target {
            target_group,
            target,
            with,
        } => {
            let request = rewrite(request, &arrival, &with);
            let response = to_target(shared, &listener, &target_group, target, request).await;
            keep_with_group(response, &with)
        }
        Route::Lambda {
            target_group,
            function,
            with,
        } => {
            if request.headers().contains_key(header::UPGRADE) {
                shared.endpoint().world.count_own_answer(&listener, 400);
                return own_page(StatusCode::BAD_REQUEST);
            }
            let request = rewrite(request, &arrival, &with);
            let response = functions::call(shared, &listener, &target_group, &function, &line, request).await;
            keep_with_group(response, &with)
        }
        Route::Fixed(fixed) => fixed_page(fixed),
        Route::Redirect { status, location } => redirect(status, &location),
        Route::Unauthenticated {
            location: Some(location),
        } => redirect(302, &location),
        Route::Unauthenticated { location: None } => own_page(StatusCode::UNAUTHORIZED),
        Route::NoTarget | Route::NoListener => own_page(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// What rules look at.
fn request_line(request: &Request, client: SocketAddr, port: u16) -> RequestLine {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_string(), value)
    });
    let host = request.headers().get(header::HOST);
    let host = host
        .and_then(|h| h.to_str().ok())
        .or_else(|| request.uri().authority().map(|a| a.as_str()));
    RequestLine {
        method: request.method().to_string(),
        host: host.unwrap_or_default().into(),
        path: request.uri().path().into(),
        query: request.uri().query().unwrap_or_default().into(),
        headers: headers.collect(),
        source: client.ip(),
        port,
    }
}

async fn to_target(
    shared: &Shared,
    listener: &str,
    target_group: &str,
    target: TargetKey,
    request: Request,
) -> Response {
    match http_client::send(&target.to_string(), request).await {
        Ok(response) => {
            let status = response.status().as_u16();
            let world = &mut shared.endpoint().world;
            world.count_answer(listener, target_group, status);
            let mut response = response.map(Body::new);
            HOP_BY_HOP
                .iter()
                .for_each(|name| drop(response.headers_mut().remove(name)));
            response.into_response()
        }
        Err(_) => {
            shared.endpoint().world.count_bad_gateway(listener);
            own_page(StatusCode::BAD_GATEWAY)
        }
    }
}

/// How a request came.
struct Arrival {
    client: SocketAddr,
    port: u16,
    protocol: &'static str,
    trace: String,
}

/// The request as the target gets it ("HTTP headers and Application Load Balancers", "Request tracing for your
/// Application Load Balancer").
fn rewrite(request: Request, arrival: &Arrival, with: &Forwarding) -> Request {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    parts.version = axum::http::Version::HTTP_11;
    HOP_BY_HOP
        .iter()
        .for_each(|name| drop(parts.headers.remove(name)));
    let before = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let client = arrival.client.ip();
    let chain = before("x-forwarded-for").map_or_else(|| client.to_string(), |b| format!("{b}, {client}"));
    let trace = match before("x-amzn-trace-id") {
        Some(given) if given.contains("Root=") => format!("Self={};{given}", arrival.trace),
        _ => format!("Root={}", arrival.trace),
    };
    let mut set = vec![
        ("x-forwarded-for", chain),
        ("x-forwarded-proto", arrival.protocol.into()),
        ("x-forwarded-port", arrival.port.to_string()),
        ("x-amzn-trace-id", trace),
    ];
    set.extend(with.user.clone().map(|user| ("x-amzn-oidc-identity", user)));
    for (name, value) in set {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(name, value);
        }
    }
    Request::from_parts(parts, body)
}

/// Puts the cookies of target group stickiness on an answer.
fn keep_with_group(mut response: Response, with: &Forwarding) -> Response {
    for cookie in with.cookie.iter().flat_map(|c| c.headers()) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn fixed_page(fixed: FixedResponse) -> Response {
    let status = StatusCode::from_u16(fixed.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = fixed.content_type.unwrap_or_else(|| "text/plain".into());
    let headers = [
        (header::SERVER, "awselb/2.0".to_string()),
        (header::CONTENT_TYPE, format!("{kind}; charset=utf-8")),
    ];
    (status, headers, fixed.body.unwrap_or_default()).into_response()
}

fn redirect(status: u16, location: &str) -> Response {
    let mut response = own_page(StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND));
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The load balancer's own page, as an Application Load Balancer writes it.
pub(super) fn own_page(status: StatusCode) -> Response {
    let reason = match status {
        StatusCode::SERVICE_UNAVAILABLE => "Service Temporarily Unavailable",
        StatusCode::UNAUTHORIZED => "Authorization Required",
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or_default(),
    };
    let title = format!("{} {reason}", status.as_u16());
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let headers = [
        (header::SERVER, "awselb/2.0"),
        (header::CONTENT_TYPE, "text/html"),
    ];
    (status, headers, body).into_response()
}
