//! `VEHPRICE.INFO`

use std::collections::HashSet;
use std::ptr;

use super::{KEY, KEY_ARG, TELLS, swept_table};
use crate::command::error::Error;
use crate::server::{Call, Command, Example, Spec};

/// Tells of a table.
pub struct Info;

impl Command for Info {
    const SPEC: Spec = Spec {
        name: "vehprice.info",
        summary: "Returns how many rows and fields a price table has, its bytes, and when rows expire.",
        complexity: "O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: 2,
        keys: TELLS,
        args: &[KEY_ARG],
        about: "\
`rows` and the expiries are those of live rows; `bytes` is what the table takes, expired rows that were not swept yet included.",
        replies: &[
            ("there is no table", "nil"),
            (
                "else",
                "a map of `rows`, `fields` (distinct names), `bytes`, `earliestExpiry` and `latestExpiry` (unix milliseconds, nil if no row expires)",
            ),
        ],
        examples: &[Example("VEHPRICE.INFO nowhere", "(nil)")],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let mut key = call.read_key(KEY)?;
        let now_ms = call.now_ms();
        let Some(table) = swept_table(call, &mut key)? else {
            call.reply_nil();
            return Ok(());
        };
        let (mut rows, mut names) = (0_usize, HashSet::new());
        let (mut earliest, mut latest) = (None, None);
        let mut last = None;
        for row in table.iter(now_ms) {
            rows = rows.saturating_add(1);
            // Most rows have the fields of the row before.
            if !last.is_some_and(|last| ptr::eq(last, row.shape())) {
                names.extend(row.shape().names());
                last = Some(row.shape());
            }
            if let Some(ms) = row.expiry().unix_ms() {
                earliest = Some(earliest.map_or(ms, |earliest: i64| earliest.min(ms)));
                latest = latest.max(Some(ms));
            }
        }
        call.reply_map(5);
        for (name, count) in [("rows", rows), ("fields", names.len()), ("bytes", table.bytes())] {
            call.reply_bytes(name.as_bytes());
            call.reply_count(count);
        }
        for (name, expiry) in [("earliestExpiry", earliest), ("latestExpiry", latest)] {
            call.reply_bytes(name.as_bytes());
            match expiry {
                Some(ms) => call.reply_integer(ms),
                None => call.reply_nil(),
            }
        }
        Ok(())
    }
}
