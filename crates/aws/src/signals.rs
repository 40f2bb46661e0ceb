//! Which part of AWS answers which signal.

use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::logs::search;
use dormouse_core::ports::Signals;
use dormouse_core::reading::{Reading, Signal};
use jiff::Timestamp;

use crate::Aws;

impl Signals for Aws {
    async fn read(&self, question: Question<'_>, idle_after: Duration, now: Timestamp) -> Reading {
        let Question {
            service,
            state,
            signal,
        } = question;
        match signal {
            Signal::Requests => self.requests(&state.target_groups, idle_after, now).await,
            Signal::Cpu => self.cpu(&service.id, service.idle_cpu, idle_after, now).await,
            Signal::Logs => match &service.logs {
                Some(source) => search::read(self, source, idle_after, now).await,
                None => missing("dormouse:log-group"),
            },
            Signal::Connections => match &service.connections {
                Some(endpoint) => self.connections(service, endpoint, state, now).await,
                None => missing("dormouse:connections"),
            },
            Signal::Sessions => Reading::Unknown("this stack keeps no table of sessions".to_owned()),
        }
    }
}

fn missing(tag: &str) -> Reading {
    Reading::Unknown(format!("the service has no tag {tag}"))
}
