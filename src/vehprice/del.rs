//! `VEHPRICE.DEL`

use quotelock_server::{Call, Command, KeyFlag, KeySpec, ReplicaArg, Spec};

use super::ids::IdArgs;
use super::open_table::{OpenTable, WriteCounts};
use super::write::DEL;
use super::{ID_ARG, KEY, KEY_ARG, single_flight};
use crate::counters::ROWS_DELETED;
use crate::error::Error;

/// Deletes rows.
pub(crate) struct Del;

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
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let ids = IdArgs::new(call, IDS)?.checked()?;
        let mut open = OpenTable::write(call)?;
        // What comes from the primary was decided there: these rows were live, though here they may have
        // expired or been swept.
        let is_replay = call.is_replay();
        let mut deleted = Vec::new();
        if let Some(table) = open.table_mut() {
            let now_ms = call.now_ms();
            for (index, id) in (IDS..).zip(&ids) {
                if table.remove(id, now_ms) || is_replay {
                    deleted.push(ReplicaArg::Arg(index));
                }
            }
        }
        let count = deleted.len();
        ROWS_DELETED.add(count);
        single_flight::rows_written(call, ids.iter().copied(), false);
        open.commit(WriteCounts { stored: 0, deleted: count }, |_| {
            call.replicate(DEL, [ReplicaArg::Arg(KEY)].into_iter().chain(deleted));
        });
        call.reply_count(count);
        Ok(())
    }
}
