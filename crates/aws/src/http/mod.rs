//! The way to AWS: HTTPS by rustls, one client for all that is called.

use std::collections::HashMap;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The authorities that certify AWS's own endpoints: Amazon Root CA 1 to 4 and Starfield Services Root CA - G2 (Amazon Trust
/// Services, "Repository", <https://www.amazontrust.com/repository/>; AWS Security Blog, "How to prepare for AWS's move to
/// its own certificate authority").
const AMAZON: &str = include_str!("amazon-roots.pem");

/// The beginnings of variables that lead to other endpoints, or name other authorities, if they have a value that begins so.
const ELSEWHERE: [(&str, &str); 3] = [
    ("AWS_ENDPOINT_URL", "https:"),
    ("SSL_CERT_FILE", ""),
    ("SSL_CERT_DIR", ""),
];

/// A client that trusts whom the machine trusts.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    with(TlsContext::default())
}

/// The client of a function, from its environment. To read and understand all authorities that a machine trusts takes longer
/// than all else that a function does before its first event, so a function trusts AWS's own where no others are needed.
pub(crate) fn of_function(env: &HashMap<String, String>) -> SharedHttpClient {
    if !meets_only_amazon(env) {
        return http_client();
    }
    let amazon = TrustStore::empty().with_pem_certificate(AMAZON);
    match TlsContext::builder().with_trust_store(amazon).build() {
        Ok(context) => with(context),
        Err(_) => http_client(),
    }
}

/// Whether all endpoints are those of the partition `aws` itself.
fn meets_only_amazon(env: &HashMap<String, String>) -> bool {
    let region = env.get("AWS_REGION").map_or("", String::as_str);
    let is_elsewhere = |(name, value): (&String, &String)| {
        let mut all = ELSEWHERE.iter();
        all.any(|(begin, content)| name.starts_with(begin) && value.starts_with(content))
    };
    let has_own_partition = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"]
        .iter()
        .any(|begin| region.starts_with(begin));
    !region.is_empty() && !has_own_partition && !env.iter().any(is_elsewhere)
}

fn with(context: TlsContext) -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(context)
        .build_https()
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// As the repository of Amazon Trust Services lists them.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn amazons_authorities_are_those_that_it_publishes() {
        let authorities = CertificateDer::pem_slice_iter(AMAZON.as_bytes());
        let fingerprints = authorities.map(|authority| {
            let digest =
                aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &authority.expect("a certificate"));
            let bytes = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
            bytes.collect::<String>()
        });
        assert_eq!(fingerprints.collect::<Vec<_>>(), FINGERPRINTS);
    }

    #[test]
    fn only_endpoints_of_aws_itself_are_trusted_by_its_authorities_alone() {
        let env = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect::<HashMap<_, _>>()
        };
        let region = |region| ("AWS_REGION", region);
        let plain = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        assert!(meets_only_amazon(&env(&[
            region("eu-west-1"),
            ("TABLE_NAME", "t"),
            plain
        ])));
        for other in [
            vec![],
            vec![region("cn-north-1")],
            vec![region("us-gov-west-1")],
            vec![region("us-iso-east-1")],
            vec![region("us-isob-east-1")],
            vec![region("eusc-de-east-1")],
            vec![region("eu-west-1"), ("AWS_ENDPOINT_URL", "https://stack.example")],
            vec![
                region("eu-west-1"),
                ("AWS_ENDPOINT_URL_ECS", "https://vpce.example"),
            ],
            vec![region("eu-west-1"), ("SSL_CERT_FILE", "/tmp/all.pem")],
        ] {
            assert!(!meets_only_amazon(&env(&other)), "{other:?}");
        }
    }
}
