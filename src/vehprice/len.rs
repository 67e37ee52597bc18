//! `VEHPRICE.LEN`

use quotelock_server::{Call, Command, Spec};

use super::open_table::OpenTable;
use super::{KEY_ARG, METADATA};
use crate::error::Error;

/// Counts rows.
pub(crate) struct Len;

impl Command for Len {
    const SPEC: Spec = Spec {
        name: "vehprice.len",
        summary: "Returns the number of live rows of a price table.",
        complexity: "O(1) if all expired rows have been swept, else O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: 2,
        keys: METADATA,
        args: &[KEY_ARG],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let open = OpenTable::read(call)?;
        call.reply_count(open.table().map_or(0, |table| table.len(call.now_ms())));
        Ok(())
    }
}
