//! The signal `requests`, from the load balancer's counting to sleep.

use std::time::{Duration, Instant};

use end_to_end::{Balancer, Request, Service, Stack};

use crate::sleeping::{asleep, tick};
use crate::waking::ready;

#[tokio::test]
async fn requests_keep_it_awake_and_their_absence_puts_it_to_sleep() {
    let stack = Stack::connect();
    let balancer = Balancer::create(&stack, "used", 9102).await;
    let service = Service::new("used")
        .behind(&balancer)
        .tag("idle-after", "1m")
        .tag("grace", "0s");
    service.create(&stack).await;
    stack.wake("GET", "/used").send().await;
    ready(&stack, "used").await;

    // Used for two idle times through the load balancer alone: Dormouse hears of it from CloudWatch only.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(130) {
        assert_eq!(Request::new("GET", &balancer.address).send().await.status, 200);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let answer = tick(&stack, "used").await;
    assert_eq!(answer["phase"], "awake", "{answer}");

    // A quiet minute, up to a minute until it is known, and two until metrics and ticks come round.
    let status = asleep(&stack, "used", Duration::from_secs(300)).await;
    assert_eq!(status["reason"], "idle");
}
