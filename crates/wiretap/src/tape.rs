//! What was recorded.

use std::time::Duration;

use hyper::Response;
use hyper::body::Bytes;
use serde_json::Value;

/// A call and its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation's name; for REST the method and the beginning of the path.
    pub operation: String,
    /// When it came, since the record began.
    pub began: Duration,
    /// When it was answered.
    pub ended: Duration,
    pub(crate) request: Bytes,
    pub(crate) response: Response<Bytes>,
}

impl Call {
    /// What was asked; null if it is not JSON.
    #[must_use]
    pub fn request(&self) -> Value {
        content(&self.request).unwrap_or_default()
    }

    /// What was answered; null if it is not JSON.
    #[must_use]
    pub fn response(&self) -> Value {
        content(self.response.body()).unwrap_or_default()
    }
}

/// Calls in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Tape(pub Vec<Call>);

impl Tape {
    /// The calls as sequential round trips: those of a trip were made before any of them was answered, and the next trip
    /// after that. Calls of a trip are sorted by name.
    #[must_use]
    pub fn trips(&self) -> Vec<Vec<&str>> {
        let mut calls: Vec<&Call> = self.0.iter().collect();
        calls.sort_by_key(|call| call.began);
        // The trip of each call: one more than the last one of those that had ended when it began.
        let mut trips: Vec<Vec<&str>> = Vec::new();
        let mut placed: Vec<(Duration, usize)> = Vec::new();
        for call in calls {
            let before = placed.iter().filter(|(ended, _)| *ended <= call.began);
            let trip = before.map(|(_, trip)| trip + 1).max().unwrap_or(0);
            if trips.len() == trip {
                trips.push(Vec::new());
            }
            trips[trip].push(&call.operation);
            placed.push((call.ended, trip));
        }
        for trip in &mut trips {
            trip.sort_unstable();
        }
        trips
    }

    /// Takes the answer to a call: that of the same call with the same content, because calls that do not wait for each other
    /// come in any order; else, because content has moments in it, the first of its operation that is left.
    pub(crate) fn take(&mut self, operation: &str, request: &Bytes) -> Option<Response<Bytes>> {
        let sent = content(request);
        let is_same = |call: &Call| call.operation == operation && content(&call.request) == sent;
        let place = self.0.iter().position(is_same);
        let place = place.or_else(|| self.0.iter().position(|call| call.operation == operation))?;
        Some(self.0.remove(place).response)
    }
}

/// What a call or its answer says, whatever the order in which it says it.
fn content(body: &Bytes) -> Result<Value, &[u8]> {
    serde_json::from_slice(body).map_err(|_| body.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(calls: &[(&str, u64, u64)]) -> Tape {
        let calls = calls.iter().map(|(operation, began, ended)| Call {
            operation: (*operation).to_owned(),
            began: Duration::from_millis(*began),
            ended: Duration::from_millis(*ended),
            request: Bytes::from_owner(operation.as_bytes().to_vec()),
            response: Response::new(Bytes::new()),
        });
        Tape(calls.collect())
    }

    #[test]
    fn calls_that_do_not_wait_for_each_other_are_one_round_trip() {
        let tape = tape(&[
            ("GetItem", 0, 50),
            ("Query", 2, 60),
            ("UpdateService", 61, 120),
            // Waited for GetItem only, but is under way with what waited for both.
            ("PutItem", 55, 118),
        ]);
        assert_eq!(
            tape.trips(),
            [vec!["GetItem", "Query"], vec!["PutItem", "UpdateService"]]
        );
    }

    #[test]
    fn a_call_that_waits_for_a_slower_one_is_a_trip_later() {
        let tape = tape(&[
            ("A", 0, 10),
            ("B", 11, 90),
            ("C", 0, 40),
            ("D", 41, 95),
            ("E", 91, 99),
        ]);
        assert_eq!(tape.trips(), [vec!["A", "C"], vec!["B", "D"], vec!["E"]]);
        assert!(Tape::default().trips().is_empty());
    }

    #[test]
    fn the_same_call_has_the_same_answer_in_any_order() {
        let call = |request: &'static str| Call {
            operation: "GetItem".to_owned(),
            began: Duration::ZERO,
            ended: Duration::ZERO,
            request: Bytes::from_static(request.as_bytes()),
            response: Response::new(Bytes::from_static(request.as_bytes())),
        };
        let mut tape = Tape(vec![
            call(r#"{"pk":"settings","sk":"a"}"#),
            call("record"),
            call("now: 1"),
        ]);
        let mut answer = |operation: &str, request: &'static str| {
            let answer = tape.take(operation, &Bytes::from_static(request.as_bytes()))?;
            Some(answer.into_body())
        };
        assert_eq!(answer("GetItem", "record").as_deref(), Some(&b"record"[..]));
        let settings = r#"{"sk": "a", "pk": "settings"}"#;
        assert_eq!(answer("PutItem", settings), None);
        assert!(answer("GetItem", settings).is_some_and(|answer| answer.starts_with(b"{")));
        assert_eq!(answer("GetItem", "now: 2").as_deref(), Some(&b"now: 1"[..]));
        assert_eq!(answer("GetItem", "settings"), None);
    }
}
