//! The shared bucket, one item of the table. Every write is conditional and made in one step, so no two functions take the
//! same token.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Clock, Grant, Quota};
use dormouse_core::quota::{Priority, SERVICE_WRITES, Take};
use jiff::Timestamp;

use crate::Aws;
use crate::table::Item;

const QUOTA: &str = "quota";
const SERVICE_WRITES_ITEM: &str = "service-writes";
/// How often a write whose condition no longer held is tried with what was seen instead. Each needs somebody else's write
/// in between that turns the answer round.
const TRIES: u32 = 4;
/// The table is not waited for any longer than this: what it is asked for is courtesy only.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

impl Quota for Aws {
    async fn take(&self, priority: Priority) -> Grant {
        let grant = in_time(ANSWERS_WITHIN, "token", self.take_token(priority)).await;
        grant.unwrap_or_else(|error| {
            tracing::warn!(code = %error.code, "{priority}: goes on without a token: {}", error.message);
            Grant::Now
        })
    }
}

impl Aws {
    async fn take_token(&self, priority: Priority) -> Result<Grant, Error> {
        // Most calls find the bucket full, so that is tried before anything is known.
        let mut until = None;
        for _ in 0..TRIES {
            let take = SERVICE_WRITES.take(until, self.now(), priority);
            if let Take::Wait(wait) = take {
                if let Err(error) = self.write(&Write::NONE, "waited").await {
                    tracing::warn!(code = %error.code, "a wait is not counted: {}", error.message);
                }
                return Ok(Grant::Wait(wait));
            }
            match self.write(&Write::of(&take), priority.as_str()).await? {
                Written::Yes => return Ok(Grant::Now),
                Written::No(seen) => until = seen,
            }
        }
        // Everybody wants one at this moment.
        Ok(match priority {
            Priority::Wake => Grant::Now,
            Priority::ScaleOut | Priority::Sleep => Grant::Wait(SERVICE_WRITES.interval),
        })
    }

    /// ECS has throttled a call, so its bucket is empty, whoever took the tokens: others in the account take some too.
    pub(crate) async fn note_throttled(&self) {
        let noted = in_time(ANSWERS_WITHIN, "throttle", async {
            match self.write(&Write::emptied(self.now()), "throttled").await? {
                Written::Yes => Ok(()),
                // It is known to be empty.
                Written::No(_) => self.write(&Write::NONE, "throttled").await.map(drop),
            }
        });
        if let Err(error) = noted.await {
            tracing::warn!(code = %error.code, "a throttle is not noted: {}", error.message);
        }
    }

    /// Changes `until`, and adds one to a counter.
    async fn write(&self, write: &Write, counter: &str) -> Result<Written, Error> {
        let mut request = self
            .table
            .update(QUOTA, SERVICE_WRITES_ITEM)
            .update_expression(write.update)
            .set_condition_expression(write.condition.map(str::to_owned))
            .expression_attribute_names("#counter", counter)
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in &write.values {
            request = request.expression_attribute_values(*name, number(*value));
        }
        if !write.values.is_empty() {
            request = request.expression_attribute_names("#until", "until");
        }
        let Err(error) = request.send().await else {
            return Ok(Written::Yes);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::No(failed.item().and_then(until)))
            }
            _ => Err(self.table.failed("UpdateItem", &error)),
        }
    }
}

/// How a conditional write ended.
#[derive(Debug)]
enum Written {
    Yes,
    /// The condition does not hold; `until` as it is stored.
    No(Option<Timestamp>),
}

/// What is done to `until`. The counter is in every write.
#[derive(Debug, PartialEq)]
struct Write {
    update: &'static str,
    condition: Option<&'static str>,
    /// Epoch milliseconds, or milliseconds to add.
    values: Vec<(&'static str, i64)>,
}

impl Write {
    /// `until` stays as it is.
    const NONE: Self = Self {
        update: "ADD #counter :one",
        condition: None,
        values: Vec::new(),
    };

