//! Requests to the wake address.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::World;
use dormouse_core::query::{Query, WhyQuery};
use dormouse_core::status::{self, Status};
use dormouse_function::{direct, log, query, turn};
use serde_json::{Value, json};

use crate::client::{self, Client};
use crate::page;
use crate::response::{self, code};
use crate::route::{self, Route};

/// Longest `?wait=`: what is left of the 30 s that an HTTP API waits for its integration (Amazon API Gateway
/// quotas, "Maximum integration timeout") is for the looks before and after.
const LONGEST_WAIT: u64 = 25;
/// Somebody who comes is answered at once, if need be that the group's turn has not come: the page asks again.
const AT_ONCE: Duration = Duration::from_secs(1);
/// And whoever asks again waits for it.
const ITS_TURN: Duration = Duration::from_secs(20);
/// Time between two looks while a request is held.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A request, reduced to what matters here.
struct Request {
    method: String,
    route: Route,
    query: String,
    wait: Option<String>,
    limit: Option<String>,
    before: Option<String>,
    /// The address that it came from.
    from: Option<String>,
    client: Client,
    /// Unguessable, and different for each page: marks the page's own script and style.
    nonce: String,
}

/// Answers a request. Whatever goes wrong becomes an answer that says so.
pub(crate) async fn handle<W: World>(
    world: &W,
    config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    let event: ApiGatewayV2httpRequest = serde_json::from_value(event).map_err(|error| {
        Error::new(
            Code::InvalidRequest,
            format!("the HTTP API request cannot be understood: {error}"),
        )
    })?;
    let request = understand(&event, request_id);
    let answer = answer(world, config, &request, request_id).await;
    Ok(answer.unwrap_or_else(|error| {
        let group = group_of(&request.route);
        if !matches!(
            error.code,
            Code::UnknownGroup | Code::InvalidRequest | Code::Forbidden | Code::KeptAsleep | Code::Observing
        ) {
            log::error(&error, group, request_id);
        }
        match request.client {
            Client::Browser => page::error(&error, &request.nonce),
            Client::Program | Client::Passive => response::error(&error),
        }
    }))
}

fn understand(event: &ApiGatewayV2httpRequest, request_id: &str) -> Request {
    let method = event.request_context.http.method.to_string();
    let header = |name: &str| event.headers.get(name).and_then(|value| value.to_str().ok());
    let parameter = |name: &str| event.query_string_parameters.first(name).map(str::to_owned);
    Request {
        client: client::of(&method, header),
        method,
        route: route::of(event.raw_path.as_deref().unwrap_or("/")),
        query: event.raw_query_string.clone().unwrap_or_default(),
        wait: parameter("wait"),
        limit: parameter("limit"),
        before: parameter("before"),
        from: event.request_context.http.source_ip.clone(),
        nonce: request_id.chars().filter(char::is_ascii_alphanumeric).collect(),
    }
}

impl Request {
    fn intent(&self, action: Action, patience: Duration) -> Intent {
        Intent::of(action, Cause::Http)
            .by(self.from.clone())
            .patient_for(patience)
    }
}

fn group_of(route: &Route) -> Option<&str> {
    match route {
        Route::App { group, .. }
        | Route::Status(group)
        | Route::Why(group)
        | Route::Wake(group)
        | Route::Admin(group) => Some(group.as_str()),
        Route::Groups | Route::Nowhere => None,
    }
}

