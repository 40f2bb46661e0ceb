//! Pages: items after the last one seen, so that a list that changes between two calls skips and repeats nothing.

use super::error::ApiError;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Where to go on, if there is more.
    pub next: Option<String>,
}

/// Up to `max` of `items`, which must be sorted by `key`, after the one that `token` names.
///
/// Errors: `InvalidParameterException` for a token that this function did not make.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    max: usize,
) -> Result<Page<T>, ApiError> {
    let after = token.filter(|t| !t.is_empty()).map(decode).transpose()?;
    let mut rest = items
        .into_iter()
        .filter(|i| after.as_ref().is_none_or(|a| key(i) > *a));
    let items: Vec<T> = rest.by_ref().take(max).collect();
    let next = rest.next().and(items.last()).map(|last| encode(&key(last)));
    Ok(Page { items, next })
}

fn encode(key: &str) -> String {
    key.bytes().map(|b| format!("{b:02x}")).collect()
}

fn decode(token: &str) -> Result<String, ApiError> {
    let bytes = (0..token.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(token.get(i..i + 2)?, 16).ok());
    bytes
        .collect::<Option<Vec<u8>>>()
        .and_then(|b| String::from_utf8(b).ok())
        .ok_or_else(|| ApiError::invalid("Invalid token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_skip_and_repeat_nothing_while_the_list_changes() {
        let mut items: Vec<String> = (0..25).map(|n| format!("item-{n:02}")).collect();
        let first = page(items.clone(), String::clone, None, 10).unwrap();
        assert_eq!(first.items.len(), 10);
        items.remove(3);
        let second = page(items.clone(), String::clone, first.next.as_deref(), 10).unwrap();
        assert_eq!(second.items[0], "item-10");
        let third = page(items, String::clone, second.next.as_deref(), 10).unwrap();
        assert_eq!((third.items.len(), third.next), (5, None));
    }

    #[test]
    fn a_page_that_ends_exactly_at_the_end_has_no_next() {
        let items: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        assert_eq!(page(items, String::clone, None, 10).unwrap().next, None);
    }

    #[test]
    fn a_made_up_token_is_refused() {
        assert!(page(vec![String::new()], String::clone, Some("zz"), 10).is_err());
    }
}
