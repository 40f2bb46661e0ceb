//! Probes: does the app answer, and what does it say?

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use dormouse_core::observation::Probe;

use crate::operation::{self, Answer, Request};

/// A probe may take this long. A ready app answers its ready path well within it; load balancers allow 5 s by
/// default (Elastic Load Balancing User Guide, "Health checks for your target groups").
const LIMIT: Duration = Duration::from_secs(3);

/// Asks tasks.
pub(crate) struct Prober {
    http: SharedHttpClient,
}

impl Prober {
    pub(crate) fn new(http: SharedHttpClient) -> Self {
        Self { http }
    }

    /// Whether `GET base + path` answers, without following redirects.
    pub(crate) async fn ask(&self, base: &str, path: &str) -> Probe {
        match self.get(base, path, LIMIT).await {
            Ok(answer) => Probe::Status(answer.status),
            Err(why) => Probe::Failed(why),
        }
    }

    /// `GET base + path`, without following redirects; an error says why there was no answer.
    pub(crate) async fn get(&self, base: &str, path: &str, limit: Duration) -> Result<Answer, String> {
        let call = operation::builder("probe", self.http.clone(), base, limit)
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
