//! Why JSON that came as an argument is refused.

use std::fmt;

use crate::json::ReadError;
use crate::table::bounds::{MAX_FIELDS, MAX_NAME_BYTES, MAX_VALUE_BYTES};

/// What an argument of JSON holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A list of ids.
    Ids,
    /// Rows by id.
    Rows,
    /// Ids, fields, and a column of values for each field.
    Columns,
}

impl fmt::Display for Form {
    /// What was expected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ids => r#"ids like ["4711","4712"]"#,
            Self::Rows => r#"rows like {"4711":{"styleId":"12"}}"#,
            Self::Columns => r#"columns like {"ids":["4711"],"fields":["styleId"],"columns":[["12"]]}"#,
        })
    }
}

/// Why JSON is refused. The texts in it are the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// Not UTF-8.
    NotUtf8(Form),
    /// Not JSON, or not of this form; the byte at which that shows, counted from 1.
    Malformed(Form, usize),
    /// More ids or rows than allowed.
    TooMany,
    /// More fields of columns than as many rows as allowed can have.
    TooManyFields,
    /// Not a row's id.
    BadId(String),
    /// Not a field's name.
    BadField(String),
    /// A field that is there twice among the fields of columns.
    FieldTwice(String),
    /// A member of the object of columns that has no meaning.
    UnknownMember(String),
    /// A member that is there twice.
    MemberTwice(&'static str),
    /// A member that is missing.
    MissingMember(&'static str),
    /// More or fewer columns than fields.
    ColumnCount {
        /// How many fields there are.
        fields: usize,
    },
    /// A column with more or fewer values than there are ids; its field.
    ColumnLength {
        /// The field.
        field: String,
        /// How many ids there are.
        ids: usize,
    },
    /// Rows whose different lists of fields would take far more bytes in names than the argument has.
    TooManyLists,
    /// A row's fields are wrong.
    Row {
        /// The row's id.
        id: String,
        /// The field at fault, if it is one field.
        field: Option<String>,
        /// What is wrong.
        fault: RowFault,
    },
}

/// What is wrong with a row, or with the field that is named before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Not an object.
    #[error("expected an object of fields and values")]
    NotAnObject,
    /// No field at all.
    #[error("expected at least one field")]
    NoField,
    /// No field with a value.
    #[error("is null, and no field has a value")]
    AllNull,
    /// Too many fields.
    #[error("expected at most {MAX_FIELDS} fields")]
    TooManyFields,
    /// A name that is too short or too long.
    #[error("expected a name of 1 to {MAX_NAME_BYTES} bytes")]
    BadName,
    /// A name or a value with half a surrogate pair.
    #[error("expected Unicode, not half of a surrogate pair")]
    NotUnicode,
    /// The same field twice.
    #[error("is repeated")]
    Twice,
    /// Neither a string nor a number.
    #[error("expected a string, a number or null")]
    NotAValue,
    /// A value that is too long.
    #[error("expected a value of at most {MAX_VALUE_BYTES} bytes")]
    TooLong,
}

/// The error of reading `part`, a slice of an argument of this form.
pub(super) fn in_form(form: Form, text: &str, part: &str) -> impl Fn(ReadError<BatchError>) -> BatchError {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    move |error| error.own.unwrap_or(BatchError::Malformed(form, start + error.at))
}

/// The argument as text.
pub(super) fn as_text(argument: &[u8], form: Form) -> Result<&str, BatchError> {
    std::str::from_utf8(argument).map_err(|_| BatchError::NotUtf8(form))
}
