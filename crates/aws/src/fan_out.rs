//! The queue by which a tick hands parts of its work to other invocations.

use dormouse_core::error::{Code, Error};
use dormouse_core::ports::FanOut;

use crate::Aws;
use crate::errors::failed;

impl FanOut for Aws {
    async fn hand_over(&self, message: &str) -> Result<(), Error> {
        let Some(url) = &self.tick_queue else {
            let message = "environment variable `TICK_QUEUE_URL` is missing: it must be the queue's URL";
            return Err(Error::new(Code::InvalidConfig, message));
        };
        let request = self.queues.send_message().queue_url(url).message_body(message);
        request
            .send()
            .await
            .map_err(|error| failed("SendMessage to the queue of ticks", &error))?;
        Ok(())
    }
}
