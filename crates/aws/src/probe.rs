//! Probes: does the app answer, and what does it say?

mod brief;

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use dormouse_core::observation::Probe;

use brief::Brief;

use crate::operation::{self, Answer, Request};

/// A probe may take this long. A ready app answers its ready path well within it; load balancers allow 5 s by
/// default (Elastic Load Balancing User Guide, "Health checks for your target groups").
const LIMIT: Duration = Duration::from_secs(3);
/// A count of connections is much shorter. What is longer is none, and no task may fill the function's memory.
const LONGEST: usize = 16 * 1024;

/// Asks tasks.
pub(crate) struct Prober {
    http: SharedHttpClient,
}

impl Prober {
    pub(crate) fn new(http: SharedHttpClient) -> Self {
        Self { http }
    }

    /// Whether `GET base + path` answers, without following redirects. Its status is all that counts: what follows it may
    /// be of any length, or never end.
    pub(crate) async fn ask(&self, base: &str, path: &str) -> Probe {
        match self.call(base, path, LIMIT, 0).await {
            Ok(answer) => Probe::Status(answer.status),
            Err(why) => Probe::Failed(why),
        }
    }

    /// `GET base + path`, without following redirects, and the beginning of what it says; an error says why there was no
    /// answer.
    pub(crate) async fn get(&self, base: &str, path: &str, limit: Duration) -> Result<Answer, String> {
        self.call(base, path, limit, LONGEST).await
    }

    async fn call(&self, base: &str, path: &str, limit: Duration, longest: usize) -> Result<Answer, String> {
        let http = SharedHttpClient::new(Brief::new(self.http.clone(), longest));
        let call = operation::builder("probe", http, base, limit)
            .no_auth()
            .no_retry()
            .build();
        match call
            .invoke(Request {
                path: path.to_owned(),
                form: None,
            })
            .await
        {
            Ok(answer) => Ok(answer),
            Err(SdkError::TimeoutError(_)) => Err(format!("no answer within {} s", limit.as_secs_f64())),
            Err(error) => Err(last_cause(&error)),
        }
    }
}

fn last_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A task that answers as most do: with the length of what it says.
    async fn plain(page: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = axum::Router::new().fallback(async move || page);
        tokio::spawn(async { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    /// A task that answers 200, then says `beginning`, and after that `more` again and again until nobody listens.
    async fn task(beginning: &'static str, more: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pour(stream, beginning, more));
            }
        });
        format!("http://{address}")
    }

    async fn pour(mut stream: TcpStream, beginning: &str, more: &[u8]) -> std::io::Result<()> {
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        stream.write_all(beginning.as_bytes()).await?;
        loop {
            match more {
                [] => std::future::pending().await,
                more => stream.write_all(more).await?,
            }
        }
    }

    #[tokio::test]
    async fn a_page_that_never_ends_is_an_answer_all_the_same() {
        let prober = Prober::new(crate::http_client());
        for more in [&[b'x'; 65_536][..], &[]] {
            let task = task("<html>", more).await;
            assert_eq!(prober.ask(&task, "/").await, Probe::Status(200));
        }
    }

    #[tokio::test]
    async fn of_a_page_that_says_how_long_it_is_no_more_is_read_either() {
        let prober = Prober::new(crate::http_client());
        let long = "Active connections: 3 \n".repeat(1000).leak();
        for page in ["<html>", long] {
            let task = plain(page).await;
            assert_eq!(prober.ask(&task, "/").await, Probe::Status(200));
            let answer = prober.get(&task, "/", LIMIT).await.expect("an answer");
            assert_eq!(answer.body, page[..page.len().min(LONGEST)]);
        }
    }

    #[tokio::test]
    async fn only_the_beginning_of_what_a_task_says_is_kept() {
        let prober = Prober::new(crate::http_client());
        let task = task("Active connections: 3 \n", &[b'x'; 65_536]).await;
        let answer = prober.get(&task, "/", LIMIT).await.expect("an answer");
        assert!(answer.body.starts_with("Active connections: 3 \n"));
        assert_eq!(answer.body.len(), LONGEST);
    }

    #[tokio::test]
    async fn a_count_that_never_comes_is_unknown() {
        let prober = Prober::new(crate::http_client());
        let task = task("Active connec", &[]).await;
        let answer = prober.get(&task, "/", Duration::from_millis(200)).await;
        assert_eq!(answer.expect_err("no answer"), "no answer within 0.2 s");
    }
}
