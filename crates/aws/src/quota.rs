//! The shared bucket, one item of the table. Every write is conditional and made in one step, so no two functions take the
//! same token.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Booking, Clock, Grant, Quota};
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
        let take = |until, now| SERVICE_WRITES.take(until, now, priority);
        let taken = in_time(ANSWERS_WITHIN, "token", self.take_tokens(priority, 1, take));
        match taken.await {
            Ok(Taken::Until(_)) => Grant::Now,
            Ok(Taken::Not(wait)) => Grant::Wait(wait),
            Err(error) => {
                go_on(priority, &error);
                Grant::Now
            }
        }
    }

    async fn book(&self, priority: Priority, count: u32, latest: Timestamp) -> Booking {
        let book = |until, now| SERVICE_WRITES.book(until, now, priority, count, latest);
        let booked = in_time(ANSWERS_WITHIN, "tokens", self.take_tokens(priority, count, book));
        match booked.await {
            Ok(Taken::Until(until)) => match SERVICE_WRITES.slot(until, priority) {
                slot if slot > self.now() => Booking::At(slot),
                _ => Booking::Now,
            },
            Ok(Taken::Not(_)) => Booking::Later,
            Err(error) => {
                go_on(priority, &error);
                Booking::Now
            }
        }
    }

    async fn give_back(&self, count: u32) {
        let returned = in_time(ANSWERS_WITHIN, "tokens", self.return_tokens(count));
        if let Err(error) = returned.await {
            tracing::warn!(code = %error.code, "{count} tokens are not given back: {}", error.message);
        }
    }
}

impl Aws {
    async fn return_tokens(&self, count: u32) -> Result<(), Error> {
        let (by, from) = SERVICE_WRITES.give_back(count, self.now());
        let write = Write {
            update: "ADD #until :by, #counter :count",
            condition: Some("#until >= :from"),
            values: vec![
                (":by", -i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
                (":from", from.as_millisecond()),
            ],
        };
        // If the bucket has filled up meanwhile there is nothing to give back.
        self.write(&write, "returned", count).await.map(drop)
    }
}

fn go_on(priority: Priority, error: &Error) {
    tracing::warn!(code = %error.code, "{priority}: goes on without a token: {}", error.message);
}

/// What came of a take.
enum Taken {
    /// It is written: the `until` that followed.
    Until(Timestamp),
    /// Nothing is, and how long it would have to wait.
    Not(Duration),
}

impl Aws {
    async fn take_tokens(
        &self,
        priority: Priority,
        count: u32,
        take: impl Fn(Option<Timestamp>, Timestamp) -> Take,
    ) -> Result<Taken, Error> {
        // Most calls find the bucket full, so that is tried before anything is known.
        let mut until = None;
        for _ in 0..TRIES {
            let take = take(until, self.now());
            if let Take::Wait(wait) = take {
                if let Err(error) = self.write(&Write::NONE, "waited", 1).await {
                    tracing::warn!(code = %error.code, "a wait is not counted: {}", error.message);
                }
                return Ok(Taken::Not(wait));
            }
            match self.write(&Write::of(&take), priority.as_str(), count).await? {
                Written::Yes(until) => return Ok(Taken::Until(until.unwrap_or_else(|| self.now()))),
                Written::No(seen) => until = seen,
            }
        }
        // Everybody wants one at this moment.
        Ok(Taken::Not(SERVICE_WRITES.interval))
    }

    /// ECS has throttled a call, so its bucket is empty, whoever took the tokens: others in the account take some too.
    pub(crate) async fn note_throttled(&self) {
        let noted = in_time(ANSWERS_WITHIN, "throttle", async {
            match self.write(&Write::emptied(self.now()), "throttled", 1).await? {
                Written::Yes(_) => Ok(()),
                // It is known to be empty.
                Written::No(_) => self.write(&Write::NONE, "throttled", 1).await.map(drop),
            }
        });
        if let Err(error) = noted.await {
            tracing::warn!(code = %error.code, "a throttle is not noted: {}", error.message);
        }
    }

    /// Changes `until`, and adds to a counter.
    async fn write(&self, write: &Write, counter: &str, count: u32) -> Result<Written, Error> {
        let mut request = self
            .table
            .update(QUOTA, SERVICE_WRITES_ITEM)
            .update_expression(write.update)
            .set_condition_expression(write.condition.map(str::to_owned))
            .expression_attribute_names("#counter", counter)
            .expression_attribute_values(":count", number(i64::from(count)))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in &write.values {
            request = request.expression_attribute_values(*name, number(*value));
        }
        if !write.values.is_empty() {
            request = request.expression_attribute_names("#until", "until");
        }
        let error = match request.send().await {
            Ok(answer) => return Ok(Written::Yes(answer.attributes().and_then(until))),
            Err(error) => error,
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
    /// `until` as it is now.
    Yes(Option<Timestamp>),
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
        update: "ADD #counter :count",
        condition: None,
        values: Vec::new(),
    };

    fn of(take: &Take) -> Self {
        match take {
            Take::First { until, now, latest } => Self {
                update: "SET #until = :until ADD #counter :count",
                condition: Some("attribute_not_exists(#until) OR #until < :now OR #until > :latest"),
                values: vec![
                    (":until", until.as_millisecond()),
                    (":now", now.as_millisecond()),
                    (":latest", latest.as_millisecond()),
                ],
            },
            Take::Next { by, from, to } => Self {
                update: "ADD #until :by, #counter :count",
                condition: Some("#until >= :from AND #until <= :to"),
                values: vec![
                    (":by", i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
                    (":from", from.as_millisecond()),
                    (":to", to.as_millisecond()),
                ],
            },
            Take::Wait(_) => Self::NONE,
        }
    }

    /// Empties the bucket, unless more than all is out of it.
    fn emptied(now: Timestamp) -> Self {
        Self {
            update: "SET #until = :until ADD #counter :count",
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
            [(":until", 1_000_200), (":now", 1_000_000), (":latest", 1_130_000)]
        );
    }

    #[test]
    fn the_next_token_is_taken_as_long_as_enough_are_left() {
        let bounds = |priority| {
            let next = taken(Some(1_000_200), priority);
            assert_eq!(next.update, "ADD #until :by, #counter :count");
            next.values
        };
        let expected = |to| [(":by", 200), (":from", 1_000_000), (":to", to)];
        assert_eq!(bounds(Priority::Sleep), expected(1_004_800));
        assert_eq!(bounds(Priority::ScaleOut), expected(1_007_800));
        assert_eq!(bounds(Priority::Wake), expected(1_009_800));
    }

    #[test]
    fn who_waits_is_only_counted() {
        assert_eq!(taken(Some(1_004_801), Priority::Sleep), Write::NONE);
    }

    #[test]
    fn several_are_booked_in_one_write_as_long_as_they_come_in_time() {
        let book = |count| {
            let latest = at(1_020_000);
            SERVICE_WRITES.book(Some(at(1_005_000)), at(1_000_000), Priority::Wake, count, latest)
        };
        let write = Write::of(&book(3));
        assert_eq!(
            write.values,
            [(":by", 600), (":from", 1_000_000), (":to", 1_029_400)]
        );
        assert_eq!(Write::of(&book(126)), Write::NONE);
    }

    #[test]
    fn a_throttle_empties_the_bucket_and_never_fills_it() {
        let emptied = Write::emptied(at(1_000_000));
        assert_eq!(emptied.values, [(":until", 1_010_000), (":latest", 1_130_000)]);
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
