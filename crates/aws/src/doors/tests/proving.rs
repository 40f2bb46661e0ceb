use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{Condition, DoorId, Place};
use dormouse_core::ids::GroupName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs as provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::super::prove::prove;

/// A load balancer that has this answer for whoever asks, with `WORD` replaced by the word it is asked for; gives back
/// where it is and what it was asked.
async fn balancer(answer: &'static str, tls: bool) -> (Place, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if tls {
            talk(acceptor().accept(stream).await.unwrap(), answer).await
        } else {
            talk(stream, answer).await
        }
    });
    let place = Place {
        host: "127.0.0.1".to_owned(),
        tls,
        port,
        priority: Some(1),
        conditions: vec![
            Condition::Host(vec!["dev.example.com".to_owned()]),
            Condition::Path(vec!["/api/*".to_owned()]),
        ],
        authenticates: false,
    };
    (place, asked)
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap());
    }
    let asked = String::from_utf8(asked).unwrap();
    let word = asked
        .lines()
        .find_map(|line| line.strip_prefix("x-dormouse-proof: "));
    let answer = answer.replace("WORD", word.unwrap_or_default());
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    asked
}

/// TLS with a certificate that nobody would believe.
fn acceptor() -> TlsAcceptor {
    #[derive(Debug)]
    struct Any(Arc<CertifiedKey>);
    impl ResolvesServerCert for Any {
        fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            assert_eq!(hello.server_name(), Some("dev.example.com"));
            Some(Arc::clone(&self.0))
        }
    }
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_ref().to_vec()));
    let provider = provider::default_provider();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let key = CertifiedKey::new(vec![CertificateDer::from(vec![1, 2, 3])], key);
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Any(Arc::new(key))));
    TlsAcceptor::from(Arc::new(config))
}

async fn proved(place: &Place) -> Result<(), Error> {
    let group = GroupName::parse("dev").expect("a name");
    prove(&group, &DoorId("the-door".to_owned()), place).await
}

const GOOD: &str = "HTTP/1.1 200 OK\r\n\r\n{\"dormouse_proof\": \"WORD\", \"group\": \"dev\"}";

#[tokio::test]
async fn a_request_that_the_rule_takes_is_answered_with_the_word() {
    for tls in [false, true] {
        let (place, asked) = balancer(GOOD, tls).await;
        assert_eq!(proved(&place).await, Ok(()), "tls: {tls}");
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("GET /api/"), "{asked}");
        assert!(asked.contains("host: dev.example.com\r\n"), "{asked}");
    }
}

#[tokio::test]
async fn all_else_proves_nothing_and_says_what_it_was() {
    for (answer, why) in [
        ("HTTP/1.1 200 OK\r\n\r\nhello", "somebody else"),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"dormouse_proof\":\"another\",\"group\":\"dev\"}",
            "another request",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"dormouse_proof\":\"WORD\",\"group\":\"other\"}",
            "group `other`",
        ),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\nnobody", "503"),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://x/?client_id=1\r\n\r\n",
            "302",
        ),
        ("nonsense", "no HTTP response"),
    ] {
        let (place, _asked) = balancer(answer, false).await;
        let error = proved(&place).await.expect_err(answer);
        assert_eq!(error.code, Code::FrontUnproven);
        assert!(error.message.starts_with("the-door: "), "{error}");
        assert!(error.message.contains(why), "{error}");
        assert!(
            error.message.contains(&format!("127.0.0.1:{}", place.port)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_load_balancer_that_asks_to_sign_in_first_is_believed() {
    for (answer, good) in [
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", true),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://id.example/?client_id=1\r\n\r\n",
            true,
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://dev.example.com/\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
    ] {
        let (mut place, _asked) = balancer(answer, false).await;
        place.authenticates = true;
        assert_eq!(proved(&place).await.is_ok(), good, "{answer}");
    }
}

#[tokio::test]
async fn a_load_balancer_that_cannot_be_reached_hints_at_the_network() {
    let (mut place, _) = balancer(GOOD, false).await;
    place.port = 1;
    let error = proved(&place).await.expect_err("nobody is there");
    assert!(error.message.contains("SubnetIds"), "{error}");
    place.conditions = vec![Condition::Source(vec!["10.0.0.0/8".to_owned()])];
    let error = proved(&place).await.expect_err("cannot be met");
    assert!(error.message.contains("10.0.0.0/8"), "{error}");
}
