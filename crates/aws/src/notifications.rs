//! The notification topic.

use aws_sdk_sns::types::MessageAttributeValue;
use dormouse_core::error::Error;
use dormouse_core::ports::Notifications;
use dormouse_core::scaling::notice::Notice;

use crate::Aws;
use crate::errors::{failed, rejected};

impl Notifications for Aws {
    /// `event` and `group` are attributes too, so that subscriptions can filter by them (Amazon SNS Developer Guide,
    /// "Amazon SNS message filtering"). A function that was not given a topic tells nobody.
    async fn tell(&self, notice: &Notice) -> Result<(), Error> {
        let Some(topic) = &self.notifications else {
            return Ok(());
        };
        let what = format!("Publish about {}", notice.service);
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| rejected(&what, &error))
        };
        let message = serde_json::to_string(notice).map_err(|error| rejected(&what, &error))?;
        self.topics
            .publish()
            .topic_arn(topic)
            .subject(&notice.subject)
            .message(message)
            .message_attributes("event", attribute(notice.event)?)
            .message_attributes("group", attribute(notice.group.as_str())?)
            .send()
            .await
            .map_err(|error| failed(&what, &error))?;
        Ok(())
    }
}
