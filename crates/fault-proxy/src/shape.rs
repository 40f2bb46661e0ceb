//! Errors as AWS's services answer with them.
//!
//! The shapes are those of the protocols in the Smithy specification ("AWS protocols", operation error serialization),
//! and of the error examples in "Query requests" of the EC2 and Elastic Load Balancing API references.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::fault::Fault;
use crate::protocol::Protocol;

/// The id of every request that did not reach its service.
const REQUEST_ID: &str = "00000000-0000-4000-8000-0000000fa017";

/// What a service says of itself: status, code, message.
struct Error {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

/// The answer of a service that is throttling, has failed or is not there. `None` if that is not what `fault` means.
pub(crate) fn answer(fault: Fault, protocol: &Protocol) -> Option<Response<Bytes>> {
    let error = match fault {
        Fault::Throttled => throttled(protocol),
        Fault::Failed => Error {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: failed(protocol),
            message: "We encountered an internal error. Please try again.",
        },
        Fault::Unavailable => Error {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: match protocol {
                Protocol::Ec2 => "Unavailable",
                Protocol::Query(_) => "ServiceUnavailable",
                _ => "ServiceUnavailableException",
            },
            message: "The service is unavailable. Please try again shortly.",
        },
        Fault::Page => return Some(page()),
        Fault::ResetBefore | Fault::ResetAfter | Fault::Slow | Fault::CutOff => return None,
    };
    Some(shaped(protocol, &error))
}

fn throttled(protocol: &Protocol) -> Error {
    let (status, code) = match protocol {
        Protocol::Json { service, .. } if service.starts_with("DynamoDB") => {
            (StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException")
        }
        Protocol::Json { service, .. } if service == "AmazonSQS" => {
            (StatusCode::BAD_REQUEST, "RequestThrottled")
        }
        Protocol::Json { service, .. } if service.starts_with("ResourceGroupsTagging") => {
            (StatusCode::BAD_REQUEST, "ThrottledException")
        }
        Protocol::Json { .. } | Protocol::Cbor => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        Protocol::Query(_) => (StatusCode::BAD_REQUEST, "Throttling"),
        Protocol::Ec2 => (StatusCode::SERVICE_UNAVAILABLE, "RequestLimitExceeded"),
        Protocol::Rest => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
    };
    Error {
        status,
        code,
        message: "Rate exceeded",
    }
}

fn failed(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Json { service, .. } if service.starts_with("AmazonEC2ContainerService") => {
            "ServerException"
        }
        Protocol::Json { service, .. } if service.starts_with("DynamoDB") => "InternalServerError",
        Protocol::Json { service, .. } if service.starts_with("ResourceGroupsTagging") => {
            "InternalServiceException"
        }
        Protocol::Json { .. } | Protocol::Query(_) => "InternalFailure",
        Protocol::Cbor => "InternalServiceFault",
        Protocol::Ec2 => "InternalError",
        Protocol::Rest => "ServiceException",
    }
}

fn shaped(protocol: &Protocol, error: &Error) -> Response<Bytes> {
    let kind = if error.status.is_server_error() {
        "Receiver"
    } else {
        "Sender"
    };
    let (code, message) = (error.code, error.message);
    let json = || {
        json!({"__type": code, "message": message})
            .to_string()
            .into_bytes()
    };
    let (content_type, body) = match protocol {
        Protocol::Json { content_type, .. } => (content_type.as_str(), json()),
        Protocol::Rest => ("application/json", json()),
        Protocol::Cbor => (
            "application/cbor",
            cbor(&[("__type", code), ("message", message)]),
        ),
        Protocol::Query(namespace) => (
            "text/xml",
            format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
            )
            .into_bytes(),
        ),
        Protocol::Ec2 => (
            "text/xml;charset=UTF-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                 <Message>{message}</Message></Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
            )
            .into_bytes(),
        ),
    };
    let mut response = plain(error.status, content_type, body);
    let headers = response.headers_mut();
    headers.insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
    match protocol {
        Protocol::Rest => {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
        }
        Protocol::Cbor => {
            let protocol = HeaderName::from_static("smithy-protocol");
            headers.insert(protocol, HeaderValue::from_static("rpc-v2-cbor"));
        }
        Protocol::Json { .. } | Protocol::Query(_) | Protocol::Ec2 => {}
    }
    response
}

/// What a load balancer in front of a service shows.
fn page() -> Response<Bytes> {
    let html = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n\
                <center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n";
    plain(StatusCode::SERVICE_UNAVAILABLE, "text/html", html.into())
}

/// A response with these words.
pub(crate) fn plain(status: StatusCode, content_type: &str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// A map of short texts in CBOR (RFC 8949, sections 3 and 3.1): major types 5 and 3.
fn cbor(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    head(5, fields.len(), &mut bytes);
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        head(3, text.len(), &mut bytes);
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn head(major: u8, length: usize, bytes: &mut Vec<u8>) {
    match u8::try_from(length).unwrap_or(u8::MAX) {
        short @ ..24 => bytes.push(major << 5 | short),
        long => bytes.extend([major << 5 | 24, long]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ec2_throttles_with_503_and_a_shape_of_its_own() {
        let answer = answer(Fault::Throttled, &Protocol::Ec2).expect("an answer");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = String::from_utf8_lossy(answer.body());
        assert!(
            text.contains("<Response><Errors><Error><Code>RequestLimitExceeded</Code>"),
            "{text}"
        );
        assert!(text.ends_with("</RequestID></Response>"), "{text}");
    }

    #[test]
    fn what_breaks_a_connection_is_no_answer() {
        for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::Slow, Fault::CutOff] {
            assert!(answer(fault, &Protocol::Cbor).is_none(), "{fault:?}");
        }
    }
}
