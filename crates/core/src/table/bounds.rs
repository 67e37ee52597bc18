//! The bounds of what a table holds.

use crate::short::is_utf8;

/// The longest id; the shortest has one byte.
pub const MAX_ID_BYTES: usize = 256;

/// The longest field name; the shortest has one byte.
pub const MAX_NAME_BYTES: usize = 256;

/// The longest value.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// The most fields of a row; the fewest is one.
pub const MAX_FIELDS: usize = 64;

/// The latest expiry, in milliseconds since 1970: the end of the year 9999.
pub const MAX_EXPIRY_MS: i64 = 253_402_300_799_999;

/// Whether these bytes can be a row's id.
#[inline]
pub fn is_id(bytes: &[u8]) -> bool {
    is_id_length(bytes.len()) && is_utf8(bytes)
}

/// Whether an id can have this many bytes.
#[inline]
pub(crate) fn is_id_length(bytes: usize) -> bool {
    (1..=MAX_ID_BYTES).contains(&bytes)
}

/// Whether a field's name can have this many bytes.
pub(crate) fn is_name_length(bytes: usize) -> bool {
    (1..=MAX_NAME_BYTES).contains(&bytes)
}

/// These bytes as a field name.
pub fn name(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|name| is_name_length(name.len()))
}

/// Whether these bytes can be a value.
#[inline]
pub fn is_value(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_VALUE_BYTES && is_utf8(bytes)
}
