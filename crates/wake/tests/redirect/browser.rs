//! A browser that asks as the wait page does: the page, then the status as often as it is told, then the page again.

use serde_json::{Value, json};

use crate::account::Account;

/// The page's script asks for the first time after this.
const FIRST_QUESTION: u64 = 1000;
/// Longest way of a question or an answer, in milliseconds.
const ON_THE_WAY: u64 = 100;
/// A visitor is led on this long after the app is ready, and one poll more, in milliseconds: for as long an answer is shared.
/// To a poll belong the ways of question and answer, and those of the page that it opens.
const AT_ONCE: u64 = 1000;

/// One visit, from the click to the app.
pub(crate) struct Visit<'a> {
    account: &'a Account,
    random: fastrand::Rng,
    began: u64,
    /// When the app was truly ready first.
    ready_at: Option<u64>,
    progress: f64,
    statuses: Vec<Value>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// What the first status said.
    pub(crate) eta_at_first: Option<u64>,
    pub(crate) at_most_at_first: Option<u64>,
    pub(crate) wakes_known: u64,
    /// Seconds from the click until the app was ready.
    pub(crate) took: f64,
}

impl<'a> Visit<'a> {
    /// Somebody opens the sleeping app.
    pub(crate) async fn begin(account: &'a Account, random: fastrand::Rng) -> Self {
        let mut visit = Self {
            account,
            random,
            began: account.now_ms(),
            ready_at: None,
            progress: 0.0,
            statuses: Vec::new(),
        };
        assert_eq!(visit.open().await, 200, "the wait page");
        visit
    }

    /// The page asks until it is led on.
    pub(crate) async fn until_led_on(mut self) -> Arrived {
        let mut poll = FIRST_QUESTION;
        let mut asked_at = self.account.now_ms();
        loop {
            // Another tab is opened now and then.
            let until_then = self.random.u64(0..poll);
            if self.random.u8(..10) == 0 {
                self.pass(until_then).await;
                self.open().await;
            }
            self.pass_until(asked_at + poll).await;
            let status = self.ask().await;
            if status["ready"] == true {
                if self.open().await == 307 {
                    break;
                }
                poll = FIRST_QUESTION;
                asked_at = self.account.now_ms();
                continue;
            }
            let seconds = status["retry_after_seconds"].as_u64().expect("seconds");
            assert!(
                (1..=5).contains(&seconds),
                "none of these wakes is slow: {status}"
            );
            poll = seconds * 1000;
            asked_at = self.account.now_ms();
        }
        let ready_at = self.ready_at.expect("no redirect before it is ready");
        let late = self.account.now_ms() - ready_at;
        assert!(
            late <= AT_ONCE + poll + 4 * ON_THE_WAY,
            "{late} ms late, poll {poll} ms: {}",
            self.told()
        );
        let first = &self.statuses[0];
        Arrived {
            eta_at_first: first["eta_seconds"].as_u64(),
            at_most_at_first: first["eta_at_most_seconds"].as_u64(),
            wakes_known: first["wakes_known"].as_u64().expect("a number"),
            took: (ready_at - self.began) as f64 / 1000.0,
        }
    }

    /// Opens a page of the app; its HTTP status.
    async fn open(&mut self) -> u64 {
        self.on_the_way().await;
        let answer = self.account.handle(&self.account.page_event).await;
        let status = answer["statusCode"].as_u64().expect("a status");
        if status == 307 {
            let location = answer["headers"]["location"].as_str().expect("a location");
            assert!(
                self.account.truly_ready() && self.account.answers_at(location),
                "sent to {location} before it answers: {}",
                self.told()
            );
            assert!(location.ends_with("/reports/42?tab=open&q=a%20b"), "{location}");
        } else {
            assert_eq!(status, 200, "{answer}");
        }
        self.on_the_way().await;
        status
    }

    async fn ask(&mut self) -> Value {
        self.on_the_way().await;
        let answer = self.account.handle(&self.account.status_event).await;
        let status: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
        self.statuses.push(status.clone());
        let progress = status["progress"].as_f64().expect("a number");
        assert!(progress >= self.progress, "the bar falls: {}", self.told());
        assert_eq!(progress >= 1.0, status["ready"] == json!(true), "{}", self.told());
        assert!(
            status["ready"] != true || self.account.truly_ready(),
            "{}",
            self.told()
        );
        self.progress = progress;
        self.on_the_way().await;
        status
    }

    async fn on_the_way(&mut self) {
        let length = self.random.u64(1..=ON_THE_WAY);
        self.pass(length).await;
    }

    async fn pass(&mut self, length: u64) {
        self.pass_until(self.account.now_ms() + length).await;
    }

    /// Lets time pass, and takes down the very moment at which the app is ready.
    pub(crate) async fn pass_until(&mut self, end: u64) {
        while self.account.now_ms() < end {
            self.account.pass_to_next(end).await;
            if self.ready_at.is_none() && self.account.truly_ready() {
                self.ready_at = Some(self.account.now_ms());
            }
        }
    }

    /// What the page was told, for whoever reads a failure.
    fn told(&self) -> String {
        let line = |status: &Value| {
            format!(
                "{} {} {} {} {}\n",
                status["phase"],
                status["progress"],
                status["eta_seconds"],
                status["ready"],
                status["services"]
            )
        };
        self.statuses.iter().map(line).collect()
    }
}
