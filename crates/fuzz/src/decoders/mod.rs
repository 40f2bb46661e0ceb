//! The decoders, one family a file.

mod account;
mod events;
mod messages;
mod requests;
mod stored;
mod texts;

use crate::corpus::{self, Entry};

/// Something that understands inputs from outside.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Its name.
    pub name: &'static str,
    /// The folders of its corpus, relative to the checkout.
    pub folders: &'static [&'static str],
    /// Understands an input, or refuses it.
    pub decode: fn(&[u8]),
    /// How many mutated inputs a usual run tries.
    pub cases: u32,
    /// Most bytes that a grown input has: what may come, or as much of it as shows how time and memory grow.
    pub longest: usize,
    /// Bytes that may be in use at once for each byte of a long input. JSON that is nothing but small objects takes about
    /// 80 as `serde_json::Value` alone.
    pub memory: usize,
}

impl Decoder {
    /// The inputs that others are made of.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn corpus(&self) -> Vec<Entry> {
        corpus::read(self.folders)
    }
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Decoder> {
    [
        texts::DECODERS,
        messages::DECODERS,
        events::DECODERS,
        requests::DECODERS,
        stored::DECODERS,
        account::DECODERS,
    ]
    .concat()
}

/// Text of bytes, as whoever reads bytes from the network makes it.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines of an input: what stands alone in each.
fn lines(text: &str) -> (&str, &str, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (second, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    (first, second, rest)
}

/// Waits for a handler. The worlds here have clocks of their own, or do not wait.
fn wait<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("no runtime: {error}"));
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// The id of every invocation.
const REQUEST: &str = "11111111-2222-3333-4444-555555555555";
