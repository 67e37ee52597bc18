//! Rows by id: `{"4711":{"styleId":"12"}}`.

use std::borrow::Cow;

use super::error::{BatchError, Form, RowFault, as_text, in_form};
use super::expected_parts;
use super::rows::{RowBatch, RowsBuilder};
use crate::json::{Scanner, decode_text, is_null, read_members};
use crate::table::bounds::{MAX_FIELDS, is_id_length};

/// Hands on the rows of an argument, at most `max`.
pub fn with_json_rows<R>(
    argument: &[u8],
    max: usize,
    take: impl FnOnce(RowBatch<'_>) -> R,
) -> Result<R, BatchError> {
    let text = as_text(argument, Form::Rows)?;
    if let Some(rows) = read_plain(text, max) {
        return Ok(take(rows));
    }
    let decoded = decode(text, max)?;
    Ok(take(build(&decoded)?))
}

pub(super) fn read_plain(text: &str, max: usize) -> Option<RowBatch<'_>> {
    let mut scanner = Scanner::new(text);
    let mut builder = RowsBuilder::with_capacity(expected_parts(text, USUAL_BYTES), 0);
    let mut left = max;
    scanner.each(*b"{}", |scanner| {
        let id = scanner.string()?;
        left = left.checked_sub(1).filter(|_| is_id_length(id.len()))?;
        scanner.take(b':')?;
        builder.begin(id);
        scanner.each(*b"{}", |scanner| {
            let name = scanner.string()?;
            scanner.take(b':')?;
            match scanner.text_or_null()? {
                Some(value) => builder.value(name, value).ok(),
                None => builder.null(name).ok(),
            }
        })?;
        builder.end().ok()
    })?;
    scanner.end()?;
    Some(builder.finish())
}

/// A row's id and its fields.
type DecodedRow<'a> = (Cow<'a, str>, Vec<DecodedField<'a>>);

/// A field's name and its value; `None` where it is null.
type DecodedField<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// The rows of any JSON.
fn decode(text: &str, max: usize) -> Result<Vec<DecodedRow<'_>>, BatchError> {
    let mut rows = Vec::new();
    let read = read_members(text, |id, json| {
        if !is_id_length(id.len()) {
            return Err(Some(BatchError::BadId(id.into_owned())));
        }
        if rows.len() == max {
            return Err(Some(BatchError::TooMany));
        }
        let fields = decode_fields(&id, json)?;
        rows.push((id, fields));
        Ok(())
    });
    read.map_err(in_form(Form::Rows, text, text)).map(|()| rows)
}

fn decode_fields<'a>(id: &str, json: &'a str) -> Result<Vec<DecodedField<'a>>, BatchError> {
    let fault = |field: Option<&str>, fault| BatchError::Row {
        id: id.to_owned(),
        field: field.map(str::to_owned),
        fault,
    };
    if !json.starts_with('{') {
        return Err(fault(None, RowFault::NotAnObject));
    }
    let (mut fields, mut values) = (Vec::new(), 0);
    let read = read_members(json, |name, json| {
        let value = if is_null(json) {
            None
        } else {
            let value = decode_text(json).ok_or_else(|| Some(fault(Some(&name), value_fault(json))))?;
            // What can be no row isn't kept: it may be most of a long argument, and takes many times its bytes.
            if values == MAX_FIELDS {
                return Err(Some(fault(Some(&name), RowFault::TooManyFields)));
            }
            values += 1;
            Some(value)
        };
        fields.push((name, value));
        Ok(())
    });
    // The row is JSON, as serde_json has gone over it: only a name's escapes can still be wrong.
    read.map_err(|error| error.own.unwrap_or_else(|| fault(None, RowFault::NotUnicode))).map(|()| fields)
}

/// What is wrong with a value that is no text.
pub(super) fn value_fault(json: &str) -> RowFault {
    if json.starts_with('"') { RowFault::NotUnicode } else { RowFault::NotAValue }
}

fn build<'d>(rows: &'d [DecodedRow<'_>]) -> Result<RowBatch<'d>, BatchError> {
    let mut builder = RowsBuilder::with_capacity(rows.len(), rows.len());
    for (id, fields) in rows {
        let fault = |field: Option<&str>, fault| BatchError::Row {
            id: id.clone().into_owned(),
            field: field.map(str::to_owned),
            fault,
        };
        builder.begin(id.as_bytes());
        for (name, value) in fields {
            let added = match value {
                Some(value) => builder.value(name.as_bytes(), value.as_bytes()),
                None => builder.null(name.as_bytes()),
            };
            added.map_err(|wrong| fault(Some(name), wrong))?;
        }
        builder.end().map_err(|(field, wrong)| fault(field, wrong))?;
    }
    Ok(builder.finish())
}

/// About the bytes of a row, so that room is made once.
const USUAL_BYTES: usize = 40;
