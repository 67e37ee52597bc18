//! Columns: `{"ids":["4711"],"fields":["styleId"],"columns":[["12"]]}`.

use std::borrow::Cow;

use super::error::{BatchError, Form, RowFault, as_text, in_form};
use super::id_list::{self, read_plain_ids};
use super::json_rows::value_fault;
use super::rows::{RowBatch, RowsBuilder};
use super::{MOST_EXPECTED, expected_parts};
use crate::json::{Scanner, decode_text, is_null, read_elements, read_members};
use crate::table::bounds::{self, MAX_FIELDS, MAX_VALUE_BYTES};

/// Hands on the rows of an argument, at most `max`.
pub fn with_columns<R>(
    argument: &[u8],
    max: usize,
    take: impl FnOnce(RowBatch<'_>) -> R,
) -> Result<R, BatchError> {
    let text = as_text(argument, Form::Columns)?;
    if let Some(rows) = read_plain(text, max) {
        return Ok(take(rows));
    }
    let Decoded { ids, fields, cells } = decode(text, max)?;
    let columns = Columns {
        ids: ids.iter().map(|id| id.as_bytes()).collect(),
        fields: fields.iter().map(|field| field.as_bytes()).collect(),
        cells: cells.iter().map(|cell| cell.as_ref().map(|value| value.as_bytes())).collect(),
    };
    Ok(take(columns.into_rows(text.len())?))
}

/// Columns, complete: as many cells as ids times fields.
struct Columns<'a> {
    ids: Vec<&'a [u8]>,
    fields: Vec<&'a [u8]>,
    /// Column by column; `None` where a row lacks the field.
    cells: Vec<Option<&'a [u8]>>,
}

/// Columns come last, as `GETALL` answers them, so that it is known how many cells there are to be. Any other order is
/// left to serde_json.
pub(super) fn read_plain(text: &str, max: usize) -> Option<RowBatch<'_>> {
    let mut scanner = Scanner::new(text);
    let (mut ids, mut fields, mut cells) = (None, None, None);
    scanner.each(*b"{}", |scanner| {
        let name = scanner.string()?;
        scanner.take(b':')?;
        let is_new = match name {
            b"ids" => {
                let mut list = Vec::with_capacity(expected_parts(text, USUAL_BYTES));
                read_plain_ids(scanner, max, |id| list.push(id))?;
                ids.replace(list).is_none()
            }
            b"fields" => {
                let mut list = Vec::new();
                scanner.texts(|field| {
                    list.push(field.filter(|_| list.len() < max_fields(max))?);
                    Some(())
                })?;
                fields.replace(list).is_none()
            }
            b"columns" => {
                let list = read_plain_cells(scanner, ids.as_ref()?.len(), fields.as_ref()?.len())?;
                cells.replace(list).is_none()
            }
            _ => false,
        };
        is_new.then_some(())
    })?;
    scanner.end()?;
    Columns { ids: ids?, fields: fields?, cells: cells? }.into_rows(text.len()).ok()
}

/// The most fields that this many rows can have.
fn max_fields(rows: usize) -> usize {
    rows.saturating_mul(MAX_FIELDS)
}

/// The cells of as many columns as fields, each as long as there are ids.
fn read_plain_cells<'a>(
    scanner: &mut Scanner<'a>,
    ids: usize,
    fields: usize,
) -> Option<Vec<Option<&'a [u8]>>> {
    let mut cells = Vec::with_capacity(ids.saturating_mul(fields).min(MOST_EXPECTED));
    let mut columns = 0;
    scanner.each(*b"[]", |scanner| {
        columns += 1;
        let end = columns * ids;
        scanner.texts(|cell| {
            cells.push(cell);
            (cells.len() <= end).then_some(())
        })?;
        (cells.len() == end && columns <= fields).then_some(())
    })?;
    (columns == fields).then_some(cells)
}

