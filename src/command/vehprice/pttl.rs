//! `VEHPRICE.PTTL`

use super::{ID_ARG, KEY, KEY_ARG, READS, each, ids, swept_table};
use crate::command::error::Error;
use crate::server::{Call, Command, Example, Spec};
use crate::vehprice::Row;

/// Tells when rows expire.
pub struct Pttl;

/// Where the ids begin.
const IDS: usize = 2;

/// What is answered of a row that does not expire, and of one that is not there.
const NEVER: i64 = -1;
const ABSENT: i64 = -2;

impl Command for Pttl {
    const SPEC: Spec = Spec {
        name: "vehprice.pttl",
        summary: "Returns in how many milliseconds rows of a price table expire.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -3,
        keys: READS,
        args: &[KEY_ARG, ID_ARG.multiple()],
        about: "\
The same numbers as `PTTL` answers of keys. At most `quotelock.max-batch` ids.",
        replies: &[(
            "always",
            "an array: for each id the milliseconds left, -1 if the row does not expire, -2 if there is none",
        )],
        examples: &[Example("VEHPRICE.PTTL nowhere 4711", "1) (integer) -2")],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let ids = ids(call, IDS)?;
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let table = swept_table(call, &mut key)?;
        let left = |row: Option<Row<'_>>| {
            row.map_or(ABSENT, |row| row.expiry().unix_ms().map_or(NEVER, |ms| ms.saturating_sub(now_ms)))
        };
        call.reply_array(ids.len());
        each(table.as_deref(), ids.iter().copied(), now_ms, |row| call.reply_integer(left(row)));
        Ok(())
    }
}
