//! Virtual time: it stands still while there is anything to do, and then jumps to the next moment somebody waits for. So
//! what is done at once overlaps, as it does for real, and nothing sleeps.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aws_sdk_ecs::config::{AsyncSleep, Sleep};
use fargate_sim::model::Millis;

/// A clock that all share.
#[derive(Clone, Debug)]
pub(crate) struct Time(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Millis,
    /// Those who wait, by moment and then in the order in which they came.
    waiting: BTreeMap<(Millis, u64), Waker>,
    last: u64,
}

impl Time {
    pub(crate) fn from(start: Millis) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: start,
            waiting: BTreeMap::new(),
            last: 0,
        })))
    }

    pub(crate) fn now(&self) -> Millis {
        self.state().now
    }

    /// Waits for so long, rounded up to whole milliseconds.
    pub(crate) fn pause(&self, length: Duration) -> Pause {
        let millis = length.as_nanos().div_ceil(1_000_000);
        let now = self.now();
        self.until(Millis(
            now.0.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)),
        ))
    }

    /// Waits until a moment.
    pub(crate) fn until(&self, at: Millis) -> Pause {
        Pause {
            time: self.clone(),
            at,
            place: None,
        }
    }

    /// Runs a future to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        // The SDK makes timers of its own for requests that go around its configuration. Their runtime is never polled, so
        // they never fire.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.expect("a runtime");
        let _entered = runtime.enter();
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
                    return answer;
                }
            }
            for waker in self.advance() {
                waker.wake();
            }
        }
    }

    /// Jumps to the next moment that is waited for; those who do.
    fn advance(&self) -> Vec<Waker> {
        let mut state = self.state();
        let (next, _) = *state
            .waiting
            .keys()
            .next()
            .expect("somebody waits for something that comes");
        state.now = state.now.max(next);
        let later = state.waiting.split_off(&(next + Duration::from_millis(1), 0));
        std::mem::replace(&mut state.waiting, later)
            .into_values()
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SDK waits by this clock before it tries again, and for its timeouts.
impl AsyncSleep for Time {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.pause(duration))
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until a moment.
#[derive(Debug)]
pub(crate) struct Pause {
    time: Time,
    at: Millis,
    place: Option<(Millis, u64)>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut state = time.state();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        state.last += 1;
        let place = self.place.unwrap_or((self.at, state.last));
        state.waiting.insert(place, context.waker().clone());
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.time.state().waiting.remove(&place);
        }
    }
}
