//! `VEHPRICE.CLEAR`

use quotelock_server::{Call, Command, KeyFlag, KeySpec, Spec};

use super::{KEY, KEY_ARG, single_flight, table_key};
use crate::data_type::PriceTable;
use crate::error::Error;

/// Deletes a table.
pub(crate) struct Clear;

impl Command for Clear {
    const SPEC: Spec = Spec {
        name: "vehprice.clear",
        summary: "Deletes a price table.",
        complexity: "O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "write",
        categories: "write slow",
        arity: 2,
        keys: &[KeySpec::first(&[KeyFlag::Rm, KeyFlag::Delete])],
        args: &[KEY_ARG],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let key = call.open_write(KEY)?.typed::<PriceTable>()?;
        let was_there = key.value().is_some();
        single_flight::table_cleared(table_key(call));
        if was_there {
            key.delete(c"vehprice.clear");
        }
        call.reply_count(usize::from(was_there));
        Ok(())
    }
}
