//! What functions share through the table: tokens, leases and windows. Each test has a table of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use dormouse_aws::Aws;
use dormouse_core::duration;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::{Booking, Grant, Lease, Leases, Quota, Windows};
use dormouse_core::quota::{Priority, SERVICE_WRITES};
use dormouse_core::scaling::connections::reading::Reading;
use dormouse_core::scaling::connections::window::Window;
use end_to_end::{Stack, now};
use jiff::Timestamp;

use crate::missing::aws;

/// Two functions over a new table, which is like that of the template.
async fn two(table: &str) -> (Aws, Aws) {
    let stack = Stack::connect();
    let sdk = stack.sdk("AWS_ENDPOINT_URL").await;
    let attribute = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("an attribute")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().expect("a key")
    };
    let create = aws_sdk_dynamodb::Client::new(&sdk).create_table();
    let create = create
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range));
    create.send().await.expect("a table");
    let one = aws(&stack, "AWS_ENDPOINT_URL", table).await;
    (one, aws(&stack, "AWS_ENDPOINT_URL", table).await)
}

/// How many tokens two functions are granted in turn until one is told to wait, and for how long.
async fn granted(one: &Aws, other: &Aws, priority: Priority) -> (u32, Duration) {
    for n in 0..2 * SERVICE_WRITES.burst {
        let function = if n % 2 == 0 { one } else { other };
        if let Grant::Wait(wait) = function.take(priority).await {
            return (n, wait);
        }
    }
    panic!("nobody is told to wait");
}

#[tokio::test]
async fn functions_share_the_tokens_and_leave_some_for_what_is_more_urgent() {
    let (one, other) = two("shared-tokens").await;
    for (priority, tokens) in [(Priority::Sleep, 25), (Priority::ScaleOut, 15)] {
        let begun = now();
        let (granted, wait) = granted(&one, &other, priority).await;
        let refilled = duration::between(begun, now()).as_millis() / SERVICE_WRITES.interval.as_millis();
        let most = tokens + u32::try_from(refilled).expect("seconds") + 2;
        assert!(
            (tokens..=most).contains(&granted),
            "{priority}: {granted} of {tokens}, {most} at the most"
        );
        assert!(!wait.is_zero() && wait <= SERVICE_WRITES.interval, "{wait:?}");
    }
    assert_ne!(one.take(Priority::Sleep).await, Grant::Now);
    let soon = duration::after(now(), Duration::from_secs(10));
    assert_eq!(
        other.book(Priority::Wake, 5, soon).await,
        Booking::Now,
        "a fifth is theirs"
    );
    let Booking::At(first) = other.book(Priority::Wake, 20, soon).await else {
        panic!("the bucket is empty");
    };
    let Booking::At(second) = one.book(Priority::Wake, 5, soon).await else {
        panic!("they stand in line");
    };
    assert_eq!(duration::between(first, second), SERVICE_WRITES.interval * 5);
    assert_eq!(one.book(Priority::Wake, 100, soon).await, Booking::Later);
}

#[tokio::test]
async fn one_function_has_a_lease_and_another_prolongs_it_for_that_one() {
    let (one, other) = two("shared-leases").await;
    let soon = |seconds| {
        let at = duration::after(now(), Duration::from_secs(seconds));
        Timestamp::from_millisecond(at.as_millisecond()).expect("a moment")
    };
    let (first, second) = (soon(60), soon(120));
    let taken = |lease: Result<Lease, _>| lease.expect("a lease");
    assert_eq!(taken(one.take_lease("x", "one", first).await), Lease::Taken);
    assert_eq!(
        taken(other.take_lease("x", "other", second).await),
        Lease::Prolonged
    );
    assert_eq!(
        taken(other.take_lease("x", "other", first).await),
        Lease::Prolonged,
        "it is never shortened"
    );
    assert_eq!(one.return_lease("x", "one", first).await, Ok(Some(second)));
    assert_eq!(
        other.return_lease("x", "other", second).await,
        Ok(None),
        "it has none"
    );
    assert_eq!(one.return_lease("x", "one", second).await, Ok(None));
    assert_eq!(taken(other.take_lease("x", "other", second).await), Lease::Taken);
    let past = duration::before(now(), Duration::from_secs(1));
    assert_eq!(taken(one.take_lease("y", "one", past).await), Lease::Taken);
    assert_eq!(
        taken(other.take_lease("y", "other", first).await),
        Lease::Taken,
        "one that is over"
    );
}

#[tokio::test]
async fn a_function_that_takes_its_own_lease_again_has_it() {
    // As the SDK does that heard no answer to a write that was done.
    let (one, other) = two("shared-lease-again").await;
    let soon = |seconds| {
        let at = duration::after(now(), Duration::from_secs(seconds));
        Timestamp::from_millisecond(at.as_millisecond()).expect("a moment")
    };
    let (first, second) = (soon(60), soon(120));
    for _ in 0..2 {
        assert_eq!(one.take_lease("x", "one", first).await, Ok(Lease::Taken));
    }
    assert_eq!(other.take_lease("x", "other", second).await, Ok(Lease::Prolonged));
    assert_eq!(one.take_lease("x", "one", first).await, Ok(Lease::Taken));
    assert_eq!(
        one.return_lease("x", "one", first).await,
        Ok(Some(second)),
        "it is not shortened"
    );
}

#[tokio::test]
async fn windows_are_found_as_they_were_left() {
    let (one, other) = two("shared-windows").await;
    assert_eq!(one.windows("x").await, Ok(BTreeMap::new()));
    let mut window = Window::default();
    for seconds in [60, 57, 54] {
        let at = duration::before(now(), Duration::from_secs(seconds));
        window.record(&Reading::of(2, &[Ok(3), Ok(4)]), 2, at);
    }
    let windows = BTreeMap::from([(ServiceId::new("dev", "web"), window)]);
    one.save_windows("x", &windows).await.expect("saved");
    assert_eq!(other.windows("x").await, Ok(windows));
}
