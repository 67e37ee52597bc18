//! `VEHPRICE.GETALL`

use quotelock_core::json::JsonWriter;
use quotelock_core::table::Row;
use quotelock_server::{Call, Command, Spec};

use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, JSON_RAW_ARG, Projection};
use super::{KEY_ARG, READS, count_reads};
use crate::args::ArgCursor;
use crate::error::Error;

/// Reads all rows.
pub(crate) struct GetAll;

impl Command for GetAll {
    const SPEC: Spec = Spec {
        name: "vehprice.getall",
        summary: "Returns all rows of a price table.",
        complexity: "O(N) where N is the number of rows",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        arity: -2,
        keys: READS,
        args: &[KEY_ARG, FIELDS_ARG, JSON_RAW_ARG],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let projection = Projection::parse(ArgCursor::new(Self::SPEC.name, 2, call.args_from(2)))?;
        let open = OpenTable::read(call)?;
        let now_ms = call.now_ms();
        let rows = || open.table().into_iter().flat_map(|table| table.iter(now_ms));
        let count = open.table().map_or(0, |table| table.len(now_ms));
        count_reads(count, count);
        if projection.is_json() {
            let mut json = JsonWriter::with_capacity(count * ROW_BYTES);
            write_object(rows(), &projection, &mut json);
            call.reply_bytes(json.finish()?);
        } else {
            reply_rows(call, count, rows(), &projection);
        }
        Ok(())
    }
}

/// Answers rows as a map from their ids.
pub(super) fn reply_rows<'t>(
    call: &Call<'_>,
    count: usize,
    rows: impl Iterator<Item = Row<'t>>,
    projection: &Projection<'_>,
) {
    call.reply_map(count);
    for row in rows {
        call.reply_bytes(row.id());
        projection.reply(call, Some(row));
    }
}

/// Writes rows as a JSON object from their ids.
pub(super) fn write_object<'t>(
    rows: impl Iterator<Item = Row<'t>>,
    projection: &Projection<'_>,
    json: &mut JsonWriter,
) {
    json.write_raw(b"{");
    let mut before = "\"";
    for row in rows {
        json.write_raw(before.as_bytes());
        before = ",\"";
        json.write_escaped(row.id());
        json.write_raw(b"\":");
        projection.write_json(Some(row), json);
    }
    json.write_raw(b"}");
}

/// About what a row and its id take in JSON.
const ROW_BYTES: usize = 64;
