//! What the SDK makes of faults: it tries again, and knows whether the service may have seen the call.

use std::time::Instant;

use aws_sdk_ecs::Client;
use fault_proxy::{Dice, Fault};

use crate::upstream::{EMPTY, endpoint, failing, proxy, sdk};

/// Calls once, and tells how the error looks and how many calls the service saw.
async fn once(fault: Fault) -> (String, usize) {
    let (server, heard) = failing(fault).await;
    let client = Client::new(&sdk(&server, 1));
    let error = client.list_clusters().send().await.expect_err("it fails");
    let seen = heard.lock().expect("a lock").len();
    (format!("{error:?}"), seen)
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_service_has_seen_the_call() {
    let (error, seen) = once(Fault::ResetBefore).await;
    assert!(error.starts_with("DispatchFailure"), "{error}");
    assert_eq!(seen, 0);
    let (error, seen) = once(Fault::ResetAfter).await;
    assert!(error.starts_with("DispatchFailure"), "{error}");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_none() {
    let (error, seen) = once(Fault::CutOff).await;
    assert!(error.starts_with("ResponseError"), "{error}");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let (server, _) = failing(Fault::Slow).await;
    let begun = Instant::now();
    let answer = Client::new(&sdk(&server, 1)).list_clusters().send().await;
    answer.expect("an answer");
    assert!(begun.elapsed().as_millis() >= 500, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn every_fault_is_tried_again() {
    for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::Slow) {
        let (server, _) = failing(fault).await;
        let answer = Client::new(&sdk(&server, 3)).list_clusters().send().await;
        answer.expect_err("each try fails");
        assert_eq!(server.counts().calls, 3, "{fault:?}");
    }
}

#[tokio::test]
async fn among_some_faults_all_calls_succeed() {
    let (address, _) = endpoint(EMPTY).await;
    let quick = [
        Fault::Throttled,
        Fault::Failed,
        Fault::Unavailable,
        Fault::Page,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::CutOff,
    ];
    let server = proxy(&address, Dice::of(0.1, 42, &quick)).await;
    let client = Client::new(&sdk(&server, 10));
    for _ in 0..200 {
        client
            .list_clusters()
            .send()
            .await
            .expect("it succeeds in the end");
    }
    let counts = server.counts();
    assert_eq!(counts.calls, 200 + counts.faults.values().sum::<u64>());
    assert_eq!(counts.faults.len(), quick.len(), "{counts:?}");
}
