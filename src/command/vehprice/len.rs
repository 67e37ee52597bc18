//! `VEHPRICE.LEN`

use super::{KEY, KEY_ARG, TELLS, swept_table};
use crate::command::error::Error;
use crate::server::{Call, Command, Example, Spec};

/// Counts rows.
pub struct Len;

impl Command for Len {
    const SPEC: Spec = Spec {
        name: "vehprice.len",
        summary: "Returns how many rows of a price table are live.",
        complexity: "O(1) while no row has expired that was not swept yet, else O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: 2,
        keys: TELLS,
        args: &[KEY_ARG],
        about: "\
Expired rows do not count, whether they were swept or not.",
        replies: &[("always", "how many rows, 0 if there is no table")],
        examples: &[
            Example("VEHPRICE.MSET prices FIELDS 1 styleId ROWS 4711 12 4712 13", "(integer) 2"),
            Example("VEHPRICE.LEN prices", "(integer) 2"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        call.reply_count(swept_table(call, &mut key)?.map_or(0, |table| table.len(now_ms)));
        Ok(())
    }
}
