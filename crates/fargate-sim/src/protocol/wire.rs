//! Requests and responses as bytes, and the shapes of errors.

use serde_json::{Value, json};

use super::cbor;
use super::xml::{self, Node};
use crate::model::ApiError;

/// A request, as far as the protocols look at it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Path of the URL.
    pub path: String,
    /// Header `X-Amz-Target`.
    pub target: Option<String>,
    /// Header `Content-Type`.
    pub content_type: Option<String>,
    /// Header `Authorization`.
    pub authorization: Option<String>,
    /// Header `User-Agent`.
    pub user_agent: Option<String>,
    /// ARN of the principal whose key signed, once it is known.
    pub caller: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// The access key id in the signature (`Credential=AKID/date/…`), which is not verified.
    pub fn access_key_id(&self) -> Option<&str> {
        let (_, rest) = self.authorization.as_deref()?.split_once("Credential=")?;
        rest.split(['/', ',']).next()
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How a request spoke, so that the answer speaks alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// AWS JSON 1.1.
    Json,
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// AWS Query with this XML namespace.
    Query(&'static str),
    /// EC2's Query with this XML namespace.
    Ec2(&'static str),
}

/// What an operation answers.
pub(crate) enum Output {
    /// For JSON and CBOR.
    Value(Value),
    /// For the Query protocols: the content of the result element.
    Xml(Vec<Node>),
}

impl Wire {
    pub(crate) fn success(self, operation: &str, output: Output, request_id: String) -> Response {
        match (self, output) {
            (Wire::Json, Output::Value(value)) => json_response(200, &value, request_id, None),
            (Wire::Cbor, Output::Value(value)) => cbor_response(200, &value, request_id),
            (Wire::Ec2(namespace), Output::Xml(mut content)) => {
                content.insert(0, xml::text("requestId", &request_id));
                xml_response(
                    200,
                    &xml::root(&format!("{operation}Response"), namespace, content),
                    request_id,
                )
            }
            (Wire::Query(namespace), Output::Xml(content)) => {
                let content = vec![
                    xml::element(&format!("{operation}Result"), content),
                    xml::element("ResponseMetadata", vec![xml::text("RequestId", &request_id)]),
                ];
                xml_response(
                    200,
                    &xml::root(&format!("{operation}Response"), namespace, content),
                    request_id,
                )
            }
            _ => self.error(&ApiError::new("InternalFailure", "mixed protocols"), request_id),
        }
    }

    pub(crate) fn error(self, error: &ApiError, request_id: String) -> Response {
        let value = json!({"__type": error.code, "message": error.message});
        let kind = if error.status < 500 { "Sender" } else { "Receiver" };
        let detail = |with_kind: bool| {
            let mut nodes = vec![
                xml::text("Code", &error.code),
                xml::text("Message", &error.message),
            ];
            if with_kind {
                nodes.insert(0, xml::text("Type", kind));
            }
            xml::element("Error", nodes)
        };
        match self {
            Wire::Json => json_response(error.status, &value, request_id, Some(&error.code)),
            Wire::Cbor => cbor_response(error.status, &value, request_id),
            Wire::Query(namespace) => {
                let content = vec![detail(true), xml::text("RequestId", &request_id)];
                xml_response(
                    error.status,
                    &xml::root("ErrorResponse", namespace, content),
                    request_id,
                )
            }
            Wire::Ec2(_) => {
                let content = vec![
                    xml::element("Errors", vec![detail(false)]),
                    xml::text("RequestID", &request_id),
                ];
                xml_response(
                    error.status,
                    &xml::document(xml::element("Response", content)),
                    request_id,
                )
            }
        }
    }
}

fn json_response(status: u16, value: &Value, request_id: String, error: Option<&str>) -> Response {
    let mut headers = vec![
        ("content-type", "application/x-amz-json-1.1".to_string()),
        ("x-amzn-requestid", request_id),
    ];
    headers.extend(error.map(|code| ("x-amzn-errortype", code.to_string())));
    Response {
        status,
        headers,
        body: value.to_string().into_bytes(),
    }
}

fn cbor_response(status: u16, value: &Value, request_id: String) -> Response {
    let headers = vec![
        ("content-type", "application/cbor".to_string()),
        ("smithy-protocol", "rpc-v2-cbor".to_string()),
        ("x-amzn-requestid", request_id),
    ];
    Response {
        status,
        headers,
        body: cbor::encode(value),
    }
}

fn xml_response(status: u16, document: &str, request_id: String) -> Response {
    let headers = vec![
        ("content-type", "text/xml".to_string()),
        ("x-amzn-requestid", request_id),
    ];
    Response {
        status,
        headers,
        body: document.as_bytes().to_vec(),
    }
}
