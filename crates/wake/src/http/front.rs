//! An app's own address, which its load balancer leads here while the app sleeps: what it is asked is answered in place.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::Posted;
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Looks, World};
use dormouse_function::log;
use serde_json::{Value, json};

use super::balanced::Balanced;
use super::request::Request;
use super::visit::{self, Wish};
use super::{AT_ONCE, ITS_TURN, answered, prefer};
use crate::answer::Answer;
use crate::client::Client;
use crate::response::{self, code};
use crate::{page, route};

/// Says that it was not the app who answered: the page's own script goes into the app when this is missing.
const MARK: &str = "x-dormouse";
/// Says that what was sent did not reach the app.
const NOT_DELIVERED: &str = "x-dormouse-not-delivered";
/// Asks whether this function answers at an address, with a word that comes back.
const PROOF: &str = "x-dormouse-proof";
/// Longest such word.
const LONGEST_WORD: usize = 64;
/// A load balancer takes a moment to follow a change of its rules: seconds after which to come again then. Our choice.
const A_MOMENT: u64 = 1;

/// Answers a request that a load balancer sent here. Whatever goes wrong becomes an answer that says so.
pub(crate) async fn handle<W: World + Looks>(
    world: &W,
    config: &Config,
    event: &Value,
    request_id: &str,
) -> Value {
    let event = Balanced::of(event);
    let many = event.many;
    let posted = world.posted().await;
    let door = posted.as_ref().map(|posted| event.door(posted));
    let answer = match (&door, event.header(PROOF)) {
        (Ok(door), Some(word)) => proof(word, *door),
        (Ok(door), None) if event.is_health_check(*door) => healthy(),
        _ => {
            let door = door.map_err(Clone::clone);
            let request = Request::of_balancer(event, door.as_ref().ok().copied().flatten(), request_id);
            let answer = match door {
                Ok(Some(door)) => answer(world, config, &request, &door.group, request_id).await,
                Ok(None) => Ok(nobody(config, &request, request_id)),
                Err(error) => Err(error),
            };
            let answer = answered(config, &request, answer, request_id);
            if request.is_undelivered() && answer.status != code::TEMPORARY_REDIRECT {
                answer.with(NOT_DELIVERED, "true")
            } else {
                answer
            }
        }
    };
    answer.with(MARK, "wait").for_balancer(many)
}

/// Wakes, waits for as long as the request may be held, and answers with the page, the status or the way back to where it
/// came from. What was sent is never sent on: whoever sent it knows best whether it may be sent twice.
async fn answer<W: World + Looks>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    request_id: &str,
) -> Result<Answer, Error> {
    let asked = match request.client {
        Client::Program => prefer::wait(request.values("prefer")).unwrap_or_default(),
        Client::Browser | Client::Passive => Duration::ZERO,
    };
    let wait = asked.min(visit::LONGEST_WAIT);
    let wish = Wish {
        wait,
        // Who is led back at once comes again at once, as long as the load balancer still leads here.
        at_once: false,
        patience: if request.poll().is_some() {
            ITS_TURN
        } else {
            AT_ONCE
        },
    };
    let mut visit = visit::pay(world, config, request, group, wish, request_id).await?;
    let status = &mut visit.status;
    if status.ready && visit.held {
        let applied = format!("wait={}", wait.as_secs());
        let location = own_address(request.path(), &request.app_query());
        return Ok(response::redirect(&location).with("preference-applied", applied));
    }
    if status.ready {
        status.retry_after_seconds = A_MOMENT;
    }
    visit.shown(config, request, request.path())
}

/// A path and query of the host that was asked, as a header `Location` may name them. A path that begins with two slashes
/// would name another host (RFC 3986, section 4.2), so it begins with a dot segment, which means nothing.
fn own_address(path: &str, query: &str) -> String {
    let path = route::encoded(path);
    let path = match path.as_str() {
        other if other.starts_with("//") => format!("/.{other}"),
        rooted if rooted.starts_with('/') => path,
        other => format!("/{other}"),
    };
    if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    }
}

/// That this function answers at an address, for this group.
fn proof(word: &str, door: Option<&Posted>) -> Answer {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if word.is_empty() || word.len() > LONGEST_WORD || !word.bytes().all(is_word) {
        let message = format!("header `{PROOF}`: must be up to {LONGEST_WORD} letters, digits and hyphens");
        return response::error(&Error::new(Code::InvalidRequest, message));
    }
    let group = door.map(|door| &door.group);
    response::json(code::OK, &json!({"dormouse_proof": word, "group": group}))
}

/// That this function's own target group is healthy.
fn healthy() -> Answer {
    response::json(code::OK, &json!({"healthy": true}))
}

/// That no group is known to sleep at this address.
fn nobody(config: &Config, request: &Request, request_id: &str) -> Answer {
    let error = Error::new(
        Code::Unavailable,
        "no sleeping group is known at this address; it may just have been led back to its app: reload in a moment",
    );
    log::refused("http", &error, request_id);
    let answer = if request.is_shown_to_a_person() {
        page::error(&request.viewer(config), &error, "")
    } else {
        response::error(&error)
    };
    response::asking_again_after(A_MOMENT, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_never_leads_to_another_host() {
        for (path, query, location) in [
            ("/", "", "/"),
            ("/a%20b/ü", "q=a%20b&x=", "/a%20b/%C3%BC?q=a%20b&x="),
            ("//evil.example/x", "", "/.//evil.example/x"),
            ("///evil.example", "", "/.///evil.example"),
            ("/\\evil.example", "", "/%5Cevil.example"),
            ("https://evil.example", "", "/https://evil.example"),
            ("*", "", "/*"),
            ("/x\r\nset-cookie: y", "", "/x%0D%0Aset-cookie:%20y"),
        ] {
            assert_eq!(own_address(path, query), location, "{path}");
        }
    }
}
