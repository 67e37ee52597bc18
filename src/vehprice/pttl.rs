//! `VEHPRICE.PTTL`

use quotelock_core::table::Row;
use quotelock_server::{Call, Command, Spec};

use super::ids::IdArgs;
use super::open_table::OpenTable;
use super::{ID_ARG, KEY_ARG, READS};
use crate::error::Error;
use crate::reply::{MAX_HEAD_BYTES, ReplySink, check_length};

/// Tells when rows expire.
pub(crate) struct Pttl;

/// Where the ids begin.
const IDS: usize = 2;

/// What is answered for a row that does not expire, and for one that is not there.
const NEVER: i64 = -1;
const ABSENT: i64 = -2;

impl Command for Pttl {
    const SPEC: Spec = Spec {
        name: "vehprice.pttl",
        summary: "Returns the time to live of rows of a price table, in milliseconds.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: READS,
        args: &[KEY_ARG, ID_ARG.multiple()],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let ids = IdArgs::new(call, IDS)?.checked()?;
        let open = OpenTable::read(call)?;
        let now_ms = call.now_ms();
        let left_ms = |row: Row<'_>| row.expiry().unix_ms().map_or(NEVER, |ms| ms - now_ms);
        let mut times = Vec::with_capacity(ids.len());
        open.each_row(ids.into_iter(), |row| times.push(row.map_or(ABSENT, left_ms)));
        check_length(MAX_HEAD_BYTES * (times.len() + 1), |length| reply(length, &times))?;
        reply(call, &times);
        Ok(())
    }
}

fn reply(to: &impl ReplySink, times: &[i64]) {
    to.reply_array(times.len());
    times.iter().for_each(|ms| to.reply_integer(*ms));
}
