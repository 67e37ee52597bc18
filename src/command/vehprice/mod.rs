//! `VEHPRICE.*`: a table of vehicle prices.

mod batch;
mod claim;
mod clear;
mod del;
mod get;
mod getall;
mod info;
mod len;
mod mget;
mod mgethash;
mod mset;
mod projection;
mod pttl;
mod refill;
mod release;
mod scan;
mod set;
mod verify;

pub use claim::Claim;
pub use clear::Clear;
pub use del::Del;
pub use get::Get;
pub use getall::GetAll;
pub use info::Info;
pub use len::Len;
pub use mget::MGet;
pub use mgethash::MGetHash;
pub use mset::MSet;
pub use pttl::Pttl;
pub use refill::{on_alarm, on_event};
pub use release::Release;
pub use scan::Scan;
pub use set::Set;
pub use verify::Verify;

use std::ffi::CStr;

use super::counters::{ROWS_EXPIRED, ROWS_HIT, ROWS_MISSED, ROWS_READ};
use super::error::Error;
use super::settings::check_batch;
use crate::server::{Arg, Call, Key, KeyFlag, KeySpec, excerpt};
use crate::vehprice::{Expiry, Row, Table, bounds};

/// Where the key is in the arguments of all of them.
const KEY: usize = 1;

/// The keyspace event of rows that were stored.
const SET_EVENT: &CStr = c"vehprice.set";

/// The keyspace event of rows that were deleted.
const DEL_EVENT: &CStr = c"vehprice.del";

const KEY_ARG: Arg = Arg::key("key", "the key of the table");
const ID_ARG: Arg = Arg::string("id", "the vehicle's id");

/// The key of a command that reads rows.
const READS: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro, KeyFlag::Access])];

/// The key of a command that writes rows: `MERGE` and `KEEPTTL` read them too.
const WRITES: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])];

/// The key of a command that tells of a table and not of its rows.
const TELLS: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro])];

/// How many pages of a table a command sweeps on its way: some hundred rows.
const SWEEP_PAGES: usize = 16;

/// After how many bytes that were freed it stops earlier: freeing a value of 100 kB takes longer than sweeping a page.
const SWEEP_BYTES: usize = 256 * 1024;

/// The table of a key, after a step of sweeping; `None` if there is no key.
///
/// A sweep changes nothing that anyone can see, so it is done by reads too.
fn swept_table<'k>(call: &Call<'_>, key: &'k mut Key<'_, '_>) -> Result<Option<&'k mut Table>, Error> {
    let Some(table) = key.table()? else {
        return Ok(None);
    };
    if table.take_arrival() {
        refill::cleared(call);
    }
    ROWS_EXPIRED.add(table.sweep(call.now_ms(), SWEEP_PAGES, SWEEP_BYTES).unwrap_or(0));
    Ok(Some(table))
}

/// A row's id.
#[inline]
fn id(bytes: &[u8]) -> Result<&[u8], Error> {
    if bounds::is_id(bytes) { Ok(bytes) } else { Err(Error::BadId(excerpt(bytes))) }
}

/// Ids of rows, as many as the setting allows.
fn ids<'a>(call: &Call<'a>, first: usize) -> Result<Vec<&'a [u8]>, Error> {
    check_batch(call, "ids", call.argc().saturating_sub(first))?;
    let ids: Vec<_> = call.args_from(first).collect();
    ids.iter().try_for_each(|bytes| id(bytes).map(drop))?;
    Ok(ids)
}

/// Ids of rows that are checked as they are read, for who can still refuse when all are.
struct IdsInTurn<'a, I> {
    words: I,
    /// The word that was read last, if it is no id.
    bad: Option<&'a [u8]>,
}

impl<'a, I: Iterator<Item = &'a [u8]>> IdsInTurn<'a, I> {
    fn new(words: I) -> Self {
        Self { words, bad: None }
    }

    /// To be called at the end: it may have come early.
    fn check(&self) -> Result<(), Error> {
        self.bad.map_or(Ok(()), |bad| id(bad).map(drop))
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Iterator for IdsInTurn<'a, I> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let word = self.words.next()?;
        if bounds::is_id(word) {
            return Some(word);
        }
        self.bad = Some(word);
        None
    }
}

/// A field's name.
fn field(bytes: &[u8]) -> Result<&str, Error> {
    bounds::name(bytes).ok_or_else(|| Error::BadField(excerpt(bytes)))
}

/// The value of a field.
#[inline]
fn value<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
    bounds::value(bytes).ok_or_else(|| Error::BadValue(excerpt(name.as_bytes())))
}

/// Visits the row of each id, or none.
#[inline]
fn each<'t, 'i>(
    table: Option<&'t Table>,
    ids: impl Iterator<Item = &'i [u8]>,
    now_ms: i64,
    mut visit: impl FnMut(Option<Row<'t>>),
) {
    match table {
        Some(table) => table.get_each(ids, now_ms, visit),
        None => ids.for_each(|_| visit(None)),
    }
}

/// Ends a table that a write left without a live row: the key goes. False while one is live.
///
/// What comes from the primary ends no table: the primary says so, whatever the clock here says.
fn end_if_over(call: &Call<'_>, key: &mut Key<'_, '_>) -> Result<bool, Error> {
    let now_ms = call.now_ms();
    let Some(table) = key.table()? else {
        return Ok(true);
    };
    let is_over = !call.is_replay() && table.latest_expiry().is_none_or(|latest| latest.is_over(now_ms));
    if is_over {
        key.delete(DEL_EVENT);
    }
    Ok(is_over)
}

/// Has the key expire with its longest-lived row, and tells those who listen of so many rows stored and deleted.
fn settle(call: &Call<'_>, key: &mut Key<'_, '_>, stored: usize, deleted: usize) -> Result<(), Error> {
    if stored == 0 && deleted == 0 {
        return Ok(());
    }
    // Only where the write is a replay can no row be left: those that were there for the primary are over by this clock, and
    // so is the key. Redis shows a key to the end of its last millisecond, so that must have passed.
    let latest = key.table()?.and_then(Table::latest_expiry);
    key.set_expiry(latest.unwrap_or(Expiry::at(call.now_ms().saturating_sub(1))).unix_ms());
    if stored > 0 {
        key.signal(SET_EVENT);
    }
    if deleted > 0 {
        key.signal(DEL_EVENT);
    }
    Ok(())
}

/// Counts rows that were asked for, and those that were there.
fn count_reads(asked: usize, hits: usize) {
    ROWS_READ.add(asked);
    ROWS_HIT.add(hits);
    ROWS_MISSED.add(asked.saturating_sub(hits));
}
