//! One row as it is kept: its expiry, its shape, its id and its values in one run of bytes.

use super::bounds::MAX_VALUE_BYTES;
use super::shape::{MAX_SHAPES, Shape, ShapeId, ShapeRef};
use crate::json::{JsonWriter, needs_escapes};
use crate::short::is_equal;

/// When a row expires, in milliseconds since 1970; it is visible before that instant and never after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(i64);

impl Expiry {
    /// The row does not expire.
    pub const NEVER: Self = Self(i64::MAX);

    /// Earlier than any.
    pub(super) const MIN: Self = Self(i64::MIN);

    /// At this many milliseconds since 1970.
    pub const fn at(unix_ms: i64) -> Self {
        Self(unix_ms)
    }

    /// Milliseconds since 1970; `None` where the row does not expire.
    pub fn unix_ms(self) -> Option<i64> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// The expiry as it is saved.
    pub(super) const fn to_bytes(self) -> [u8; EXPIRY_BYTES] {
        self.0.to_le_bytes()
    }

    /// The expiry that was saved as these bytes.
    pub(super) const fn from_bytes(bytes: [u8; EXPIRY_BYTES]) -> Self {
        Self(i64::from_le_bytes(bytes))
    }

    /// Whether it has passed at `now_ms`.
    pub const fn is_expired(self, now_ms: i64) -> bool {
        self.0 <= now_ms
    }

    /// For how many milliseconds it has passed at `now_ms`.
    pub(super) fn ms_ago(self, now_ms: i64) -> usize {
        usize::try_from(now_ms.saturating_sub(self.0)).unwrap_or_default()
    }
}

/// Set in a row's shape number where a value, or a name of the shape, has a character that JSON escapes.
const ESCAPES: ShapeId = MAX_SHAPES;

const EXPIRY_BYTES: usize = 8;

/// Expiry (8), shape and flag (4), length of the id less one (1).
const HEAD_BYTES: usize = 13;

/// The bytes of the longest value's length.
const MAX_LENGTH_BYTES: usize = 3;
const _: () = assert!(MAX_VALUE_BYTES < 1 << (7 * MAX_LENGTH_BYTES));

/// Appends a row; its values are UTF-8.
///
/// # Panics
/// If the id does not have 1 to 256 bytes, or there are not as many values as the shape has names.
pub(super) fn encode<'v>(
    out: &mut Vec<u8>,
    id: &[u8],
    expiry: Expiry,
    shape: ShapeRef,
    values: impl Iterator<Item = &'v [u8]> + Clone,
) {
    write_head(out, id, expiry, shape, !values.clone().any(needs_escapes));
    let mut count = 0;
    for value in values {
        write_length(out, value.len());
        out.extend_from_slice(value);
        count += 1;
    }
    assert_eq!(count, shape.fields, "a row has as many values as its shape has names");
}

/// Appends what stands before the values.
#[inline]
#[expect(
    clippy::expect_used,
    reason = "ids are checked where they come in, arguments and saved tables alike"
)]
fn write_head(out: &mut Vec<u8>, id: &[u8], expiry: Expiry, shape: ShapeRef, is_plain: bool) {
    let id_length = id.len().checked_sub(1).and_then(|length| u8::try_from(length).ok());
    let id_length = id_length.expect("an id has 1 to 256 bytes");
    let escapes = if is_plain && shape.is_plain { 0 } else { ESCAPES };
    out.extend_from_slice(&expiry.to_bytes());
    out.extend_from_slice(&(shape.id | escapes).to_le_bytes());
    out.push(id_length);
    out.extend_from_slice(id);
}

/// A row whose values are encoded already.
#[derive(Clone, Copy, Debug)]
pub(super) struct EncodedRow<'r> {
    pub(super) id: &'r [u8],
    pub(super) expiry: Expiry,
    pub(super) shape: ShapeRef,
    /// Whether no value has a character that JSON escapes.
    pub(super) is_plain: bool,
    /// As many values as the shape has names, UTF-8, each after its length.
    pub(super) values: &'r [u8],
}

impl EncodedRow<'_> {
    /// Its length in bytes as it is kept.
    pub(super) fn len(&self) -> usize {
        HEAD_BYTES + self.id.len() + self.values.len()
    }

    /// Appends the row, as [`encode`] does.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_head(out, self.id, self.expiry, self.shape, self.is_plain);
        out.extend_from_slice(self.values);
    }
}

