//! A list of ids.

use std::borrow::Cow;
use std::ops::Range;

use super::error::{BatchError, Form, as_text, in_form};
use super::expected_parts;
use crate::json::{Scanner, decode_text, read_elements};
use crate::table::bounds::is_id_length;

/// Ids of rows, each checked.
#[derive(Debug)]
pub struct IdList<'a>(Repr<'a>);

#[derive(Debug)]
enum Repr<'a> {
    /// Slices of the argument.
    Plain(Vec<&'a [u8]>),
    /// Some have escapes.
    Decoded(Vec<Cow<'a, str>>),
}

impl<'a> IdList<'a> {
    /// Reads a JSON array of strings or numbers, at most `max`. The id of a number is the text it is written in.
    pub fn parse(argument: &'a [u8], max: usize) -> Result<Self, BatchError> {
        let text = as_text(argument, Form::Ids)?;
        if let Some(ids) = read_plain(text, max) {
            return Ok(Self(Repr::Plain(ids)));
        }
        decode(text, text, max, Form::Ids).map(|ids| Self(Repr::Decoded(ids)))
    }

    /// The ids in order.
    pub fn ids(&self) -> Cow<'_, [&[u8]]> {
        match &self.0 {
            Repr::Plain(ids) => Cow::Borrowed(ids),
            Repr::Decoded(ids) => ids.iter().map(|id| id.as_bytes()).collect(),
        }
    }

    /// Where each stands in the argument that was parsed, if all are slices of it.
    pub fn ranges_in(&self, argument: &[u8]) -> Option<Box<[Range<u32>]>> {
        let Repr::Plain(ids) = &self.0 else {
            return None;
        };
        let range = |id: &&[u8]| {
            let start = id.as_ptr().addr().checked_sub(argument.as_ptr().addr())?;
            let end = u32::try_from(start + id.len()).ok()?;
            Some(u32::try_from(start).ok()?..end)
        };
        ids.iter().map(range).collect()
    }
}

fn read_plain(text: &str, max: usize) -> Option<Vec<&[u8]>> {
    let mut scanner = Scanner::new(text);
    let mut ids = Vec::with_capacity(expected_parts(text, USUAL_BYTES));
    read_plain_ids(&mut scanner, max, |id| ids.push(id))?;
    scanner.end()?;
    Some(ids)
}

/// Reads an array of ids that are in bounds, at most `max`.
#[inline]
pub(super) fn read_plain_ids<'a>(
    scanner: &mut Scanner<'a>,
    max: usize,
    mut take: impl FnMut(&'a [u8]),
) -> Option<()> {
    let mut left = max;
    scanner.texts(|id| {
        let id = id.filter(|id| is_id_length(id.len()))?;
        left = left.checked_sub(1)?;
        take(id);
        Some(())
    })
}

/// The same by serde_json, of a part of the argument.
pub(super) fn decode<'a>(
    text: &'a str,
    part: &'a str,
    max: usize,
    form: Form,
) -> Result<Vec<Cow<'a, str>>, BatchError> {
    let decode_id = |json| match decode_text(json) {
        None => Err(None),
        Some(id) if is_id_length(id.len()) => Ok(id),
        Some(id) => Err(Some(BatchError::BadId(id.into_owned()))),
    };
    let ids = read_elements(part, max, decode_id).map_err(in_form(form, text, part))?;
    if ids.more { Err(BatchError::TooMany) } else { Ok(ids.list) }
}

/// About the bytes of an id in a list, so that room is made once.
const USUAL_BYTES: usize = 8;