impl<'a> Columns<'a> {
    /// The rows of the columns, which `text_bytes` were read for.
    fn into_rows(self, text_bytes: usize) -> Result<RowBatch<'a>, BatchError> {
        check_fields(&self.fields)?;
        if self.fields.len() <= MAX_FIELDS
            && !self.fields.is_empty()
            && self.cells.iter().all(Option::is_some)
        {
            return self.into_uniform_rows();
        }
        let max_name_bytes = (text_bytes * MAX_EXPANSION).max(MIN_NAME_BYTES);
        let mut builder = RowsBuilder::with_capacity(self.ids.len(), self.cells.len());
        for (row, id) in self.ids.iter().enumerate() {
            let fault = |field: Option<&[u8]>, fault| BatchError::Row {
                id: owned(id),
                field: field.map(owned),
                fault,
            };
            builder.begin(id);
            let column = self.cells.iter().skip(row).step_by(self.ids.len());
            for (field, cell) in self.fields.iter().zip(column) {
                if let Some(value) = cell {
                    builder.value(field, value).map_err(|wrong| fault(Some(field), wrong))?;
                }
            }
            builder.end().map_err(|(_, wrong)| match self.fields.first() {
                Some(field) if wrong == RowFault::NoField => fault(Some(field), RowFault::AllNull),
                _ => fault(None, wrong),
            })?;
            if builder.name_bytes() > max_name_bytes {
                return Err(BatchError::TooManyLists);
            }
        }
        Ok(builder.finish())
    }

    /// The rows, all of which have all fields.
    fn into_uniform_rows(self) -> Result<RowBatch<'a>, BatchError> {
        let Self { ids, fields, cells } = self;
        if let Some(at) = cells.iter().flatten().position(|value| value.len() > MAX_VALUE_BYTES) {
            let part = |list: &[&[u8]], at: usize| list.get(at).copied().map(owned).unwrap_or_default();
            return Err(BatchError::Row {
                id: part(&ids, at % ids.len()),
                field: Some(part(&fields, at / ids.len())),
                fault: RowFault::TooLong,
            });
        }
        let mut columns: Vec<_> =
            cells.chunks(ids.len().max(1)).map(|column| column.iter().flatten()).collect();
        let mut values = Vec::with_capacity(cells.len());
        for _ in &ids {
            values.extend(columns.iter_mut().filter_map(Iterator::next));
        }
        let fields = fields.into_iter().filter_map(bounds::name).collect();
        Ok(RowBatch::uniform(fields, ids, values))
    }
}

/// How many times the bytes of the argument the names in all rows' different lists may take. In columns a name
/// stands once, and `null` makes lists of its own.
const MAX_EXPANSION: usize = 8;

/// What they may take in any case.
const MIN_NAME_BYTES: usize = 1 << 20;

/// A text for an error.
fn owned(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Refuses what are no names, and the same name twice.
fn check_fields(fields: &[&[u8]]) -> Result<(), BatchError> {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    if let Some(field) = fields.iter().find(|field| bounds::name(field).is_none()) {
        return Err(BatchError::BadField(owned(field)));
    }
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| a == b) {
        Some((twice, _)) => Err(BatchError::FieldTwice(owned(twice))),
        None => Ok(()),
    }
}

/// Columns of any JSON.
struct Decoded<'a> {
    ids: Vec<Cow<'a, str>>,
    fields: Vec<Cow<'a, str>>,
    cells: Vec<Option<Cow<'a, str>>>,
}

fn decode(text: &str, max: usize) -> Result<Decoded<'_>, BatchError> {
    let mut members = [("ids", None), ("fields", None), ("columns", None)];
    read_members(text, |name, json| {
        let member = members.iter_mut().find(|(own, _)| *own == name);
        let Some((own, place)) = member else {
            return Err(Some(BatchError::UnknownMember(name.into_owned())));
        };
        match place.replace(json) {
            Some(_) => Err(Some(BatchError::MemberTwice(own))),
            None => Ok(()),
        }
    })
    .map_err(in_form(Form::Columns, text, text))?;
    let [ids_json, fields_json, columns_json] =
        members.map(|(name, json)| json.ok_or(BatchError::MissingMember(name)));
    let ids = id_list::decode(text, ids_json?, max, Form::Columns)?;
    let fields_json = fields_json?;
    let decode_field = |json| decode_text(json).ok_or(None);
    let fields = read_elements(fields_json, max_fields(max), decode_field);
    let fields = fields.map_err(in_form(Form::Columns, text, fields_json))?;
    if fields.more {
        return Err(BatchError::TooManyFields);
    }
    let fields = fields.list;
    let cells = decode_cells(text, columns_json?, &ids, &fields)?;
    Ok(Decoded { ids, fields, cells })
}

fn decode_cells<'a>(
    text: &'a str,
    columns: &'a str,
    ids: &[Cow<'_, str>],
    fields: &[Cow<'_, str>],
) -> Result<Vec<Option<Cow<'a, str>>>, BatchError> {
    let mut cells = Vec::new();
    let mut fields_left = fields.iter();
    let read = read_elements(columns, fields.len(), |column| {
        let field = fields_left.next().map(|field| field.clone().into_owned()).unwrap_or_default();
        let mut ids_left = ids.iter();
        let values = read_elements(column, ids.len(), |json| {
            let id = ids_left.next();
            let value = if is_null(json) { Some(None) } else { decode_text(json).map(Some) };
            cells.push(value.ok_or_else(|| {
                let id = id.map(|id| id.clone().into_owned()).unwrap_or_default();
                Some(BatchError::Row { id, field: Some(field.clone()), fault: value_fault(json) })
            })?);
            Ok(())
        })
        .map_err(in_form(Form::Columns, text, column))?;
        if values.more || ids_left.next().is_some() {
            return Err(Some(BatchError::ColumnLength { field, ids: ids.len() }));
        }
        Ok(())
    });
    let columns = read.map_err(in_form(Form::Columns, text, columns))?;
    if columns.more || fields_left.next().is_some() {
        return Err(BatchError::ColumnCount { fields: fields.len() });
    }
    Ok(cells)
}

/// About the bytes of a cell, so that room is made once.
const USUAL_BYTES: usize = 8;
