//! `VEHPRICE.CLEAR`

use super::{KEY, KEY_ARG, refill};
use crate::command::error::Error;
use crate::server::{Call, Command, Example, KeyFlag, KeySpec, Spec};

/// Deletes a table.
pub struct Clear;

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
        about: "\
As `DEL`, but for a table alone: a key of another type is left as it is. With `lazyfree-lazy-server-del` the memory of a large \
table is given back in the background.

All claims on the key end (`VEHPRICE.CLAIM`), whether there is a table or not: what was fetched before can't be written after.",
        replies: &[("there was a table", "1"), ("else", "0")],
        examples: &[
            Example("VEHPRICE.SET prices 4711 FIELDS 1 styleId 12", "(integer) 1"),
            Example("VEHPRICE.CLEAR prices", "(integer) 1"),
            Example("VEHPRICE.CLEAR prices", "(integer) 0"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut key = call.write_key(KEY)?;
        let there = key.table()?.is_some();
        if there {
            key.delete(c"vehprice.clear");
        }
        refill::cleared(call);
        call.reply_count(usize::from(there));
        Ok(())
    }
}
