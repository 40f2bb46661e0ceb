//! The dead-letter queue, for messages that cannot be understood.

use aws_sdk_sqs::types::MessageAttributeValue;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::Rejects;

use crate::Aws;
use crate::errors::{failed, rejected};

impl Rejects for Aws {
    /// The attributes are those that Lambda gives to events of its own dead-letter queues (AWS Lambda Developer Guide,
    /// "Adding a dead-letter queue").
    async fn reject(&self, body: &str, error: &Error) -> Result<(), Error> {
        let Some(url) = &self.dead_letters else {
            let message =
                "environment variable `DEAD_LETTER_QUEUE_URL` is missing: it must be the queue's URL";
            return Err(Error::new(Code::InvalidConfig, message));
        };
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| rejected("SendMessage", &error))
        };
        // SQS takes no empty body.
        let body = if body.is_empty() { "(empty)" } else { body };
        self.queues
            .send_message()
            .queue_url(url)
            .message_body(body)
            .message_attributes("ErrorCode", attribute(&error.code.to_string())?)
            .message_attributes("ErrorMessage", attribute(&error.message)?)
            .send()
            .await
            .map_err(|error| failed("SendMessage to the dead-letter queue", &error))?;
        Ok(())
    }
}
