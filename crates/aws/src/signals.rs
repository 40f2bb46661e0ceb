//! Which part of AWS answers which signal.

use std::time::Duration;

use dormouse_core::decide::Question;
use dormouse_core::ids::ServiceId;
use dormouse_core::logs::search;
use dormouse_core::observation::{ServiceState, TaskStage};
use dormouse_core::ports::{Plans, Protection, SessionRows, Signals};
use dormouse_core::protection;
use dormouse_core::reading::{Reading, Signal};
use dormouse_core::sessions::{self, TaskKey};
use dormouse_core::settings::ServiceSettings;
use futures_util::future::try_join;
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
                Some(endpoint) => self.connections_signal(endpoint, state, now).await,
                None => missing("dormouse:connections"),
            },
            Signal::Sessions => self.sessions(service, state, idle_after, now).await,
            Signal::Protection => self.protection(&service.id, state, now).await,
        }
    }
}

impl Aws {
    /// What the tasks' rows say of their sessions.
    async fn sessions(
        &self,
        service: &ServiceSettings,
        state: &ServiceState,
        idle_after: Duration,
        now: Timestamp,
    ) -> Reading {
        if let Some(why) = &state.tasks_unknown {
            return Reading::Unknown(why.clone());
        }
        let tasks: Vec<TaskKey> = state
            .tasks
            .iter()
            .filter_map(|task| TaskKey::parse(&format!("{}/{}", service.id.cluster, task.id)).ok())
            .collect();
        match self.rows(&tasks).await {
            Ok(rows) => sessions::judge(rows.values().map(|stored| &stored.row), idle_after, now),
            Err(error) => Reading::Unknown(error.message),
        }
    }

    /// What the protections of the tasks that run say.
    async fn protection(&self, service: &ServiceId, state: &ServiceState, now: Timestamp) -> Reading {
        if let Some(why) = &state.tasks_unknown {
            return Reading::Unknown(why.clone());
        }
        let running = state.tasks.iter().filter(|task| task.stage == TaskStage::Running);
        let ids: Vec<String> = running.map(|task| task.id.clone()).collect();
        match try_join(self.protected_until(&service.cluster, &ids), self.plan(service)).await {
            Ok((protections, plan)) => protection::judge(&protections, plan.as_ref(), now),
            Err(error) => Reading::Unknown(error.message),
        }
    }
}

fn missing(tag: &str) -> Reading {
    Reading::Unknown(format!("the service has no tag {tag}"))
}
