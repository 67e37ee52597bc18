//! `VEHPRICE.*`: a table of vehicle prices.

mod changes;
mod claim;
mod clear;
mod columns;
mod del;
mod fields;
mod get;
mod getall;
mod ids;
mod info;
mod last_rows;
mod len;
mod mget;
mod mgethash;
mod mset;
pub(crate) mod mset_form;
mod open_table;
mod projection;
mod pttl;
mod release;
mod row_args;
mod scan;
mod set;
pub(crate) mod single_flight;
mod verify;
mod waiting;
mod write;
mod write_options;

pub(crate) use changes::Changes;
pub(crate) use claim::Claim;
pub(crate) use clear::Clear;
pub(crate) use del::Del;
pub(crate) use get::Get;
pub(crate) use getall::GetAll;
pub(crate) use info::Info;
pub(crate) use len::Len;
pub(crate) use mget::MGet;
pub(crate) use mgethash::MGetHash;
pub(crate) use mset::MSet;
pub(crate) use pttl::Pttl;
pub(crate) use release::Release;
pub(crate) use scan::Scan;
pub(crate) use set::Set;
pub(crate) use single_flight::{on_database_change, on_slots_change};
pub(crate) use verify::Verify;
pub(crate) use waiting::on_timer;

use std::ffi::CStr;

use quotelock_core::single_flight::TableKey;
use quotelock_server::{Arg, Call, KeyFlag, KeySpec};

use crate::counters::{ROWS_HIT, ROWS_MISSED, ROWS_READ};

/// Where the key of the table is among the arguments.
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

/// The key of a command that describes a table and does not read its rows.
const METADATA: &[KeySpec] = &[KeySpec::first(&[KeyFlag::Ro])];

/// The key of a call's table.
fn table_key<'a>(call: &Call<'a>) -> TableKey<'a> {
    TableKey { db: call.db(), name: call.arg(KEY) }
}

/// Counts rows that were asked for, and those that were there.
fn count_reads(asked: usize, hits: usize) {
    ROWS_READ.add(asked);
    ROWS_HIT.add(hits);
    ROWS_MISSED.add(asked - hits);
}
