//! The record of API calls, for tests to look at.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::model::Millis;

/// How many calls are kept.
const KEPT: usize = 10_000;

/// One API call as it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedCall {
    /// From 1, without gaps.
    pub seq: u64,
    /// When, epoch milliseconds.
    pub at: Millis,
    /// `ecs`, `application-autoscaling`, `codepipeline`, `tagging`, `elasticloadbalancing` or `ec2`.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Access key id that signed the request, if it was signed.
    pub access_key_id: Option<String>,
    /// Whose key that is, if IAM is asked.
    pub caller: Option<String>,
    /// The caller's user agent.
    pub user_agent: Option<String>,
    /// The parameters; long ones as shortened text.
    pub parameters: Value,
    /// `ok`, or the error's code.
    pub outcome: String,
}

/// The last 10,000 calls.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    kept: VecDeque<RecordedCall>,
    last: u64,
}

impl Calls {
    /// Adds a call and gives it its number.
    pub fn record(&mut self, mut call: RecordedCall) {
        self.last += 1;
        call.seq = self.last;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(call);
    }

    /// The calls after number `seq`, oldest first.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &RecordedCall> {
        self.kept.iter().filter(move |c| c.seq > seq)
    }

    /// Forgets all calls; numbers go on.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}
