//! Functions under way: each goes on as far as it can at a moment, and then waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::Account;

/// A function that was called.
pub(crate) struct Invocation<'a, T> {
    /// What it does; none for what others do, whose calls are not counted.
    step: Option<String>,
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    flag: Arc<Flag>,
}

/// How far a function has come.
pub(crate) enum Progress<T> {
    Done(T),
    Died,
    /// It waits for a later moment.
    Waits,
}

/// Set when what a function waits for has come.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Invocation<'_, T> {
    /// Whether it can go on.
    pub(crate) fn is_awake(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }
}

impl Account {
    /// Calls a function, which begins when it is first told to go on.
    pub(crate) fn invoke<'a, T>(
        &self,
        step: Option<&str>,
        future: impl Future<Output = T> + 'a,
    ) -> Invocation<'a, T> {
        self.script.under_way.borrow_mut().extend(step.map(str::to_owned));
        Invocation {
            step: step.map(str::to_owned),
            future: Box::pin(future),
            flag: Arc::new(Flag(AtomicBool::new(true))),
        }
    }

    /// Lets a function do all that it can do now. What it calls may be disturbed.
    pub(crate) fn go_on<T>(&self, invocation: &mut Invocation<'_, T>) -> Progress<T> {
        let outer = self.script.step.replace(invocation.step.clone());
        let waker = Waker::from(Arc::clone(&invocation.flag));
        let mut context = Context::from_waker(&waker);
        let mut progress = Progress::Waits;
        // Streams of futures give way now and then, though everything is ready.
        for _ in 0..10_000 {
            if !invocation.flag.0.swap(false, Ordering::Relaxed) {
                break;
            }
            match invocation.future.as_mut().poll(&mut context) {
                Poll::Ready(answer) => progress = Progress::Done(answer),
                Poll::Pending if self.script.dead.take() => progress = Progress::Died,
                Poll::Pending => continue,
            }
            break;
        }
        assert!(
            !matches!(progress, Progress::Waits) || !invocation.is_awake(),
            "a function goes round and round"
        );
        self.script.step.replace(outer);
        if !matches!(progress, Progress::Waits) {
            self.ended(invocation.step.as_deref());
        }
        progress
    }

    fn ended(&self, step: Option<&str>) {
        let mut under_way = self.script.under_way.borrow_mut();
        if let Some(n) = under_way.iter().rposition(|other| Some(&**other) == step) {
            under_way.remove(n);
        }
    }

    /// Runs a function to its end, with all others standing still; none if it died.
    pub(crate) fn function<T>(&self, step: Option<&str>, future: impl Future<Output = T>) -> Option<T> {
        let mut invocation = self.invoke(step, future);
        loop {
            match self.go_on(&mut invocation) {
                Progress::Done(answer) => return Some(answer),
                Progress::Died => {
                    self.note(&format!("{} died", step.unwrap_or("somebody")));
                    return None;
                }
                Progress::Waits => {
                    let next = self.next_timer().expect("a moment for which it waits");
                    self.pass(next.since(self.at()));
                }
            }
        }
    }
}
