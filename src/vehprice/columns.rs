//! Answering rows by column.

use std::collections::HashSet;

use quotelock_core::json::{JsonWriter, TooLong};
use quotelock_core::table::{ByShape, ColumnsWriter, Row, finish_array};
use quotelock_server::Call;

use super::ids::Ids;
use super::open_table::OpenTable;
use super::projection::Projection;
use crate::error::Error;
use crate::reply::{json_writer, reply_json, too_long};
use crate::settings::max_reply_bytes;

/// Answers the rows of ids: `{"missing":[…],"columns":[…]}`. Returns how many were there.
pub(super) fn reply_columns(
    call: &Call<'_>,
    open: &OpenTable<'_, '_>,
    ids: &Ids<'_, '_>,
    projection: &Projection<'_>,
) -> Result<usize, Error> {
    let mut columns = Columns::new(projection.columns());
    let mut hits = 0;
    ids.each_row(open, |row| {
        hits += usize::from(row.is_some());
        columns.add(row);
    })?;
    let mut json = json_writer(0);
    columns.write_to(&mut json).map_err(too_long)?;
    reply_json(call, &mut json)?;
    Ok(hits)
}

/// Writes rows by column, as [`reply_columns`] answers them.
pub(super) fn write_columns(
    rows: &[Option<Row<'_>>],
    projection: &Projection<'_>,
    json: &mut JsonWriter,
) -> Result<(), Error> {
    let mut columns = Columns::new(projection.columns());
    rows.iter().for_each(|row| columns.add(*row));
    columns.write_to(json).map_err(too_long)
}

/// Answers all rows: `{"ids":[…],"fields":[…],"columns":[…]}`; there are `count`.
pub(super) fn reply_all_columns<'t>(
    call: &Call<'_>,
    rows: impl Iterator<Item = Row<'t>> + Clone,
    count: usize,
    projection: &Projection<'_>,
) -> Result<(), Error> {
    let all;
    let names = if projection.has_fields() {
        projection.names()
    } else {
        all = all_names(rows.clone());
        &all
    };
    // An element takes three bytes at least.
    if count.saturating_mul(names.len()).saturating_mul(3) > max_reply_bytes() {
        return Err(too_long(TooLong));
    }
    let mut columns = Columns::new(ColumnsWriter::new(names, max_reply_bytes()));
    let (mut ids, mut fields) = (json_writer(0), json_writer(0));
    for row in rows {
        ids.write_element(row.id(), false);
        columns.add(Some(row));
    }
    for name in names {
        fields.write_element(name.as_bytes(), false);
    }
    let mut json = json_writer(0);
    write_all(&mut ids, &mut fields, columns, &mut json).map_err(too_long)?;
    reply_json(call, &mut json)
}

fn write_all(
    ids: &mut JsonWriter,
    fields: &mut JsonWriter,
    columns: Columns<'_, '_>,
    json: &mut JsonWriter,
) -> Result<(), TooLong> {
    json.write_raw(b"{\"ids\":");
    finish_array(ids, json)?;
    json.write_raw(b",\"fields\":");
    finish_array(fields, json)?;
    json.write_raw(b",\"columns\":");
    columns.finish(json)?.write_columns(json)?;
    json.write_raw(b"}");
    Ok(())
}

/// The names of all fields, in the order in which rows have them first.
fn all_names<'t>(rows: impl Iterator<Item = Row<'t>>) -> Vec<&'t str> {
    let (mut names, mut known, mut shapes) = (Vec::new(), HashSet::new(), ByShape::new());
    for row in rows {
        shapes.get(row.shape(), |_| names.extend(row.shape().names().filter(|name| known.insert(*name))));
    }
    names
}

/// Columns that are collected; once they are long the rows that follow are looked at before they are written, so
/// that what will be refused isn't built.
struct Columns<'n, 't> {
    writer: ColumnsWriter<'n>,
    later: Vec<Option<Row<'t>>>,
}

impl<'n, 't> Columns<'n, 't> {
    fn new(writer: ColumnsWriter<'n>) -> Self {
        Self { writer, later: Vec::new() }
    }

    #[inline]
    fn add(&mut self, row: Option<Row<'t>>) {
        if self.writer.is_long() {
            self.later.push(row);
        } else {
            self.writer.add(row);
        }
    }

    /// All rows, written; makes room for them in `json`.
    fn finish(mut self, json: &mut JsonWriter) -> Result<ColumnsWriter<'n>, TooLong> {
        self.writer.check_room(self.later.iter().copied())?;
        self.later.into_iter().for_each(|row| self.writer.add(row));
        json.make_room([self.writer.bytes()].into_iter())?;
        Ok(self.writer)
    }

    fn write_to(self, json: &mut JsonWriter) -> Result<(), TooLong> {
        let mut writer = self.finish(json)?;
        json.write_raw(b"{\"missing\":");
        writer.write_missing(json)?;
        json.write_raw(b",\"columns\":");
        writer.write_columns(json)?;
        json.write_raw(b"}");
        Ok(())
    }
}
