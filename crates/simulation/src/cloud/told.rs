//! What functions tell people and pipelines.

use dormouse_core::pipeline::{JobResult, Reported};
use dormouse_core::scaling::notice::Notice;

use super::{Cloud, Outgoing};

impl Cloud {
    /// A pipeline is told how a job went.
    pub(crate) fn job_reported(&self, job: &str, result: &JobResult) -> Reported {
        self.note(format!("-- {job}: {result:?}"));
        match result {
            JobResult::Continues { token, .. } => {
                let continues = Outgoing::JobContinues(job.to_owned(), token.clone());
                self.outgoing.borrow_mut().push(continues);
                Reported::Yes
            }
            JobResult::Succeeded { .. } | JobResult::Failed { .. } => {
                match self.truth.borrow_mut().jobs.remove(job) {
                    true => Reported::Yes,
                    false => Reported::EndedBefore,
                }
            }
        }
    }

    /// People are told of a change, which the why-log must know of first.
    pub(crate) fn told(&self, notice: &Notice) {
        let key = format!("{:.3}#{}", notice.at, notice.service);
        let table = self.table.borrow();
        let is_known = table.whys.keys().any(|(_, known)| *known == key);
        self.check(7, is_known, || {
            format!("people were told of {key}, and the why-log does not know it")
        });
    }
}