    fn of(take: &Take) -> Self {
        match take {
            Take::First { until, now, latest } => Self {
                update: "SET #until = :until ADD #counter :one",
                condition: Some("attribute_not_exists(#until) OR #until < :now OR #until > :latest"),
                values: vec![
                    (":until", until.as_millisecond()),
                    (":now", now.as_millisecond()),
                    (":latest", latest.as_millisecond()),
                ],
            },
            Take::Next { by, from, to } => Self {
                update: "ADD #until :by, #counter :one",
                condition: Some("#until >= :from AND #until <= :to"),
                values: vec![
                    (":by", i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
                    (":from", from.as_millisecond()),
                    (":to", to.as_millisecond()),
                ],
            },
            Take::Unbooked | Take::Wait(_) => Self::NONE,
        }
    }

    /// Empties the bucket, unless more than all is out of it.
    fn emptied(now: Timestamp) -> Self {
        Self {
            update: "SET #until = :until ADD #counter :one",
            condition: Some("attribute_not_exists(#until) OR #until < :until OR #until > :latest"),
            values: vec![
                (":until", SERVICE_WRITES.emptied(now).as_millisecond()),
                (":latest", SERVICE_WRITES.latest(now).as_millisecond()),
            ],
        }
    }
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The `until` of the item; none if it has none that can be read.
fn until(item: &Item) -> Option<Timestamp> {
    let millis = item.get("until")?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

async fn in_time<T>(
    limit: Duration,
    what: &str,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| {
        let message = format!(
            "{what}: the table does not answer within {} ms",
            limit.as_millis()
        );
        Err(Error::new(Code::Unavailable, message))
    };
    tokio::time::timeout(limit, answer).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a moment")
    }

    fn taken(until: Option<i64>, priority: Priority) -> Write {
        Write::of(&SERVICE_WRITES.take(until.map(at), at(1_000_000), priority))
    }

    #[test]
    fn a_full_bucket_begins_anew_unless_somebody_was_first() {
        let first = taken(None, Priority::Sleep);
        assert_eq!(first, taken(Some(999_999), Priority::Wake));
        assert_eq!(
            first.condition,
            Some("attribute_not_exists(#until) OR #until < :now OR #until > :latest")
        );
        assert_eq!(
            first.values,
            [(":until", 1_000_200), (":now", 1_000_000), (":latest", 1_080_000)]
        );
    }

    #[test]
    fn the_next_token_is_taken_as_long_as_enough_are_left() {
        let bounds = |priority| {
            let next = taken(Some(1_000_200), priority);
            assert_eq!(next.update, "ADD #until :by, #counter :one");
            next.values
        };
        let expected = |to| [(":by", 200), (":from", 1_000_000), (":to", to)];
        assert_eq!(bounds(Priority::Sleep), expected(1_004_800));
        assert_eq!(bounds(Priority::ScaleOut), expected(1_007_800));
        assert_eq!(bounds(Priority::Wake), expected(1_019_800));
    }

    #[test]
    fn who_waits_and_a_wake_beyond_all_bounds_are_only_counted() {
        assert_eq!(taken(Some(1_004_801), Priority::Sleep), Write::NONE);
        assert_eq!(taken(Some(1_020_000), Priority::Wake), Write::NONE);
    }

    #[test]
    fn a_throttle_empties_the_bucket_and_never_fills_it() {
        let emptied = Write::emptied(at(1_000_000));
        assert_eq!(emptied.values, [(":until", 1_010_000), (":latest", 1_080_000)]);
        assert!(
            emptied
                .condition
                .is_some_and(|condition| condition.contains("#until < :until"))
        );
    }

    #[test]
    fn an_until_that_cannot_be_read_is_none() {
        let item = |value| Item::from([("until".to_owned(), value)]);
        assert_eq!(until(&item(number(5))), Some(at(5)));
        assert_eq!(until(&item(AttributeValue::S("5".into()))), None);
        assert_eq!(until(&item(number(i64::MAX))), None);
        assert_eq!(until(&Item::new()), None);
    }

    #[tokio::test]
    async fn the_table_is_not_waited_for() {
        let never = std::future::pending::<Result<(), Error>>();
        let error = in_time(Duration::ZERO, "token", never)
            .await
            .expect_err("no answer");
        assert_eq!(error.code, Code::Unavailable);
        assert_eq!(error.message, "token: the table does not answer within 0 ms");
        let answer = in_time(ANSWERS_WITHIN, "token", async { Ok(()) }).await;
        assert_eq!(answer, Ok(()));
    }
}
