//! Public addresses of tasks: `DescribeNetworkInterfaces`, the only EC2 call of Dormouse.
//!
//! The EC2 SDK crate is larger than all the others together; this one call goes over the same signing, retry
//! and HTTP code without it.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use dormouse_core::error::{Code, Error};

use crate::operation::{self, Call, NotHttp, Request};

/// Version of the EC2 query API.
const VERSION: &str = "2016-11-15";
/// Interfaces asked for in one call; EC2 takes up to 1,000 ids, a form this long stays small.
const PER_CALL: usize = 100;

/// The part of EC2 that Dormouse needs.
pub(crate) struct Ec2 {
    call: Option<Call>,
}

impl Ec2 {
    pub(crate) fn new(sdk: &SdkConfig, http: SharedHttpClient, endpoint: Option<&str>) -> Self {
        let call = sdk
            .region()
            .zip(sdk.credentials_provider())
            .map(|(region, credentials)| {
                let region = region.to_string();
                let endpoint = endpoint
                    .or(sdk.endpoint_url())
                    .map_or_else(|| public_endpoint(&region), str::to_owned);
                let limits = TimeoutConfig::builder()
                    .operation_attempt_timeout(crate::ATTEMPT)
                    .operation_timeout(crate::CALL);
                operation::builder("EC2", http, &endpoint, crate::CALL)
                    .timeout_config(limits.build())
                    .standard_retry(sdk.retry_config().unwrap_or(&RetryConfig::standard()))
                    // An SDK crate brings its own; without them nothing is ever tried again. EC2 throttles with a 503.
                    .retry_classifier(HttpStatusCodeClassifier::default())
                    .retry_classifier(TransientErrorClassifier::<NotHttp>::new())
                    .runtime_plugin(signed(region, credentials))
                    .build()
            });
        Self { call }
    }

    /// The public address of each interface that has one.
    pub(crate) async fn public_addresses(
        &self,
        interfaces: &[String],
    ) -> Result<HashMap<String, IpAddr>, Error> {
        let Some(call) = &self.call else {
            return Err(Error::new(
                Code::InvalidConfig,
                "EC2: the environment has no Region or no credentials",
            ));
        };
        let mut addresses = HashMap::new();
        for ids in interfaces.chunks(PER_CALL) {
            let request = Request {
                path: "/".to_owned(),
                form: Some(form(ids)),
            };
            let answer = call.invoke(request).await.map_err(|error| {
                Error::new(Code::Unavailable, format!("DescribeNetworkInterfaces: {error}"))
            })?;
            if answer.status != 200 {
                let error = refusal(&answer.body, answer.status);
                // An interface that went with its task takes the whole call down; the next look names it no more.
                if error.message.contains("InvalidNetworkInterfaceID.NotFound") {
                    continue;
                }
                return Err(error);
            }
            addresses.extend(parse(&answer.body).map_err(|error| {
                Error::new(
                    Code::Unavailable,
                    format!("DescribeNetworkInterfaces: the answer is no XML: {error}"),
                )
            })?);
        }
        Ok(addresses)
    }
}

fn signed(region: String, credentials: SharedCredentialsProvider) -> StaticRuntimePlugin {
    let mut layer = Layer::new("EC2 signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(aws_types::region::Region::new(region))),
        name: Some(SigningName::from_static("ec2")),
        ..SigV4OperationSigningConfig::default()
    });
    let components = RuntimeComponentsBuilder::new("EC2 signing")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_identity_cache(Some(IdentityCache::lazy().build()))
        .with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

fn public_endpoint(region: &str) -> String {
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://ec2.{region}.{suffix}")
}

fn form(interfaces: &[String]) -> String {
    let mut form = format!("Action=DescribeNetworkInterfaces&Version={VERSION}");
    for (index, id) in interfaces.iter().enumerate() {
        form.push_str(&format!("&NetworkInterfaceId.{}={id}", index + 1));
    }
    form
}

fn parse(xml: &str) -> Result<HashMap<String, IpAddr>, XmlDecodeError> {
    let mut addresses = HashMap::new();
    let mut document = Document::new(xml);
    let mut root = document.root_element()?;
    while let Some(mut set) = root.next_tag() {
        if !set.start_el().matches("networkInterfaceSet") {
            continue;
        }
        while let Some(mut item) = set.next_tag() {
            if let (Some(id), Some(address)) = interface(&mut item)? {
                addresses.insert(id, address);
            }
        }
    }
    Ok(addresses)
}

