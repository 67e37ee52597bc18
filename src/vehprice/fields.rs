//! The names and values of a call's fields.

use quotelock_core::table::bounds::{self, MAX_FIELDS};
use quotelock_server::excerpt;

use crate::args::ArgCursor;
use crate::error::{Error, Range};

/// How many fields a row can have.
#[expect(clippy::cast_possible_wrap, reason = "64 is 64")]
pub(super) const NUM_FIELDS: Range = Range { unit: "a number of fields", min: 1, max: MAX_FIELDS as i64 };

/// A field's name.
pub(super) fn field(bytes: &[u8]) -> Result<&str, Error> {
    bounds::name(bytes).ok_or_else(|| Error::BadField(excerpt(bytes)))
}

/// The value of a field.
#[inline]
pub(super) fn value<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
    if bounds::is_value(bytes) { Ok(bytes) } else { Err(Error::BadValue(excerpt(name.as_bytes()))) }
}

/// The names after `word`: their count, then as many names.
pub(super) fn counted_fields<'a, I>(
    args: &mut ArgCursor<'a, I>,
    word: &'static str,
) -> Result<Vec<&'a str>, Error>
where
    I: Iterator<Item = &'a [u8]>,
{
    let count = args.integer(word, NUM_FIELDS)?;
    let mut names = Vec::new();
    for _ in 0..count {
        let name = args.argument().ok_or(Error::TooFewFields { word, fields: count })?;
        names.push(field(name)?);
    }
    Ok(names)
}

/// Adds the name of a field that is written or verified; none may be there twice.
pub(super) fn push_field<'a>(names: &mut Vec<&'a str>, name: &'a [u8]) -> Result<&'a str, Error> {
    let name = field(name)?;
    if names.contains(&name) {
        return Err(Error::FieldTwice(excerpt(name.as_bytes())));
    }
    names.push(name);
    Ok(name)
}
