//! Requests: to the wake address, and to the addresses of apps that sleep.

mod admin;
mod app;
mod balanced;
mod front;
mod looks;
mod permit;
mod prefer;
mod request;
mod visit;

pub(crate) use balanced::target_group;
pub(crate) use front::handle as handle_in_place;

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Action;
use dormouse_core::ports::{Looks, World};
use dormouse_core::query::{Query, WhyQuery};
use dormouse_function::{log, query};
use serde_json::Value;

use crate::answer::Answer;
use crate::client::Client;
use crate::page;
use crate::response::{self, code};
use crate::route::Route;
use looks::LONGEST;
use request::Request;

/// Somebody who comes is answered at once, if need be that the group's turn has not come: the page asks again.
const AT_ONCE: Duration = Duration::from_secs(1);
/// And whoever asks again waits for it.
const ITS_TURN: Duration = Duration::from_secs(20);

/// Answers a request to the wake address. Whatever goes wrong becomes an answer that says so.
pub(crate) async fn handle<W: World + Looks>(
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
    let request = Request::of_api(event, request_id);
    let answer = answer(world, config, &request, request_id).await;
    Ok(answered(config, &request, answer, request_id).for_api())
}

/// The answer, or the one that says what went wrong.
fn answered(config: &Config, request: &Request, answer: Result<Answer, Error>, request_id: &str) -> Answer {
    let answer = answer.unwrap_or_else(|error| {
        let group = request.route.group().map(GroupName::as_str);
        if !matches!(
            error.code,
            Code::UnknownGroup
                | Code::InvalidRequest
                | Code::Forbidden
                | Code::Unauthorized
                | Code::KeptAsleep
                | Code::Observing
        ) {
            log::error(&error, group, request_id);
        }
        let sends_form =
            request.client == Client::Program && request.method == "POST" && request.wants_page();
        if request.is_shown_to_a_person() || sends_form {
            page::error(&request.viewer(config), &error, &request.retry_address())
        } else {
            response::error(&error)
        }
    });
    response::finished(answer)
}

async fn answer<W: World + Looks>(
    world: &W,
    config: &Config,
    request: &Request,
    request_id: &str,
) -> Result<Answer, Error> {
    let get = matches!(request.method.as_str(), "GET" | "HEAD");
    match (&request.route, request.method.as_str()) {
        (Route::App { group, path }, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") => {
            app::answer(world, config, request, group, path, request_id).await
        }
        (Route::Status(group), _) if get => {
            let intent = request.intent(Action::Look, ITS_TURN);
            let told = looks::ask(world, config, group, &intent, LONGEST, request_id).await?;
            Ok(response::status(code::OK, &told.status))
        }
        (Route::Page(group), _) if get => {
            let intent = request.intent(Action::Look, ITS_TURN);
            let told = looks::ask(world, config, group, &intent, LONGEST, request_id).await?;
            Ok(page::changing_part(&request.viewer(config), &told.status))
        }
        (Route::Wake(group), "POST") => {
            permit::to_wake(&config.guard, request, group, world.now())?;
            let intent = request.intent(Action::wake(), AT_ONCE);
            let told = looks::ask(world, config, group, &intent, LONGEST, request_id).await?;
            if request.wants_page() {
                // Whatever came of it, the group's own page says it.
                let address = request.retry_address();
                return Ok(if told.status.ready {
                    page::onwards(&request.viewer(config), group, &address)
                } else {
                    response::see_other(&address)
                });
            }
            let code = told
                .refusal
                .map_or(code::ACCEPTED, |refusal| response::http_status(refusal.code));
            Ok(response::status(code, &told.status))
        }
        (Route::Admin(group, action), "POST") => {
            admin::answer(world, config, request, group, *action, request_id).await
        }
        (Route::Why(group), _) if get => {
            let (limit, before) = (request.parameter("limit"), request.parameter("before"));
            let query = Query::Why(WhyQuery::parse(group.clone(), limit, before)?);
            Ok(response::json(
                code::OK,
                &query::answer(world, config, &query).await?,
            ))
        }
        (Route::Home, _) if get && config.groups_page => {
            let groups = query::groups(world).await?;
            Ok(page::groups(&request.viewer(config), &groups))
        }
        (Route::Groups, _) if get && config.groups_page => {
            let groups = query::answer(world, config, &Query::List).await?;
            Ok(response::json(code::OK, &groups))
        }
        (Route::OpenApi, _) if get => Ok(response::openapi()),
        (Route::Home | Route::Groups, _) if !config.groups_page => Err(nowhere()),
        // No address of the API is one of an app's own.
        (Route::Nowhere | Route::Front { .. }, _) => Err(nowhere()),
        (route, method) => Ok(response::method_not_allowed(method, route.methods())),
    }
}

fn nowhere() -> Error {
    Error::new(
        Code::UnknownGroup,
        "this address names no group: open /<group>, the value of a service's tag dormouse:group",
    )
}