fn interface(item: &mut ScopedDecoder<'_, '_>) -> Result<(Option<String>, Option<IpAddr>), XmlDecodeError> {
    let (mut id, mut address) = (None, None);
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
            "networkInterfaceId" => id = Some(try_data(&mut tag)?.into_owned()),
            "association" => {
                while let Some(mut field) = tag.next_tag() {
                    if field.start_el().matches("publicIp") {
                        address = try_data(&mut field)?.parse().ok();
                    }
                }
            }
            _ => {}
        }
    }
    Ok((id, address))
}

fn refusal(xml: &str, status: u16) -> Error {
    let text = |tag: &str| {
        let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>"))
            .map(|(text, _)| text.to_owned())
    };
    crate::errors::from_aws(
        "DescribeNetworkInterfaces",
        status,
        text("Code").as_deref(),
        text("Message").as_deref().unwrap_or("no message"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use axum::Router;
    use axum::http::StatusCode;

    use super::*;

    /// What becomes of a look at an interface, and how often EC2 is asked, if it first fails so often.
    async fn looked(failures: usize, status: StatusCode) -> (Result<HashMap<String, IpAddr>, Error>, usize) {
        let asked = Arc::<AtomicUsize>::default();
        let counter = asked.clone();
        let answer = async move || match counter.fetch_add(1, Ordering::SeqCst) < failures {
            true => (status, "<Response/>"),
            false => (
                StatusCode::OK,
                "<R><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><association>\
                 <publicIp>198.51.100.7</publicIp></association></item></networkInterfaceSet></R>",
            ),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
        let backoff = Duration::from_millis(1);
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "the test"))
            .retry_config(RetryConfig::standard().with_initial_backoff(backoff))
            .load()
            .await;
        let ec2 = Ec2::new(&sdk, crate::http_client(), Some(&endpoint));
        let seen = ec2.public_addresses(&["eni-1".to_owned()]).await;
        server.abort();
        (seen, asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_ec2_throttles_or_fails_to_do_is_tried_again_as_by_any_sdk() {
        let (seen, asked) = looked(2, StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!((seen.map(|addresses| addresses.len()), asked), (Ok(1), 3));
        let (seen, asked) = looked(9, StatusCode::INTERNAL_SERVER_ERROR).await;
        assert_eq!(
            (seen.map_err(|error| error.code), asked),
            (Err(Code::Unavailable), 3)
        );
    }

    #[tokio::test]
    async fn what_ec2_refuses_is_not_tried_again() {
        let (seen, asked) = looked(1, StatusCode::FORBIDDEN).await;
        assert_eq!(
            (seen.map_err(|error| error.code), asked),
            (Err(Code::Rejected), 1)
        );
    }

    #[test]
    fn the_public_address_is_found_among_nested_items() {
        // The sample answer of the EC2 API reference, DescribeNetworkInterfaces, shortened.
        let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
          <DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <requestId>fc45294c-006b-457b-bab9-012f5b3b0e40</requestId>
            <networkInterfaceSet>
              <item>
                <networkInterfaceId>eni-1</networkInterfaceId>
                <groupSet><item><groupId>sg-1</groupId></item></groupSet>
                <association><publicIp>198.51.100.7</publicIp><ipOwnerId>amazon</ipOwnerId></association>
                <privateIpAddressesSet><item><privateIpAddress>10.0.0.146</privateIpAddress>
                  <association><publicIp>203.0.113.9</publicIp></association></item></privateIpAddressesSet>
              </item>
              <item><networkInterfaceId>eni-2</networkInterfaceId></item>
            </networkInterfaceSet>
          </DescribeNetworkInterfacesResponse>"#;
        let expected = HashMap::from([("eni-1".to_owned(), IpAddr::from([198, 51, 100, 7]))]);
        assert_eq!(parse(xml).expect("XML"), expected);
    }

    #[test]
    fn a_refusal_keeps_the_words_of_ec2() {
        let xml = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized \
                   to perform this operation.</Message></Error></Errors></Response>";
        let error = refusal(xml, 403);
        assert_eq!(error.code, Code::AccessDenied);
        assert!(error.message.contains("You are not authorized"), "{error}");
    }
}
