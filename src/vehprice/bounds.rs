//! What a table takes.

/// The longest id, in bytes; the shortest has one.
pub const LONGEST_ID: usize = 256;

/// The longest field name, in bytes; the shortest has one.
pub const LONGEST_NAME: usize = 256;

/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 1 << 20;

/// The most fields of a row; the least is one.
pub const MOST_FIELDS: usize = 64;

/// The latest expiry, in milliseconds since 1970: the end of the year 9999.
pub const LATEST_EXPIRY_MS: i64 = 253_402_300_799_999;

/// Whether these bytes are a row's id.
#[inline]
pub fn is_id(bytes: &[u8]) -> bool {
    (1..=LONGEST_ID).contains(&bytes.len()) && is_text(bytes)
}

/// The field name that these bytes are.
pub fn name(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|name| (1..=LONGEST_NAME).contains(&name.len()))
}

/// The value that these bytes are.
#[inline]
pub fn value(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|value| value.len() <= LONGEST_VALUE)
}

/// Whether bytes are UTF-8.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}
