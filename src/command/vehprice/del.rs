//! `VEHPRICE.DEL`

use super::{ID_ARG, KEY, KEY_ARG, end_if_over, ids, refill, settle, swept_table};
use crate::command::counters::ROWS_DELETED;
use crate::command::error::Error;
use crate::server::{Call, Command, Example, KeyFlag, KeySpec, Part, Spec};

/// Deletes rows.
pub struct Del;

/// Where the ids begin.
const IDS: usize = 2;

impl Command for Del {
    const SPEC: Spec = Spec {
        name: "vehprice.del",
        summary: "Deletes rows of a price table.",
        complexity: "O(N) where N is the number of ids",
        since: "0.1.0",
        flags: "write",
        categories: "write slow",
        arity: -3,
        keys: &[KeySpec::first(&[KeyFlag::Rw, KeyFlag::Delete])],
        args: &[KEY_ARG, ID_ARG.multiple()],
        about: "\
The key goes with its last live row. The claims on these ids end, whether there are rows or not (`VEHPRICE.CLAIM`). At most \
`quotelock.max-batch` ids.",
        replies: &[("always", "how many rows were deleted")],
        examples: &[
            Example("VEHPRICE.MSET prices FIELDS 1 styleId ROWS 4711 12 4712 13", "(integer) 2"),
            Example("VEHPRICE.DEL prices 4711 4799", "(integer) 1"),
            Example("VEHPRICE.DEL prices 4712", "(integer) 1"),
            Example("EXISTS prices", "(integer) 0"),
        ],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let ids = ids(call, IDS)?;
        let mut key = call.write_key(KEY)?;
        // What comes from the primary was decided there: these rows were live, though they may be over or swept here.
        let is_replay = call.is_replay();
        let now_ms = call.now_ms();
        let mut deleted = Vec::new();
        if let Some(table) = swept_table(call, &mut key)? {
            for (index, id) in (IDS..).zip(&ids) {
                if table.remove(id, now_ms) || is_replay {
                    deleted.push(index);
                }
            }
            ROWS_DELETED.add(deleted.len());
            if !end_if_over(call, &mut key)? && !deleted.is_empty() {
                let ids = deleted.iter().map(|index| Part::Arg(*index));
                call.replicate(c"VEHPRICE.DEL", [Part::Arg(KEY)].into_iter().chain(ids));
                settle(call, &mut key, 0, deleted.len())?;
            }
        }
        if refill::any() {
            refill::written(call, ids.into_iter(), false);
        }
        call.reply_count(deleted.len());
        Ok(())
    }
}
