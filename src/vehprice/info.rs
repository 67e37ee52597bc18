//! `VEHPRICE.INFO`

use std::collections::HashSet;
use std::ptr;

use quotelock_core::table::Table;
use quotelock_server::{Call, Command, Spec};

use super::changes::new_history;
use super::open_table::OpenTable;
use super::{KEY_ARG, METADATA};
use crate::error::Error;

/// Describes a table.
pub(crate) struct Info;

impl Command for Info {
    const SPEC: Spec = Spec {
        name: "vehprice.info",
        summary: "Returns a price table's number of rows, fields and bytes, its earliest and latest expiry, and its revision.",
        complexity: "O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: 2,
        keys: METADATA,
        args: &[KEY_ARG],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut open = OpenTable::read(call)?;
        let Some(table) = open.table_mut() else {
            call.reply_nil();
            return Ok(());
        };
        let revision = table.revision(call.now_ms(), new_history).to_string();
        let facts = Facts::of(table, call.now_ms());
        open.update_info();
        reply(call, &facts, open.bytes(), &revision);
        Ok(())
    }
}

/// What the live rows of a table are like.
struct Facts {
    rows: usize,
    fields: usize,
    min_expiry_ms: Option<i64>,
    max_expiry_ms: Option<i64>,
}

impl Facts {
    fn of(table: &Table, now_ms: i64) -> Self {
        let (mut rows, mut names, mut shapes, mut last) = (0, HashSet::new(), HashSet::new(), None);
        let (mut min_expiry_ms, mut max_expiry_ms) = (None, None);
        for row in table.iter(now_ms) {
            rows += 1;
            // Most rows have the shape of the row before.
            if !last.is_some_and(|last| ptr::eq(last, row.shape())) {
                last = Some(row.shape());
                if shapes.insert(ptr::from_ref(row.shape())) {
                    names.extend(row.shape().names());
                }
            }
            if let Some(ms) = row.expiry().unix_ms() {
                min_expiry_ms = Some(min_expiry_ms.map_or(ms, |min: i64| min.min(ms)));
                max_expiry_ms = max_expiry_ms.max(Some(ms));
            }
        }
        Self { rows, fields: names.len(), min_expiry_ms, max_expiry_ms }
    }
}

fn reply(call: &Call<'_>, facts: &Facts, bytes: usize, revision: &str) {
    call.reply_map(6);
    for (name, count) in [("rows", facts.rows), ("fields", facts.fields), ("bytes", bytes)] {
        call.reply_bytes(name.as_bytes());
        call.reply_count(count);
    }
    for (name, expiry_ms) in [("earliestExpiry", facts.min_expiry_ms), ("latestExpiry", facts.max_expiry_ms)]
    {
        call.reply_bytes(name.as_bytes());
        match expiry_ms {
            Some(ms) => call.reply_integer(ms),
            None => call.reply_nil(),
        }
    }
    call.reply_bytes(b"revision");
    call.reply_bytes(revision.as_bytes());
}
