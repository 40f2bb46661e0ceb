//! One bounded search for the last line that shows use.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration::between;
use crate::error::Error;
use crate::logs::{self, LogSource};
use crate::ports::{Clock, LogQueries, QueryState};
use crate::reading::Reading;

/// A search may take this long. Most take a second or two; the tick that waits for it has 55 s. Our choice.
const LIMIT: Duration = Duration::from_secs(20);
/// The first wait for a result, doubled each time up to [`LONGEST_PAUSE`]: GetQueryResults allows 5 calls a second
/// (CloudWatch Logs quotas), and many groups may wait at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What the lines of the idle time before `now` say. Whatever keeps the search from completing is `Unknown`.
pub async fn read<W: LogQueries + Clock>(
    world: &W,
    source: &LogSource,
    idle_after: Duration,
    now: Timestamp,
) -> Reading {
    let start = logs::window_start(idle_after, now);
    match last_line(world, source, start, now).await {
        Ok(last) => logs::judge(last, start, idle_after, now),
        Err(why) => Reading::Unknown(format!("log group `{}`: {why}", source.group.as_str())),
    }
}

async fn last_line<W: LogQueries + Clock>(
    world: &W,
    source: &LogSource,
    start: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, String> {
    let message = |error: Error| error.message;
    let id = world.start_query(source, start, now).await.map_err(message)?;
    let begun = world.now();
    let mut pause = FIRST_PAUSE;
    while between(begun, world.now()) < LIMIT {
        world.pause(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match world.query_state(&id).await {
            Ok(QueryState::Complete(last)) => return Ok(last),
            Ok(QueryState::Running) => {}
            Ok(QueryState::Ended(status)) => return Err(format!("the search ended {status}")),
            Err(error) => {
                world.stop_query(&id).await;
                return Err(error.message);
            }
        }
    }
    world.stop_query(&id).await;
    Err(format!("the search took more than {} s", LIMIT.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use futures_util::FutureExt;

    use super::*;
    use crate::error::Code;
    use crate::logs::LogGroupName;

    /// Answers each look at the query with the next of these, the last one for ever; time passes only in pauses.
    struct Queries {
        now: Cell<Timestamp>,
        starts: Result<(), Error>,
        states: Vec<Result<QueryState, Error>>,
        looks: Cell<usize>,
        stopped: RefCell<Vec<String>>,
    }

    impl LogQueries for Queries {
        async fn start_query(
            &self,
            _: &LogSource,
            start: Timestamp,
            end: Timestamp,
        ) -> Result<String, Error> {
            assert_eq!(end.duration_since(start).as_secs(), 660, "whole seconds");
            self.starts.clone().map(|()| "q".to_owned())
        }

        async fn query_state(&self, id: &str) -> Result<QueryState, Error> {
            assert_eq!(id, "q");
            let look = self.looks.replace(self.looks.get() + 1);
            self.states[look.min(self.states.len() - 1)].clone()
        }

        async fn stop_query(&self, id: &str) {
            self.stopped.borrow_mut().push(id.to_owned());
        }
    }

    impl Clock for Queries {
        async fn within<T>(&self, _limit: Duration, work: impl Future<Output = T>) -> Option<T> {
            Some(work.await)
        }

        fn now(&self) -> Timestamp {
            self.now.get()
        }

        async fn pause(&self, duration: Duration) {
            self.now.set(crate::duration::after(self.now.get(), duration));
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn queries(states: Vec<Result<QueryState, Error>>) -> Queries {
        Queries {
            now: Cell::new(at(6000)),
            starts: Ok(()),
            states,
            looks: Cell::new(0),
            stopped: RefCell::default(),
        }
    }

    fn reading(queries: &Queries) -> Reading {
        let source = LogSource {
            group: LogGroupName::parse("/ecs/web").expect("a name"),
            pattern: None,
            names: Default::default(),
        };
        read(queries, &source, Duration::from_secs(600), at(6000))
            .now_or_never()
            .expect("nothing really waits")
    }

    fn throttled() -> Error {
        Error::new(
            Code::Throttled,
            "GetQueryResults: ThrottlingException: Rate exceeded",
        )
    }

    #[test]
    fn a_search_that_completes_says_when_the_last_line_was() {
        let running = || Ok(QueryState::Running);
        let found = queries(vec![
            running(),
            running(),
            Ok(QueryState::Complete(Some(at(5900)))),
        ]);
        assert_eq!(
            (reading(&found), found.looks.get()),
            (Reading::Active(at(5900)), 3)
        );
        let nothing = queries(vec![Ok(QueryState::Complete(None))]);
        let quiet = Reading::Quiet {
            since: at(5340),
            until: at(5940),
        };
        assert_eq!(reading(&nothing), quiet);
        assert!(
            found.stopped.borrow().is_empty(),
            "what is over need not be stopped"
        );
    }

    #[test]
    fn a_search_that_does_not_complete_is_unknown_and_never_quiet() {
        for status in ["Failed", "Cancelled", "Timeout", "Unknown"] {
            let ended = queries(vec![
                Ok(QueryState::Running),
                Ok(QueryState::Ended(status.to_owned())),
            ]);
            let Reading::Unknown(why) = reading(&ended) else {
                panic!("{status}");
            };
            assert_eq!(why, format!("log group `/ecs/web`: the search ended {status}"));
        }
    }

    #[test]
    fn a_throttle_is_unknown_and_the_search_is_stopped() {
        let later = queries(vec![Ok(QueryState::Running), Err(throttled())]);
        assert!(matches!(reading(&later), Reading::Unknown(why) if why.contains("Rate exceeded")));
        assert_eq!(*later.stopped.borrow(), ["q"]);
        let mut at_once = queries(Vec::new());
        at_once.starts = Err(throttled());
        assert!(matches!(reading(&at_once), Reading::Unknown(_)));
        assert_eq!(at_once.looks.get(), 0);
    }

    #[test]
    fn a_search_that_takes_too_long_is_stopped_after_few_looks() {
        let slow = queries(vec![Ok(QueryState::Running)]);
        assert!(matches!(reading(&slow), Reading::Unknown(why) if why.contains("more than 20 s")));
        assert_eq!(*slow.stopped.borrow(), ["q"]);
        assert!(slow.looks.get() <= 10, "{} looks", slow.looks.get());
        let waited = slow.now().duration_since(at(6000)).as_secs();
        assert!((20..=24).contains(&waited), "{waited} s");
    }
}
