//! Values that many states share: cheap to copy, and compared by what is in them.

use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A value that is not changed any more. It is hashed once, by all that its [`Debug`] tells, because the types of
/// `dormouse-core` need no hash for themselves.
pub struct Kept<T>(Arc<(u64, T)>);

/// Hashes what is written.
struct Sink(DefaultHasher);

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl<T: Debug> Kept<T> {
    /// Keeps a value.
    pub fn new(value: T) -> Self {
        let mut sink = Sink(DefaultHasher::new());
        // Hashing does not fail; a type whose Debug does is hashed up to there.
        let _ = write!(sink, "{value:?}");
        Self(Arc::new((sink.0.finish(), value)))
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.1
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.0 == other.0.0 && self.0.1 == other.0.1)
    }
}

impl<T: PartialEq> Eq for Kept<T> {}

impl<T> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.0);
    }
}

impl<T: Debug> Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.1.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_and_hash_alike_wherever_they_were_made() {
        let hash = |kept: &Kept<Vec<u8>>| {
            let mut hasher = DefaultHasher::new();
            kept.hash(&mut hasher);
            hasher.finish()
        };
        let (one, same, other) = (Kept::new(vec![1]), Kept::new(vec![1]), Kept::new(vec![2]));
        assert_eq!((&one, hash(&one)), (&same, hash(&same)));
        assert_ne!(one, other);
        assert_ne!(hash(&one), hash(&other));
    }
}
