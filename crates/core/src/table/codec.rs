//! Version 1 of the saved form of a table.
//!
//! A table is saved as chunks: one of shapes, any number of rows, and a seal. No row crosses from one chunk
//! into the next, so neither side holds more than one or two chunks besides the table.
//!
//! | chunk | content |
//! |---|---|
//! | shapes | count, then of each: count of names, then of each: length, text |
//! | rows | count (1 or more), then of each: expiry (8 bytes), length, id, number of the shape, values |
//! | seal | 0, count of all rows (8 bytes), checksum of all chunks before (8 bytes) |
//!
//! A value is its length and its text. Counts and lengths are unsigned LEB128; numbers of a fixed width are
//! little-endian.
//!
//! The decoder trusts nothing: it refuses what a table could not have held, and what doesn't match the
//! checksum.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use super::bounds::{self, MAX_EXPIRY_MS, MAX_FIELDS};
use super::loader::{DuplicateId, Loader};
use super::row::{EncodedRow, read_length, write_length};
use super::shape::{ShapeRef, Shapes};
use super::{Expiry, Table};
use crate::Seed;
use crate::json::needs_escapes;

/// A chunk ends with the row that brings it to this length.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why a saved table is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the wording says it")]
pub enum DecodeError {
    #[error("its field names are damaged")]
    Shapes,
    #[error("a row is damaged")]
    Row,
    #[error("an id is repeated")]
    DuplicateId,
    #[error("its end is missing")]
    Unsealed,
    #[error("data follows its end")]
    AfterSeal,
    #[error("rows are missing")]
    Count,
    #[error("its checksum does not match")]
    Checksum,
}

/// Saves the rows that are live at `now_ms`, chunk by chunk.
#[expect(clippy::expect_used, reason = "a row saved under another shape's names would be another price")]
pub fn encode(table: &Table, now_ms: i64, mut save: impl FnMut(&[u8])) {
    let mut checksum = Xxh3::new();
    let mut emit = |chunk: &[u8]| {
        checksum.update(chunk);
        save(chunk);
    };
    // Only the shapes of live rows, in the order in which they come.
    let (mut numbers, mut shapes) = (HashMap::new(), Vec::new());
    for row in table.iter(now_ms) {
        numbers.entry(row.shape_id()).or_insert_with(|| {
            shapes.push(row.shape());
            shapes.len() - 1
        });
    }
    let mut chunk = Vec::new();
    write_length(&mut chunk, shapes.len());
    for shape in shapes {
        write_length(&mut chunk, shape.names().len());
        for name in shape.names() {
            write_text(&mut chunk, name.as_bytes());
        }
    }
    emit(&chunk);

    let (mut rows, mut count, mut total) = (Vec::new(), 0, 0_u64);
    let mut flush = |rows: &mut Vec<u8>, count: &mut usize| {
        chunk.clear();
        write_length(&mut chunk, *count);
        chunk.append(rows);
        *count = 0;
        emit(&chunk);
    };
    for row in table.iter(now_ms) {
        rows.extend_from_slice(&row.expiry().to_bytes());
        write_text(&mut rows, row.id());
        let shape = numbers.get(&row.shape_id()).expect("the shapes of all live rows are numbered");
        write_length(&mut rows, *shape);
        for value in row.values() {
            write_text(&mut rows, value);
        }
        count += 1;
        total += 1;
        if rows.len() >= CHUNK_BYTES {
            flush(&mut rows, &mut count);
        }
    }
    if count > 0 {
        flush(&mut rows, &mut count);
    }

    let mut seal = vec![0];
    seal.extend_from_slice(&total.to_le_bytes());
    seal.extend_from_slice(&checksum.digest().to_le_bytes());
    save(&seal);
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    write_length(out, text.len());
    out.extend_from_slice(text);
}

/// Loads a table, chunk by chunk.
pub struct Decoder {
    loader: Loader,
    /// `None` before the first chunk.
    shapes: Option<SavedShapes>,
    checksum: Xxh3,
    is_sealed: bool,
}

impl Decoder {
    /// A decoder into a table with this seed.
    pub fn new(seed: Seed) -> Self {
        Self { loader: Loader::new(seed), shapes: None, checksum: Xxh3::new(), is_sealed: false }
    }

    /// Takes the next chunk. Returns whether it was the last.
    pub fn take(&mut self, chunk: &[u8]) -> Result<bool, DecodeError> {
        if self.is_sealed {
            return Err(DecodeError::AfterSeal);
        }
        match &mut self.shapes {
            None => self.shapes = Some(SavedShapes::read(chunk).ok_or(DecodeError::Shapes)?),
            Some(shapes) => {
                let (count, rest) = read_length(chunk).ok_or(DecodeError::Row)?;
                if count == 0 {
                    self.check_seal(rest)?;
                    self.is_sealed = true;
                    return Ok(true);
                }
                read_rows(&mut self.loader, shapes, count, rest).ok_or(DecodeError::Row)?;
            }
        }
        self.checksum.update(chunk);
        Ok(false)
    }

    fn check_seal(&self, seal: &[u8]) -> Result<(), DecodeError> {
        let (rows, rest) = seal.split_first_chunk().ok_or(DecodeError::Unsealed)?;
        let checksum = rest.try_into().map_err(|_| DecodeError::Unsealed)?;
        if usize::try_from(u64::from_le_bytes(*rows)) != Ok(self.loader.rows()) {
            return Err(DecodeError::Count);
        }
        if u64::from_le_bytes(checksum) != self.checksum.digest() {
            return Err(DecodeError::Checksum);
        }
        Ok(())
    }

