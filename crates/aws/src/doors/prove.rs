//! Asking through the load balancer whether the wake function answers at a door.

use std::time::Duration;

use dormouse_core::error::{Code, Error};
use dormouse_core::front::{DoorId, Place, Sample};
use dormouse_core::ids::GroupName;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::tls;

/// The header that asks for a proof. The wake function answers it at once, and wakes nobody.
const PROOF: &str = "x-dormouse-proof";
/// A proof may take this long: a function that has to start answers within a second.
const LIMIT: Duration = Duration::from_secs(3);
/// What is more is no proof.
const LONGEST: usize = 64 * 1024;

/// What the wake function says.
#[derive(Deserialize)]
struct Proof {
    dormouse_proof: String,
    /// None: it does not know whose door this is.
    group: Option<String>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Bytes,
}

/// A word that nobody else has.
pub(super) fn word() -> String {
    std::iter::repeat_with(fastrand::lowercase).take(20).collect()
}

pub(super) async fn prove(group: &GroupName, door: &DoorId, place: &Place) -> Result<(), Error> {
    let word = word();
    let unproven = |why: &str| Error::new(Code::FrontUnproven, format!("{door}: {why}"));
    let sample = place.sample(&word).map_err(|why| {
        unproven(&format!(
            "it cannot be tried whether it leads to the wake function: {why}"
        ))
    })?;
    let scheme = if place.tls { "https" } else { "http" };
    let address = format!("{scheme}://{}:{}", place.host, place.port);
    let asked = format!(
        "{} {}{} of host {}",
        sample.method, address, sample.target, sample.host
    );
    match tokio::time::timeout(LIMIT, ask(place, &sample, &word)).await {
        Err(_) => Err(unreached(
            &unproven,
            &asked,
            &format!("no answer within {LIMIT:?}"),
        )),
        Ok(Err(why)) => Err(unreached(&unproven, &asked, &why)),
        Ok(Ok(answer)) => {
            judge(group, place, &word, &answer).map_err(|what| unproven(&format!("{asked}: {what}")))
        }
    }
}

fn unreached(unproven: &impl Fn(&str) -> Error, asked: &str, why: &str) -> Error {
    unproven(&format!(
        "{asked}: {why}; an internal load balancer, or one whose security groups let only some in, answers functions only if \
         they are in its VPC (the stack's parameters SubnetIds and SecurityGroupIds) and are let in"
    ))
}

/// Whether this answer shows that the wake function is there.
fn judge(group: &GroupName, place: &Place, word: &str, answer: &Answer) -> Result<(), String> {
    let Answer {
        status,
        location,
        body,
    } = answer;
    // Who is asked to sign in first never gets further without a person. That the load balancer asks shows that the rule is
    // reached and works as it did; that its forward leads to the wake function was read from the rule itself.
    // Each authorization request names its client (RFC 6749, section 4.1.1); a rule that only redirects does not.
    let leads_to_sign_in =
        *status == StatusCode::FOUND && location.as_ref().is_some_and(|to| to.contains("client_id="));
    let asks_to_sign_in = *status == StatusCode::UNAUTHORIZED || leads_to_sign_in;
    if place.authenticates && asks_to_sign_in {
        return Ok(());
    }
    if *status != StatusCode::OK {
        let server = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        return Err(format!("answered {status}, not by the wake function: {server:?}"));
    }
    let Ok(proof) = serde_json::from_slice::<Proof>(body) else {
        return Err("somebody else than the wake function answered".to_owned());
    };
    if proof.dormouse_proof != word {
        return Err("the answer is one to another request: something in between keeps answers".to_owned());
    }
    match proof.group {
        Some(name) if name == group.as_str() => Ok(()),
        Some(name) => Err(format!(
            "the wake function took it for a request to group `{name}`"
        )),
        None => Err("the wake function answered, and does not know of this rule".to_owned()),
    }
}

async fn ask(place: &Place, sample: &Sample, word: &str) -> Result<Answer, String> {
    let stream = TcpStream::connect((place.host.as_str(), place.port))
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    if place.tls {
        return send(tls::connect(&sample.host, stream).await?, sample, word).await;
    }
    send(stream, sample, word).await
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    sample: &Sample,
    word: &str,
) -> Result<Answer, String> {
    let no_http = |error: hyper::Error| format!("no HTTP response: {error}");
    let mut request = Request::builder()
        .method(sample.method.as_str())
        .uri(sample.target.as_str())
        .header(HOST, &sample.host)
        .header(USER_AGENT, "dormouse-proof")
        .header(CONNECTION, "close")
        .header(PROOF, word);
    for (name, value) in &sample.headers {
        // A rule may ask for one that is there already.
        if let Some(headers) = request.headers_mut()
            && let Ok(name) = name.parse::<hyper::header::HeaderName>()
        {
            headers.remove(&name);
        }
        request = request.header(name, value);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("no request can be made that the rule takes: {error}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_http)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(no_http)?;
    let status = response.status();
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    connection.abort();
    let body = body.map_err(|error| format!("no whole response: {error}"))?;
    Ok(Answer {
        status,
        location,
        body: body.to_bytes(),
    })
}
