//! The data plane of load balancers: HTTP requests handed to targets.

use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{Shared, http_client, lock};
use crate::model::Route;

/// Headers that belong to one connection and are not handed on (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
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
    let routes = Router::new().fallback(forward).with_state(state);
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

async fn forward(
    State(balancer): State<Balancer>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (listener, route) = {
        let world = &mut balancer.shared.endpoint().world;
        let Some(listener) = world.listener_at(balancer.address).map(|l| l.arn.clone()) else {
            return error_page(StatusCode::SERVICE_UNAVAILABLE);
        };
        let route = world.route(&listener);
        world.count_request(&listener, &route);
        (listener, route)
    };
    let Route::Target {
        target_group, target, ..
    } = route
    else {
        return error_page(StatusCode::SERVICE_UNAVAILABLE);
    };
    match http_client::send(
        &target.to_string(),
        rewrite(request, client, balancer.address.port()),
    )
    .await
    {
        Ok(response) => {
            let status = response.status().as_u16();
            let world = &mut balancer.shared.endpoint().world;
            world.count_answer(&listener, &target_group, status);
            let mut response = response.map(Body::new);
            HOP_BY_HOP
                .iter()
                .for_each(|name| drop(response.headers_mut().remove(name)));
            response.into_response()
        }
        Err(_) => {
            balancer.shared.endpoint().world.count_bad_gateway(&listener);
            error_page(StatusCode::BAD_GATEWAY)
        }
    }
}

/// The request as the target gets it ("HTTP headers and Application Load Balancers").
fn rewrite(request: Request, client: SocketAddr, port: u16) -> Request {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    parts.version = axum::http::Version::HTTP_11;
    HOP_BY_HOP
        .iter()
        .for_each(|name| drop(parts.headers.remove(name)));
    let before = parts.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
    let chain = before.map_or_else(|| client.ip().to_string(), |b| format!("{b}, {}", client.ip()));
    for (name, value) in [
        ("x-forwarded-for", chain),
        ("x-forwarded-proto", "http".into()),
        ("x-forwarded-port", port.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(name, value);
        }
    }
    Request::from_parts(parts, body)
}

/// The load balancer's own page, as an Application Load Balancer writes it.
fn error_page(status: StatusCode) -> Response {
    let title = match status {
        StatusCode::SERVICE_UNAVAILABLE => "503 Service Temporarily Unavailable",
        _ => "502 Bad Gateway",
    };
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let headers = [
        (header::SERVER, "awselb/2.0"),
        (header::CONTENT_TYPE, "text/html"),
    ];
    (status, headers, body).into_response()
}