    /// The table, if all of it was taken. `pause` is called now and then: each call of the decoder's takes no
    /// longer than a chunk or two of rows do, but this one.
    pub fn finish(mut self, pause: impl FnMut()) -> Result<Table, DecodeError> {
        if !self.is_sealed {
            return Err(DecodeError::Unsealed);
        }
        if let Some(shapes) = self.shapes {
            shapes.release(self.loader.shapes_mut());
        }
        self.loader.finish(pause).map_err(|DuplicateId| DecodeError::DuplicateId)
    }
}

/// The shapes of the rows to come. One is made when the first row has it, and kept until all rows are there:
/// a shape that no row has costs nothing but its bytes.
struct SavedShapes {
    chunk: Vec<u8>,
    list: Vec<SavedShape>,
}

struct SavedShape {
    /// Where its names are in the chunk.
    names: Range<usize>,
    fields: usize,
    made: Option<ShapeRef>,
}

impl SavedShapes {
    fn read(chunk: &[u8]) -> Option<Self> {
        let (count, mut rest) = read_length(chunk)?;
        // Bytes decide whether two shapes are the same, as there is one way to write each length.
        let (mut list, mut known, mut names) = (Vec::new(), HashSet::new(), HashSet::new());
        for _ in 0..count {
            let (fields, after) = read_length(rest)?;
            rest = after;
            if !(1..=MAX_FIELDS).contains(&fields) {
                return None;
            }
            let start = chunk.len() - rest.len();
            names.clear();
            for _ in 0..fields {
                if !names.insert(bounds::name(read_text(&mut rest)?)?) {
                    return None;
                }
            }
            let range = start..chunk.len() - rest.len();
            if !known.insert(chunk.get(range.clone())?) {
                return None;
            }
            list.push(SavedShape { names: range, fields, made: None });
        }
        rest.is_empty().then(|| Self { chunk: chunk.to_vec(), list })
    }

    fn fields(&self, index: usize) -> Option<usize> {
        Some(self.list.get(index)?.fields)
    }

    /// The shape among those of the table.
    fn make(&mut self, index: usize, shapes: &mut Shapes) -> Option<ShapeRef> {
        let shape = self.list.get_mut(index)?;
        if shape.made.is_none() {
            let mut rest = self.chunk.get(shape.names.clone())?;
            let names = (0..shape.fields).map(|_| bounds::name(read_text(&mut rest)?));
            shape.made = Some(shapes.intern(&names.collect::<Option<Vec<_>>>()?));
        }
        shape.made
    }

    fn release(self, shapes: &mut Shapes) {
        for shape in self.list.into_iter().filter_map(|shape| shape.made) {
            shapes.release(shape.id);
        }
    }
}

/// Reads this many rows, and nothing else.
fn read_rows(loader: &mut Loader, shapes: &mut SavedShapes, count: usize, mut rest: &[u8]) -> Option<()> {
    for _ in 0..count {
        let row = read_row(loader.shapes_mut(), shapes, &mut rest)?;
        loader.add(row);
    }
    rest.is_empty().then_some(())
}

fn read_row<'c>(
    table_shapes: &mut Shapes,
    shapes: &mut SavedShapes,
    rest: &mut &'c [u8],
) -> Option<EncodedRow<'c>> {
    let (expiry, after) = rest.split_first_chunk()?;
    let expiry = Expiry::from_bytes(*expiry);
    *rest = after;
    if expiry.unix_ms().is_some_and(|ms| !(1..=MAX_EXPIRY_MS).contains(&ms)) {
        return None;
    }
    let id = read_text(rest).filter(|id| bounds::is_id(id))?;
    let (shape, after) = read_length(rest)?;
    *rest = after;
    // Values are saved as they are kept.
    let mut is_plain = true;
    for _ in 0..shapes.fields(shape)? {
        let value = read_text(rest).filter(|value| bounds::is_value(value))?;
        is_plain &= !needs_escapes(value);
    }
    let values = after.get(..after.len() - rest.len())?;
    let shape = shapes.make(shape, table_shapes)?;
    Some(EncodedRow { id, expiry, shape, is_plain, values })
}

fn read_text<'c>(rest: &mut &'c [u8]) -> Option<&'c [u8]> {
    let (length, after) = read_length(rest)?;
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk of shapes, each of 64 names of 256 bytes that JSON writes six times as long.
    fn wide_shapes(count: usize) -> Vec<u8> {
        let mut chunk = Vec::new();
        write_length(&mut chunk, count);
        for shape in 0..count {
            write_length(&mut chunk, MAX_FIELDS);
            for name in 0..MAX_FIELDS {
                write_text(&mut chunk, format!("{}{shape:04}{name:02}", "\u{1}".repeat(250)).as_bytes());
            }
        }
        chunk
    }

    #[test]
    fn a_shape_that_no_row_has_is_not_made() {
        let chunk = wide_shapes(50);
        let mut decoder = Decoder::new([1, 2, 3, 4]);
        assert_eq!(decoder.take(&chunk), Ok(false));
        assert_eq!(decoder.loader.bytes(), Table::new([1, 2, 3, 4]).bytes());
        // A row has the last of them.
        let mut rows = vec![1];
        rows.extend_from_slice(&Expiry::NEVER.to_bytes());
        write_text(&mut rows, b"4711");
        write_length(&mut rows, 49);
        (0..MAX_FIELDS).for_each(|_| write_text(&mut rows, b"12"));
        assert_eq!(decoder.take(&rows), Ok(false));
        assert!(decoder.loader.bytes() < 3 * chunk.len() / 50, "{} bytes", decoder.loader.bytes());
    }
}