async fn answer<W: World>(
    world: &W,
    config: &Config,
    request: &Request,
    request_id: &str,
) -> Result<Value, Error> {
    let get = matches!(request.method.as_str(), "GET" | "HEAD");
    match (&request.route, request.method.as_str()) {
        (Route::App { group, path }, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") => {
            app(world, config, request, group, path, request_id).await
        }
        (Route::Status(group), _) if get => {
            let intent = request.intent(Action::Look, ITS_TURN);
            let turn = direct::turn(world, config, group, &intent, request_id).await?;
            Ok(response::status(code::OK, &status::of(&turn)))
        }
        (Route::Wake(group), "POST") => {
            let intent = request.intent(Action::wake(), AT_ONCE);
            let turn = direct::turn(world, config, group, &intent, request_id).await?;
            let refused = turn.refusal().is_some();
            let code = if refused {
                code::UNAVAILABLE
            } else {
                code::ACCEPTED
            };
            Ok(response::status(code, &status::of(&turn)))
        }
        (Route::Admin(_), "POST") => Err(Error::new(
            Code::Forbidden,
            "sleep and keep-awake over HTTP need an admin credential, and this stack was given none; call the \
             function directly instead",
        )),
        (Route::Why(group), _) if get => {
            let (limit, before) = (request.limit.as_deref(), request.before.as_deref());
            let query = Query::Why(WhyQuery::parse(group.clone(), limit, before)?);
            Ok(response::json(
                code::OK,
                &query::answer(world, config, &query).await?,
            ))
        }
        (Route::Groups, _) if get => {
            let groups = query::answer(world, config, &Query::List).await?;
            Ok(response::json(code::OK, &groups))
        }
        (Route::Nowhere, _) => Err(Error::new(
            Code::UnknownGroup,
            "this address names no group: open /<group>, the value of a service's tag dormouse:group",
        )),
        (_, method) => {
            let message = format!("method `{method}` is not answered here");
            Ok(response::json(
                code::METHOD_NOT_ALLOWED,
                &json!({"errors": [{"code": "MethodNotAllowed", "service": null, "message": message}]}),
            ))
        }
    }
}

/// The app's own addresses: wake, wait, redirect.
async fn app<W: World>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    path: &str,
    request_id: &str,
) -> Result<Value, Error> {
    let wait = wait(request.wait.as_deref())?;
    let action = match request.client {
        Client::Passive => Action::Look,
        Client::Browser | Client::Program => Action::wake(),
    };
    let began = world.now();
    let intent = request.intent(action, AT_ONCE);
    let mut turn = direct::turn(world, config, group, &intent, request_id).await?;
    if let Some(refusal) = turn.refusal().filter(|_| request.client == Client::Browser) {
        return Err(refusal);
    }
    let mut status = status::of(&turn);
    while request.client != Client::Passive
        && turn.refusal().is_none()
        && !status.ready
        && between(began, world.now()) < wait
    {
        world.pause(LOOK_EVERY).await;
        let left = wait.saturating_sub(between(began, world.now()));
        let intent = request.intent(Action::Look, left.clamp(AT_ONCE, ITS_TURN));
        // From where the last look ended.
        turn = turn::take(world, &turn.settings, Some(turn.record), &intent, request_id).await?;
        status = status::of(&turn);
    }
    if let Some(location) = status::redirect(&status, &route::encoded(path), &request.query) {
        return Ok(response::redirect(&location));
    }
    Ok(match request.client {
        Client::Browser => page::waiting(&status, path, &request.nonce),
        Client::Program | Client::Passive => response::status(not_ready(&status), &status),
    })
}

/// A failure that waiting will not mend is told from one that it may. Bad tags leave the last good settings in
/// force, so they only stop a group that never had any.
fn not_ready(status: &Status) -> u16 {
    let stuck = |http: u16| http == code::BAD_GATEWAY;
    let blocking = status
        .errors
        .iter()
        .filter(|error| error.code != Code::InvalidTag);
    let hopeless = blocking.map(|error| response::http_status(error.code)).any(stuck);
    if hopeless || status.services.is_empty() {
        code::BAD_GATEWAY
    } else {
        code::UNAVAILABLE
    }
}

fn wait(text: Option<&str>) -> Result<Duration, Error> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    match text.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.min(LONGEST_WAIT))),
        Err(_) => {
            let message = format!("parameter `wait`, value `{text}`: must be a whole number of seconds");
            Err(Error::new(Code::InvalidRequest, message))
        }
    }
}
