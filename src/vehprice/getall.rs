//! `VEHPRICE.GETALL`

use quotelock_core::json::{JsonWriter, TooLong};
use quotelock_core::table::Row;
use quotelock_core::table::bounds::MAX_ID_BYTES;
use quotelock_server::{Call, Command, Spec};

use super::columns::reply_all_columns;
use super::open_table::OpenTable;
use super::projection::{FIELDS_ARG, FORMAT_ARG, Projection};
use super::{KEY_ARG, READS, count_reads};
use crate::args::ArgCursor;
use crate::counters::SIZES_GETALL;
use crate::error::Error;
use crate::reply::{
    MAX_HEAD_BYTES, MAX_STRING_HEAD_BYTES, ReplySink, check_length, json_writer, reply_json, too_long,
};

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
        args: &[KEY_ARG, FIELDS_ARG, FORMAT_ARG],
    };
    type Error = Error;

    fn run(call: &Call<'_>) -> Result<(), Error> {
        let projection = parse(call)?;
        let open = OpenTable::read(call)?;
        let now_ms = call.now_ms();
        let rows = open.table().into_iter().flat_map(|table| table.iter(now_ms));
        let count = open.table().map_or(0, |table| table.len(now_ms));
        reply(call, rows, count, &projection)?;
        count_reads(count, count);
        SIZES_GETALL.count(count);
        Ok(())
    }
}

/// Answers all rows; there are `count`.
fn reply<'t>(
    call: &Call<'_>,
    rows: impl Iterator<Item = Row<'t>> + Clone,
    count: usize,
    projection: &Projection<'_>,
) -> Result<(), Error> {
    if projection.is_columns() {
        return reply_all_columns(call, rows, count, projection);
    }
    if projection.is_json() {
        let mut json = json_writer(count * ROW_BYTES);
        write_object(rows, projection, &mut json).map_err(too_long)?;
        return reply_json(call, &mut json);
    }
    let rows: Vec<_> = rows.collect();
    check_length(max_rows_len(&rows, projection), |length| reply_rows(length, &rows, projection))?;
    reply_rows(call, &rows, projection);
    Ok(())
}

fn parse<'a>(call: &Call<'a>) -> Result<Projection<'a>, Error> {
    let mut projection = Projection::whole();
    let mut args = ArgCursor::new(GetAll::SPEC.name, 2, call.args_from(2));
    while args.advance() {
        projection.take_word_or_columns(&mut args)?;
    }
    projection.check()?;
    Ok(projection)
}

/// Answers rows as a map from their ids.
pub(super) fn reply_rows(to: &impl ReplySink, rows: &[Row<'_>], projection: &Projection<'_>) {
    to.reply_map(rows.len());
    for row in rows {
        if to.is_too_long() {
            return;
        }
        to.reply_bytes(row.id());
        projection.reply(to, Some(*row));
    }
}

/// The most bytes that [`reply_rows`] sends.
pub(super) fn max_rows_len(rows: &[Row<'_>], projection: &Projection<'_>) -> usize {
    let max_len = |row: &Row<'_>| MAX_STRING_HEAD_BYTES + MAX_ID_BYTES + projection.max_reply_len(Some(*row));
    MAX_HEAD_BYTES + rows.iter().map(max_len).sum::<usize>()
}

/// Writes rows as a JSON object from their ids.
pub(super) fn write_object<'t>(
    mut rows: impl Iterator<Item = Row<'t>> + Clone,
    projection: &Projection<'_>,
    json: &mut JsonWriter,
) -> Result<(), TooLong> {
    json.write_raw(b"{");
    let (mut before, mut is_measured) = ("\"", false);
    while let Some(row) = rows.next() {
        json.write_raw(before.as_bytes());
        before = ",\"";
        json.write_escaped(row.id());
        json.write_raw(b"\":");
        projection.write_json(Some(row), json);
        // Once the JSON is long the rest is measured first, so that no more is written if it will be refused.
        if json.is_long() && !is_measured {
            is_measured = true;
            json.make_room(rows.clone().map(|row| min_member_len(row, projection)))?;
        }
    }
    json.write_raw(b"}");
    Ok(())
}

/// The least that a row and its id take.
fn min_member_len(row: Row<'_>, projection: &Projection<'_>) -> usize {
    ",\"\":".len() + row.id().len() + projection.min_json_len(Some(row))
}

/// About what a row and its id take in JSON.
const ROW_BYTES: usize = 64;
