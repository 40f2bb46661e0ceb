//! What passes untouched.

use fault_proxy::{Dice, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::upstream::{endpoint, proxy};

const REQUEST: &str = "POST /a%2Fb/?x=1&y=%20 HTTP/1.1\r\nhost: 127.0.0.1:4566\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n\
     authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/dynamodb/aws4_request, Signature=abc\r\n\
     content-length: 16\r\n\r\n{\"a\": \"\u{1f600} \u{00e9}\"}";

const ANSWER: &str = "HTTP/1.1 201 Created\r\nx-amzn-requestid: 7\r\ncontent-type: text/xml\r\n\
     content-length: 7\r\n\r\n<a> </a";

/// Sends the request and reads as much as the answer has.
async fn exchange(address: &str, most: usize) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it is there");
    stream.write_all(REQUEST.as_bytes()).await.expect("it is sent");
    let mut bytes = Vec::new();
    while bytes.len() < most {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(count @ 1..) => bytes.extend(&part[..count]),
            _ => break,
        }
    }
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn without_faults_every_byte_passes_in_both_directions() {
    let (address, heard) = endpoint(ANSWER).await;
    let server = proxy(&address, Dice::new(0.0, 1)).await;
    let answer = exchange(&server.addresses[0].to_string(), ANSWER.len()).await;
    assert_eq!(answer, ANSWER);
    assert_eq!(*heard.lock().expect("a lock"), [REQUEST]);
    assert_eq!((server.counts().calls, server.counts().faults.len()), (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_promises_more_than_comes() {
    let (address, heard) = endpoint(ANSWER).await;
    let server = proxy(&address, Dice::of(1.0, 1, &[Fault::CutOff])).await;
    let answer = exchange(&server.addresses[0].to_string(), ANSWER.len()).await;
    assert_eq!(answer, ANSWER.strip_suffix(" </a").expect("its end"));
    assert_eq!(heard.lock().expect("a lock").len(), 1);
}

#[tokio::test]
async fn the_control_port_tells_the_counts() {
    let (address, _) = endpoint(ANSWER).await;
    let server = proxy(&address, Dice::of(1.0, 1, &[Fault::Page])).await;
    exchange(&server.addresses[0].to_string(), 1).await;
    let mut stream = TcpStream::connect(server.control).await.expect("it is there");
    let request = b"GET /_faults/counts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let counts: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        (&counts["calls"], &counts["faults"]["page"]),
        (&1.into(), &1.into())
    );
    assert_eq!(counts["faults"]["slow"], 0);
}