/// Appends a length as unsigned LEB128: seven bits to a byte, the lowest first; the high bit says that more
/// follow.
pub(super) fn write_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let [low, ..] = length.to_le_bytes();
        if length < 0x80 {
            return out.push(low);
        }
        out.push(low | 0x80);
        length >>= 7;
    }
}

/// Reads a length and returns what follows it; `None` if it is cut short or not written as [`write_length`]
/// does.
#[inline]
pub(super) fn read_length(text: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = text.split_first()?;
    if first < 0x80 { Some((usize::from(first), rest)) } else { read_long_length(first, rest) }
}

#[cold]
fn read_long_length(first: u8, mut rest: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = usize::from(first & 0x7f);
    let mut shift = 7;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        let digits = usize::from(byte & 0x7f);
        let placed = digits.checked_shl(shift)?;
        // One way to write each length: no bits beyond the type's, and no 0 as the last byte.
        if placed >> shift != digits || byte == 0 {
            return None;
        }
        length |= placed;
        if byte < 0x80 {
            return Some((length, rest));
        }
        shift += 7;
    }
}

/// The expiry of an encoded row.
#[inline]
pub(super) fn expiry(row: &[u8]) -> Expiry {
    let [a, b, c, d, e, f, g, h, ..] = *head(row);
    Expiry::from_bytes([a, b, c, d, e, f, g, h])
}

/// The shape number of an encoded row.
#[inline]
pub(super) fn shape(row: &[u8]) -> ShapeId {
    shape_and_flag(row) & !ESCAPES
}

#[inline]
fn shape_and_flag(row: &[u8]) -> ShapeId {
    let [.., a, b, c, d, _] = *head(row);
    ShapeId::from_le_bytes([a, b, c, d])
}

#[inline]
#[expect(clippy::expect_used, reason = "`encode` alone makes rows")]
fn head(row: &[u8]) -> &[u8; HEAD_BYTES] {
    row.first_chunk().expect("a row begins with its expiry, its shape and the length of its id")
}

/// The id, and the values after it.
#[inline]
#[expect(clippy::indexing_slicing, reason = "`encode` alone makes rows")]
fn split_id(row: &[u8]) -> (&[u8], &[u8]) {
    let [.., id_length] = *head(row);
    row[HEAD_BYTES..].split_at(usize::from(id_length) + 1)
}

/// Whether an encoded row has this id; an empty row has none.
#[inline]
pub(super) fn has_id(row: &[u8], id: &[u8]) -> bool {
    !row.is_empty() && is_equal(self::id(row), id)
}

/// The id of an encoded row.
#[inline]
pub(super) fn id(row: &[u8]) -> &[u8] {
    split_id(row).0
}

/// A live row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    bytes: &'t [u8],
    shape: &'t Shape,
}

impl<'t> Row<'t> {
    pub(super) fn new(bytes: &'t [u8], shape: &'t Shape) -> Self {
        Self { bytes, shape }
    }

    /// The vehicle's id.
    pub fn id(&self) -> &'t [u8] {
        id(self.bytes)
    }

    /// When the row expires.
    pub fn expiry(&self) -> Expiry {
        expiry(self.bytes)
    }

    /// The number of its shape.
    pub(super) fn shape_id(&self) -> ShapeId {
        shape(self.bytes)
    }

    /// Whether JSON writes its values as they are.
    #[inline]
    pub fn is_plain(&self) -> bool {
        shape_and_flag(self.bytes) & ESCAPES == 0
    }

    /// Its length in bytes as it is kept.
    #[expect(clippy::len_without_is_empty, reason = "a row is never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The names of its fields.
    pub fn shape(&self) -> &'t Shape {
        self.shape
    }

    /// The values, in the order of the names; UTF-8.
    #[inline]
    pub fn values(&self) -> Values<'t> {
        Values(split_id(self.bytes).1)
    }

    /// Fields and values in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'t str, &'t [u8])> {
        self.shape.names().zip(self.values())
    }

    /// The value of a field.
    pub fn value(&self, name: &[u8]) -> Option<&'t [u8]> {
        self.values().nth(self.shape.position(name)?)
    }

    /// The least bytes that [`Row::write_json`] writes, without a look at each value.
    pub fn min_json_len(&self) -> usize {
        let (_, values) = split_id(self.bytes);
        let lengths = self.shape.len() * MAX_LENGTH_BYTES;
        self.shape.json_bytes() + values.len().saturating_sub(lengths)
    }

    /// Writes the row as a JSON object whose values are strings.
    #[inline]
    pub fn write_json(&self, out: &mut JsonWriter) {
        if !self.is_plain() {
            return self.write_json_slowly(out);
        }
        let Some(mut room) = out.reserve(self.shape.json_bytes() + self.bytes.len()) else {
            return self.write_json_slowly(out);
        };
        for (prefix, value) in self.shape.json_prefixes().zip(self.values()) {
            room.write_raw(prefix);
            room.write_raw(value);
        }
        room.write_raw(b"\"}");
    }

    #[cold]
    fn write_json_slowly(&self, out: &mut JsonWriter) {
        let mut separator = "{\"";
        for (name, value) in self.fields() {
            out.write_raw(separator.as_bytes());
            separator = "\",\"";
            out.write_escaped(name.as_bytes());
            out.write_raw(b"\":\"");
            out.write_escaped(value);
        }
        out.write_raw(b"\"}");
    }
}

