//! Readiness probes: does the app's ready path answer?

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use dormouse_core::observation::Probe;

use crate::operation::{self, Request};

/// A probe may take this long. A ready app answers its ready path well within it; load balancers allow 5 s by
/// default (Elastic Load Balancing User Guide, "Health checks for your target groups").
const LIMIT: Duration = Duration::from_secs(3);

/// Asks tasks for their ready path.
pub(crate) struct Prober {
    http: SharedHttpClient,
}

impl Prober {
    pub(crate) fn new(http: SharedHttpClient) -> Self {
        Self { http }
    }

    /// `GET base + path`, without following redirects.
    pub(crate) async fn ask(&self, base: &str, path: &str) -> Probe {
        let call = operation::builder("readiness probe", self.http.clone(), base, LIMIT)
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
            Ok(answer) => Probe::Status(answer.status),
            Err(SdkError::TimeoutError(_)) => {
                Probe::Failed(format!("no answer within {} s", LIMIT.as_secs()))
            }
            Err(error) => Probe::Failed(last_cause(&error)),
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
