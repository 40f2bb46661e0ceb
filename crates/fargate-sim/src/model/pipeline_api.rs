//! Pipeline jobs of a world: starting them, their results, and their next invocation.

use serde_json::Value;

use super::effects::Effect;
use super::error::ApiError;
use super::pipeline::{JobId, JobOutcome, LEAST_CONTINUATION, PipelineJob};
use super::time::Millis;
use super::world::World;

impl World {
    /// A pipeline comes to an action that invokes this function.
    pub fn start_job(&mut self, function: String, user_parameters: Option<String>) -> JobId {
        let id = JobId(self.ids.uuid());
        let job = PipelineJob::new(id.clone(), function, user_parameters);
        self.jobs.insert(id.clone(), job);
        self.effects.push(Effect::InvokeJob { job: id.clone() });
        id
    }

    /// A job by id.
    ///
    /// Errors: `JobNotFoundException`; the words are ours.
    pub fn job(&self, id: &JobId) -> Result<&PipelineJob, ApiError> {
        self.jobs.get(id).ok_or_else(|| not_found(id))
    }

    /// Delivers the event of a job's latest invocation once more, as Lambda may do with any asynchronous invocation
    /// ("How Lambda handles errors and retries with asynchronous invocation").
    pub fn repeat_job(&mut self, id: &JobId) -> Result<(), ApiError> {
        let job = self.jobs.get_mut(id).ok_or_else(|| not_found(id))?;
        job.invocations += 1;
        self.effects.push(Effect::InvokeJob { job: id.clone() });
        Ok(())
    }

    /// PutJobSuccessResult and PutJobFailureResult, with the call's parameters for the record.
    pub fn put_job_result(
        &mut self,
        now: Millis,
        id: &JobId,
        outcome: JobOutcome,
        parameters: Value,
    ) -> Result<(), ApiError> {
        let timing = &self.config.timing;
        let interval = timing.scaled(timing.job_continuation).max(LEAST_CONTINUATION);
        let job = self.jobs.get_mut(id).ok_or_else(|| not_found(id))?;
        job.put(outcome, parameters, now + interval)
    }

    /// Invokes the functions of the jobs whose time has come.
    pub(crate) fn continue_jobs(&mut self, now: Millis) {
        for job in self.jobs.values_mut() {
            if job.continues(now) {
                self.effects.push(Effect::InvokeJob { job: job.id.clone() });
            }
        }
    }

    /// A job's function could not be invoked.
    pub(crate) fn job_not_invoked(&mut self, id: &JobId, why: String) {
        if let Some(job) = self.jobs.get_mut(id) {
            job.not_invoked(why);
        }
    }
}

fn not_found(id: &JobId) -> ApiError {
    ApiError::new(
        "JobNotFoundException",
        format!("Job with id {id} could not be found"),
    )
}