/// The values of a row.
#[derive(Clone, Debug)]
pub struct Values<'t>(&'t [u8]);

impl<'t> Iterator for Values<'t> {
    type Item = &'t [u8];

    #[inline]
    #[expect(clippy::expect_used, reason = "`encode` alone makes rows")]
    fn next(&mut self) -> Option<&'t [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (length, rest) = read_length(self.0).expect("a value begins with its length");
        let (value, rest) = rest.split_at(length);
        self.0 = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_of_one_to_ten_bytes() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 20, (1 << 21) - 1, 1 << 21, 1 << 27] {
            let mut text = Vec::new();
            write_length(&mut text, length);
            text.push(7);
            assert_eq!(read_length(&text), Some((length, [7].as_slice())), "{length}");
        }
        assert_eq!(read_length(&[]), None);
        assert_eq!(read_length(&[0x80]), None);
        assert_eq!(read_length(&[0xff; 20]), None);
        // Written longer than need be, and longer than there is room for.
        for text in [&[0x80, 0][..], &[0xff, 0x80, 0], &[0x80; 9], &[[0x80; 9].as_slice(), &[2]].concat()] {
            assert_eq!(read_length(text), None, "{text:x?}");
        }
        let longest = [[0xff; 9].as_slice(), &[1]].concat();
        assert_eq!(read_length(&longest), Some((usize::MAX, [].as_slice())));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            id in "\\PC{1,40}", at: i64, name in "[a-z]{1,4}|[\\x00-\\x7f]{1,4}", values in proptest::collection::vec("\\PC{0,200}|[\\x00-\\x7f]{0,8}", 1..6)
        ) {
            let names: Vec<String> = (0..values.len()).map(|index| format!("{name}{index}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut shapes = super::super::shape::Shapes::new(ahash::RandomState::with_seeds(1, 2, 3, 4));
            let shape = shapes.intern(&names);
            let mut text = Vec::new();
            encode(&mut text, id.as_bytes(), Expiry::at(at), shape, values.iter().map(String::as_bytes));
            prop_assert_eq!(super::shape(&text), shape.id);
            let row = Row::new(&text, shapes.get(shape.id));
            prop_assert_eq!(row.id(), id.as_bytes());
            prop_assert_eq!(row.expiry(), Expiry::at(at));
            let read: Vec<_> = row.values().collect();
            let written: Vec<_> = values.iter().map(String::as_bytes).collect();
            prop_assert_eq!(read, written);
            let mut json = JsonWriter::with_limit(usize::MAX);
            row.write_json(&mut json);
            let (min_len, len) = (row.min_json_len(), json.finish().unwrap().len());
            let escapes = values.iter().chain([&name]).any(|text| needs_escapes(text.as_bytes()));
            prop_assert!(min_len <= len && (escapes || len <= min_len + values.len() * 2), "{min_len}, {len}");
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(json.finish().unwrap()).unwrap();
            prop_assert_eq!(object.len(), values.len());
            for (name, value) in names.iter().zip(&values) {
                prop_assert_eq!(object[*name].as_str(), Some(value.as_str()));
            }
        }
    }
}
