//! The ids of a call's rows: one in each argument, or a list in one.

use std::ops::Range;

use quotelock_core::batch::IdList;
use quotelock_core::table::{Row, bounds};
use quotelock_server::{Arg, Call, KeptArgs, excerpt};

use super::ID_ARG;
use super::open_table::OpenTable;
use crate::args::ArgCursor;
use crate::error::Error;
use crate::settings::{batch_limit, check_batch};

/// Ids after `IDS`, or in one argument after `LIST`.
pub(super) const IDS_OR_LIST_ARG: Arg = Arg::one_of(
    "ids",
    &[ID_ARG.after("IDS").multiple(), Arg::string("ids", "a JSON array of ids").after("LIST")],
);

/// A row's id.
#[inline]
pub(super) fn id(bytes: &[u8]) -> Result<&[u8], Error> {
    if bounds::is_id(bytes) { Ok(bytes) } else { Err(Error::BadId(excerpt(bytes))) }
}

/// The ids at the end of a call's arguments, as many as the setting allows.
pub(super) enum Ids<'c, 'a> {
    /// Each is an argument.
    Each(IdArgs<'c, 'a>),
    /// All are in the argument at this index, checked.
    List(&'c Call<'a>, usize, IdList<'a>),
}

impl<'c, 'a> Ids<'c, 'a> {
    /// Takes the word read last, if it is one that ids come after, with the ids.
    pub(super) fn take_word<I>(call: &'c Call<'a>, args: &mut ArgCursor<'a, I>) -> Result<Option<Self>, Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let at = args.position();
        if args.is("IDS") {
            if at == call.argc() {
                return Err(Error::NoIds);
            }
            return Self::each(call, at).map(Some);
        }
        if !args.is("LIST") {
            return Ok(None);
        }
        let list = IdList::parse(args.last_value("LIST")?, batch_limit(call));
        list.map(|list| Some(Self::List(call, at, list))).map_err(|error| Error::of_batch(error, "ids"))
    }

    /// The ids from the argument at `first` on.
    pub(super) fn each(call: &'c Call<'a>, first: usize) -> Result<Self, Error> {
        IdArgs::new(call, first).map(Self::Each)
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Each(args) => args.count(),
            Self::List(_, _, list) => list.ids().len(),
        }
    }

    /// Hands on all ids, once each of them is checked.
    pub(super) fn with_checked<R>(&self, take: impl FnOnce(&[&[u8]]) -> R) -> Result<R, Error> {
        Ok(match self {
            Self::Each(args) => take(&args.checked()?),
            Self::List(_, _, list) => take(&list.ids()),
        })
    }

    /// Visits the row of each id, or none, in order. Stops at the first that is no id: for commands that can still
    /// refuse after the last.
    #[inline]
    pub(super) fn each_row<'t>(
        &self,
        open: &'t OpenTable<'_, '_>,
        visit: impl FnMut(Option<Row<'t>>),
    ) -> Result<(), Error> {
        match self {
            Self::Each(args) => {
                let mut ids = args.check_as_read();
                open.each_row(&mut ids, visit);
                ids.finish()
            }
            Self::List(_, _, list) => {
                open.each_row(list.ids().iter().copied(), visit);
                Ok(())
            }
        }
    }

    /// The ids, kept after the call has returned.
    pub(super) fn keep(&self) -> KeptIds {
        match self {
            Self::Each(args) => KeptIds::Each(args.call.keep_args(args.first)),
            Self::List(call, at, list) => match list.ranges_in(call.arg(*at)) {
                Some(ranges) => KeptIds::Slices(call.keep_args(*at), ranges),
                None => KeptIds::Own(list.ids().iter().map(|id| (*id).into()).collect()),
            },
        }
    }
}

/// Ids of a client that waits, in its own arguments where they stand there as they are.
pub(super) enum KeptIds {
    Each(KeptArgs),
    /// Slices of one argument.
    Slices(KeptArgs, Box<[Range<u32>]>),
    Own(Box<[Box<[u8]>]>),
}

impl KeptIds {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Each(args) => args.count(),
            Self::Slices(_, ranges) => ranges.len(),
            Self::Own(ids) => ids.len(),
        }
    }

    /// The id at `index`; empty beyond the last.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        match self {
            Self::Each(args) => args.get(index),
            Self::Slices(arg, ranges) => {
                let range = ranges.get(index).map(|range| range.start as usize..range.end as usize);
                range.and_then(|range| arg.get(0).get(range)).unwrap_or_default()
            }
            Self::Own(ids) => ids.get(index).map(|id| &**id).unwrap_or_default(),
        }
    }

    /// How many bytes it takes to keep them, arguments not counted.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Each(args) => args.bytes(),
            Self::Slices(arg, ranges) => arg.bytes() + size_of_val(&**ranges),
            Self::Own(ids) => size_of_val(&**ids) + ids.iter().map(|id| id.len()).sum::<usize>(),
        }
    }
}

/// The ids that are an argument each.
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

    fn count(&self) -> usize {
        self.call.argc() - self.first
    }

    /// All ids, once each of them is checked.
    pub(super) fn checked(&self) -> Result<Vec<&'a [u8]>, Error> {
        let ids: Vec<_> = self.call.args_from(self.first).collect();
        ids.iter().try_for_each(|bytes| id(bytes).map(drop))?;
        Ok(ids)
    }

    /// The ids, each checked as it is read.
    fn check_as_read(&self) -> CheckedIds<'a, impl Iterator<Item = &'a [u8]>> {
        CheckedIds { ids: self.call.args_from(self.first), bad: None }
    }
}

/// Ids that are checked as they are read.
struct CheckedIds<'a, I> {
    ids: I,
    /// What was read last, if it is no id.
    bad: Option<&'a [u8]>,
}

impl<'a, I: Iterator<Item = &'a [u8]>> CheckedIds<'a, I> {
    /// Must be called at the end, which may have come early.
    fn finish(self) -> Result<(), Error> {
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
