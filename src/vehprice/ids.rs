//! The ids of a call's rows.

use quotelock_core::table::bounds;
use quotelock_server::{Call, KeptArgs, excerpt};

use crate::error::Error;
use crate::settings::check_batch;

/// A row's id.
#[inline]
pub(super) fn id(bytes: &[u8]) -> Result<&[u8], Error> {
    if bounds::is_id(bytes) { Ok(bytes) } else { Err(Error::BadId(excerpt(bytes))) }
}

/// The ids at the end of a call's arguments, as many as the setting allows.
pub(super) struct IdArgs<'c, 'a> {
    call: &'c Call<'a>,
    first: usize,
}

impl<'c, 'a> IdArgs<'c, 'a> {
    /// The ids from the argument at `first` on.
    pub(super) fn new(call: &'c Call<'a>, first: usize) -> Result<Self, Error> {
        let ids = Self { call, first };
        check_batch(call, "ids", ids.count())?;
        Ok(ids)
    }

    pub(super) fn count(&self) -> usize {
        self.call.argc() - self.first
    }

    /// All ids, once each of them is checked.
    pub(super) fn checked(&self) -> Result<Vec<&'a [u8]>, Error> {
        let ids: Vec<_> = self.call.args_from(self.first).collect();
        ids.iter().try_for_each(|bytes| id(bytes).map(drop))?;
        Ok(ids)
    }

    /// The ids, kept after the call has returned.
    pub(super) fn keep(&self) -> KeptArgs {
        self.call.keep_args(self.first)
    }

    /// The ids, each checked as it is read: for commands that can still refuse after the last.
    pub(super) fn check_as_read(&self) -> CheckedIds<'a, impl Iterator<Item = &'a [u8]>> {
        CheckedIds { ids: self.call.args_from(self.first), bad: None }
    }
}

/// Ids that are checked as they are read.
pub(super) struct CheckedIds<'a, I> {
    ids: I,
    /// What was read last, if it is no id.
    bad: Option<&'a [u8]>,
}

impl<'a, I: Iterator<Item = &'a [u8]>> CheckedIds<'a, I> {
    /// Must be called at the end, which may have come early.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.bad.map_or(Ok(()), |bad| id(bad).map(drop))
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Iterator for CheckedIds<'a, I> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let bytes = self.ids.next()?;
        if bounds::is_id(bytes) {
            return Some(bytes);
        }
        self.bad = Some(bytes);
        None
    }
}
