//! Changing a record over whatever others write meanwhile.

use super::TRIES;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::ports::{Saved, Store};
use crate::record::Record;

/// Changes a group's record and writes it, unless `change` says that nothing changed; over whatever others write
/// meanwhile. Gives the record as it is then; none if the group has none.
///
/// # Errors
/// Those of the store, and [`Code::Contention`] if other writers won every time.
pub async fn change<W: Store>(
    world: &W,
    group: &GroupName,
    loaded: Option<Record>,
    mut change: impl FnMut(&mut Record) -> bool,
) -> Result<Option<Record>, Error> {
    let mut loaded = loaded;
    for _ in 0..TRIES {
        let Some(mut record) = loaded else { return Ok(None) };
        if !change(&mut record) {
            return Ok(Some(record));
        }
        if world.save_record(group, &record, None).await? == Saved::Yes {
            record.version += 1;
            return Ok(Some(record));
        }
        loaded = world.load(group).await?.record;
    }
    Err(contention(group))
}

pub(crate) fn contention(group: &GroupName) -> Error {
    let message = format!("group `{group}`: {TRIES} times another function wrote its record first");
    Error::new(Code::Contention, message)
}
